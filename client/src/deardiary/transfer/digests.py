"""The hashes that an upload declares, computed in one pass over the file.

The hashes of parts and that of the whole file are of the same bytes: if the file changes later, the store refuses the
changed part.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from deardiary.files import size_and_sha256
from deardiary.wire import parts
from deardiary.wire.parts import Part

_BLOCK = 4 * 1024 * 1024


class Digests(NamedTuple):
    """Size and SHA-256 of a file, and the SHA-256 of its parts by (offset, size), all in hex."""

    size_bytes: int
    sha256: str
    of_parts: Mapping[tuple[int, int], str]


def digests_of(path: Path) -> Digests:
    """Read the file once. It has no hashes of parts if S3 takes it in one request, or if its size changes meanwhile."""
    with path.open("rb") as stream:
        size_bytes = os.fstat(stream.fileno()).st_size
        cut = parts.cut("s3", size_bytes)
        if not cut:
            return Digests(*size_and_sha256(stream), {})
        return _in_parts(stream, size_bytes, cut)


def _in_parts(stream: BufferedReader, size_bytes: int, cut: Sequence[Part]) -> Digests:
    """Hash each block for its part in another thread, while this one hashes it for the whole."""
    from concurrent.futures import ThreadPoolExecutor

    whole, read, found, buffer = hashlib.sha256(), 0, {}, memoryview(bytearray(_BLOCK))
    with ThreadPoolExecutor(1, "deardiary-hash") as other:
        for part in cut:
            own, end = hashlib.sha256(), part.offset + part.size_bytes
            while size := stream.readinto(buffer[: end - read]):
                hashed = other.submit(own.update, buffer[:size])
                whole.update(buffer[:size])
                hashed.result()
                read += size
            found[part.offset, part.size_bytes] = own.hexdigest()
    while block := stream.read(_BLOCK):
        whole.update(block)
        read += len(block)
    return Digests(read, whole.hexdigest(), found if read == size_bytes else {})
