"""Text, JSON and HTML."""

import json
from pathlib import Path
from typing import Any

from deardiary.media.encoded import Encoded


def encode_text(text: str, suffix: str = ".txt") -> Encoded:
    """TypeError if it is not text."""
    if not isinstance(text, str):
        raise TypeError(f"A text is a str, not {type(text).__name__}")
    return Encoded(text.encode("utf-8", "replace"), suffix)


def encode_json(value: Any) -> Encoded:
    """What JSON cannot hold is text, by ``str``. ValueError for a value that contains itself."""
    return Encoded(json.dumps(value, indent=1, default=str, ensure_ascii=False).encode("utf-8", "replace"), ".json")


def encode_html(page: str | Path) -> Encoded:
    return Encoded(page, ".html") if isinstance(page, Path) else encode_text(page, ".html")
