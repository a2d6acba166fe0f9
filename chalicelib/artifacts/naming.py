"""File names of downloads."""

from __future__ import annotations

from urllib.parse import quote


def content_disposition(name: str) -> str:
    """A header that makes browsers download. It has the name in ASCII, and exactly by RFC 6266 and RFC 8187."""
    last = name.replace("\\", "/").rpartition("/")[2] or "download"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in last)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"
