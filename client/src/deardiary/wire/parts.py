"""The parts of an upload. Server and client share this module: both must compute the same parts.

Up to a store's `alone` bytes are sent in one request. More are sent in at most 10,000 parts of equal size, the last
one smaller. The part size grows, by whole MiB, only if 10,000 parts would not be enough.
"""

from dataclasses import dataclass

from deardiary.wire.limits import KIB, MAX_PARTS, MIB, TIB


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file; numbers count from 1. ``sha256`` is lower-case hex."""

    number: int
    offset: int
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The limits of a store in bytes: one request, one part, the whole file."""

    alone: int
    part: int
    most: int


CUTS = {
    "s3": Cut(alone=64 * MIB, part=16 * MIB, most=5 * TIB),
    # A request through Lambda has at most 6 MB, as base64, which adds a third to the bytes.
    "filesystem": Cut(alone=4 * MIB, part=4 * MIB, most=MAX_PARTS * 4 * MIB),
    "inline": Cut(alone=256 * KIB, part=256 * KIB, most=256 * KIB),
}
# A larger file may be sent in parts, whose upload another process can resume. An inline file never is.
LEAST_IN_PARTS = min(cut.alone for cut in CUTS.values() if cut.part < cut.most)


def cut(backend: str, size_bytes: int) -> tuple[Part, ...]:
    """The parts of ``size_bytes`` bytes, without hashes; empty if one request is enough."""
    known = CUTS.get(backend, CUTS["s3"])
    if size_bytes <= known.alone:
        return ()
    size = part_size(backend, size_bytes)
    offsets = range(0, size_bytes, size)
    return tuple(Part(number, offset, min(size, size_bytes - offset)) for number, offset in enumerate(offsets, start=1))


def part_size(backend: str, size_bytes: int) -> int:
    """The size in bytes of every part but the last."""
    least = -(-size_bytes // MAX_PARTS)
    return max(CUTS.get(backend, CUTS["s3"]).part, -(-least // MIB) * MIB)
