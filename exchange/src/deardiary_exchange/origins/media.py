"""Images, tables, texts and histograms of other trackers, as files named ``media/KEY/STEP…`` (docs/media.md)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from deardiary.media.naming import name_of
from deardiary_exchange.origins.origin import date
from deardiary_exchange.runs import File

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from deardiary.media.encoded import Encoded


def encoded(
    key: str,
    step: int,
    time_ms: int | None,
    suffix: str,
    encode: Callable[[], Encoded],
    *,
    index: int | None = None,
    caption: str = "",
) -> File:
    """A value that is encoded when its bytes are needed. ValueError if the key cannot be a part of a path."""

    def opened() -> BinaryIO:
        content = encode().content
        return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)

    name = name_of(key, step, suffix, index)
    return File(name=name, open=opened, description=caption, created_date=date(time_ms))


def stored(
    key: str, step: int, time_ms: int | None, path: Path, *, index: int | None = None, caption: str = ""
) -> File:
    """A file of the other tracker, under the name of a media file. ValueError as above."""
    name = name_of(key, step, path.suffix.lower(), index)
    return File.of_path(name, path, description=caption, created_date=date(time_ms))


def modified(path: Path) -> datetime | None:
    """When a file was last written; None if it is not there."""
    return date(path.stat().st_mtime_ns // 1_000_000) if path.exists() else None


def refused(name: str, reason: str) -> File:
    """A file that cannot be taken: the loader reports the reason."""

    def opened() -> BinaryIO:
        raise OSError(reason)

    return File(name=name, open=opened)
