"""What a download is called."""

from __future__ import annotations

from urllib.parse import quote


def content_disposition(name: str) -> str:
    """Always a download, never a page; the name as ASCII for old readers and exactly after RFC 6266 and RFC 8187."""
    last = name.replace("\\", "/").rpartition("/")[2] or "download"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in last)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"
