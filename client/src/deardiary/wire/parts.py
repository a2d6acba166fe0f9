"""How bytes are cut for their way to a store. Server and client share this: both must cut alike.

Up to a store's `alone` bytes go in one request. More go in parts of equal size, the last one smaller, at most 10,000
of them; a part grows, by whole MiB, only where the number would not do.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_PARTS = 10_000
# The most that one request for an upload declares and is answered with.
MAX_PARTS_ASKED = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Where a part lies in the file; numbers count from 1. ``sha256`` is lower-case hex."""

    number: int
    offset: int
    size_bytes: int
    sha256: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Cut:
    """What a store takes, in bytes: in one request, in a part, in all."""

    alone: int
    part: int
    most: int


CUTS = {
    "s3": Cut(alone=64 * MIB, part=16 * MIB, most=5 * TIB),
    # A request through Lambda brings at most 6 MB, a third of it lost to base64.
    "filesystem": Cut(alone=4 * MIB, part=4 * MIB, most=MAX_PARTS * 4 * MIB),
    "inline": Cut(alone=256 * KIB, part=256 * KIB, most=256 * KIB),
}
# What this version knows no store for is cut as for S3.
SMALLEST_CUT = min(cut.alone for cut in CUTS.values())


def cut(backend: str, size_bytes: int) -> tuple[Part, ...]:
    """The parts of so many bytes, without their hashes; none when they go in one request."""
    known = CUTS.get(backend, CUTS["s3"])
    if size_bytes <= known.alone:
        return ()
    size = part_size(backend, size_bytes)
    offsets = range(0, size_bytes, size)
    return tuple(Part(number, at, min(size, size_bytes - at)) for number, at in enumerate(offsets, start=1))


def part_size(backend: str, size_bytes: int) -> int:
    """Bytes of every part but the last."""
    least = -(-size_bytes // MAX_PARTS)
    return max(CUTS.get(backend, CUTS["s3"]).part, -(-least // MIB) * MIB)


def composite(hashes: Sequence[str]) -> bytes:
    """SHA-256 of the parts' SHA-256 (given in hex), one after the other: what S3 has of an object in parts."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, hashes))).digest()
