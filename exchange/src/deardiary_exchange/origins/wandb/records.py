"""The records of a ``.wandb`` file, in the order in which W&B wrote them.

The file is a log of LevelDB: blocks of 32 KiB with pieces of records, each behind a head of checksum, length and kind.
W&B's Python package reads it no more: its reader has moved into a program of its own. The messages are declared in
`schema`, because a release of W&B drops what later releases write.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from deardiary_exchange.origins.origin import OriginFailed
from deardiary_exchange.origins.wandb import schema

# The first bytes of a file: a name, a number and a version of the format.
_START = b":W&B\xe1\xbe\x00"
_BLOCK, _HEAD = 32 * 1024, struct.Struct("<IHB")
_FULL, _FIRST, _LAST = 1, 2, 4


class Damaged(Exception):
    """The rest of a file cannot be read. ``offset`` is where it begins."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"damaged after byte {offset}")
        self.offset = offset


def records(path: Path) -> Iterator[Any]:
    """The messages. They end where the writer was interrupted; Damaged if there is more that cannot be read."""
    message = schema.record()
    with path.open("rb") as file:
        if file.read(len(_START)) != _START:
            raise OriginFailed(f"{path} is no file of W&B, or of another version of its format")
        for offset, content in _contents(file):
            try:
                yield message.FromString(content)
            except Exception as error:
                raise Damaged(offset) from error


def _contents(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each whole record with its offset."""
    parts: list[bytes] = []
    while True:
        left = _BLOCK - file.tell() % _BLOCK
        if left < _HEAD.size:
            file.seek(left, 1)
            continue
        offset = file.tell()
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        checksum, length, kind = _HEAD.unpack(head)
        content = file.read(length)
        if len(content) < length:
            return
        if zlib.crc32(content, zlib.crc32(bytes([kind]))) != checksum:
            raise Damaged(offset)
        if kind in (_FULL, _FIRST):
            parts = []
        parts.append(content)
        if kind in (_FULL, _LAST):
            yield offset, b"".join(parts)
