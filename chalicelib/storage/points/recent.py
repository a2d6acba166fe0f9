"""The hashes of the batches announced last, so that readers of a running iteration find its new chunks.

The key of a chunk is a hash, and sorts anywhere among the others. So SERIES names the last batches, and a chunk the
ones before it if it has room. A reader who knows all batches until a time finds the later ones from SERIES, and from
chunk to chunk. It counts them: `batches` in SERIES says how many there are.
"""

from __future__ import annotations

import base64

_BYTES = 15
MOST = 8
# The most and the fewest bytes of a chunk besides its points and these hashes.
_MOST_OTHER, _FEWEST_OTHER = 125, 105
_WRITE_BLOCK = 1024


def with_batch(recent: bytes, batch_hash: str) -> bytes:
    return (recent + base64.b32hexdecode(batch_hash.upper()))[-MOST * _BYTES :]


def hashes(recent: bytes) -> list[str]:
    """The hashes, the last announced one at the end."""
    parts = (recent[start : start + _BYTES] for start in range(0, len(recent), _BYTES))
    return [base64.b32hexencode(part).decode().lower() for part in parts]


def if_free(recent: bytes, points_bytes: int) -> bytes | None:
    """These hashes if a chunk with so many bytes of points costs no write unit more with them, else None."""
    without, with_them = points_bytes + _FEWEST_OTHER, points_bytes + _MOST_OTHER + len(recent)
    return recent or None if (without - 1) // _WRITE_BLOCK == (with_them - 1) // _WRITE_BLOCK else None
