"""What uploads and downloads share. No token is sent to an artifact store: its URLs are signed by the API."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from deardiary.errors import ClientError, from_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from deardiary.http.transport import Response

A = TypeVar("A")
B = TypeVar("B")

BLOCK = 1024 * 1024
# Threads for the parts of a file, and for the files of a folder.
THREADS = 4
# So often in a row a store may refuse what it was asked, or stop in the middle, before that is an error.
STRIKES = 3

# S3's word for a URL that has died is 403, or 400 when the credentials died that signed it; ours is 401. 404 is an
# upload that somebody else has finished.
_MAY_BE_RENEWED = {401, 403, 404}


def size_and_hash(path: Path) -> tuple[int, str]:
    """Bytes of a file and their sha256, as lower-case hex."""
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size_bytes += len(block)
    return size_bytes, digest.hexdigest()


def in_threads(work: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """Done by a few threads, answered in order. After a failure nothing more is begun."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(THREADS, "deardiary-files")
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(cancel_futures=True)


def checked(response: Response) -> Response:
    if 200 <= response.status < 300:
        return response
    raise from_store(response.status, response.read())


def may_be_renewed(error: ClientError) -> bool:
    """Whether another URL may do what this one did not."""
    return error.status in _MAY_BE_RENEWED or "ExpiredToken" in error.message


def mismatch(reason: str) -> ClientError:
    return ClientError(0, "CONTENT_MISMATCH", f"The bytes are not those of the resource: {reason}")
