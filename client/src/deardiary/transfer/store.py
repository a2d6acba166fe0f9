"""Helpers of uploads and downloads. The client sends no token to an artifact store: the API presigns its URLs."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from deardiary.errors import ClientError, from_store
from deardiary.http.transport import Response

A = TypeVar("A")
B = TypeVar("B")

# Threads for the files of a folder.
THREADS = 4
# Connections for the parts of one file: each alone is slower than the network, most of all far from the store.
CONNECTIONS = 12
# After this many consecutive attempts without progress a transfer fails.
STRIKES = 3

# For an expired URL S3 answers 403, or 400 if the signing credentials have expired; our own store answers 401.
# 404: another client has completed the upload.
_MAY_BE_RENEWED = {401, 403, 404}


def in_threads(work: Callable[[A], B], items: Sequence[A], threads: int = THREADS) -> list[B]:
    """The results of ``work`` on the items in order, computed by a few threads. A failure cancels the waiting items."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, "deardiary-files")
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(cancel_futures=True)


def checked(response: Response) -> Response:
    if 200 <= response.status < 300:
        return response
    raise from_store(response.status, response.read())


def may_be_renewed(error: ClientError) -> bool:
    """True if a new presigned URL may succeed."""
    return error.status in _MAY_BE_RENEWED or "ExpiredToken" in error.message


def mismatch(reason: str) -> ClientError:
    return ClientError(0, "CONTENT_MISMATCH", f"The bytes are not those of the resource: {reason}")


def begins_at(offset: int, answer: Response) -> bool:
    return answer.headers.get("content-range", "").startswith(f"bytes {offset}-")
