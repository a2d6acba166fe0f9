"""A large download in pieces, fetched over several connections at once: one connection is slower than the network.

Each piece is written to its position in the .part file, which therefore has gaps until all have arrived. Until then it
is eight bytes longer than the download: they hold the number of complete bytes at its beginning. A download that was
killed resumes after these.
"""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from deardiary.errors import ClientError
from deardiary.files import BLOCK_BYTES, read_at, write_at
from deardiary.http.backoff import wait_seconds
from deardiary.http.retries import FIRST_WAIT, LONGEST_WAIT
from deardiary.transfer import store
from deardiary.transfer.progress import Meter

if TYPE_CHECKING:
    from deardiary.transfer.source import Source

PIECE_BYTES = 8 * 1024 * 1024
_MARK = struct.Struct(">Q")


class Piece(NamedTuple):
    begin: int
    end: int


class NoRangesError(Exception):
    """The store sends the whole file, whatever range it is asked for."""


def bytes_complete(fd: int, length: int, size_bytes: int) -> int:
    """The number of complete bytes at the beginning of a .part file of this length, for a file of this size."""
    if length != size_bytes + _MARK.size:
        return length
    complete: int = _MARK.unpack(read_at(fd, _MARK.size, size_bytes))[0]
    return min(complete, size_bytes)


class Pieces:
    """The pieces of a download from `begin` on."""

    def __init__(self, source: Source, fd: int, begin: int, meter: Meter) -> None:
        self._source, self._fd, self._meter = source, fd, meter
        size = source.size_bytes
        self._pieces = [Piece(at, min(at + PIECE_BYTES, size)) for at in range(begin, size, PIECE_BYTES)]
        self._stopped = threading.Event()

    def fetch(self) -> Generator[Piece, None, None]:
        """Yield each piece when it and all before it are in the file; the next ones are fetched meanwhile.

        ClientError, or NoRangesError, if one cannot be fetched.
        """
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(store.CONNECTIONS, "deardiary-download")
        try:
            self._mark(self._pieces[0].begin)
            # Each connection has a next piece: it need not wait until a slow piece before that is complete.
            ahead = 2 * store.CONNECTIONS
            waiting = deque((piece, pool.submit(self._fetch_piece, piece)) for piece in self._pieces[:ahead])
            for index in range(len(self._pieces)):
                piece, future = waiting.popleft()
                future.result()
                for later in self._pieces[index + ahead :][:1]:
                    waiting.append((later, pool.submit(self._fetch_piece, later)))
                yield piece
                self._mark(piece.end)
        finally:
            self._stopped.set()
            pool.shutdown(cancel_futures=True)

    def _mark(self, complete: int) -> None:
        write_at(self._fd, _MARK.pack(complete), self._source.size_bytes)

    def _fetch_piece(self, piece: Piece) -> None:
        begin, strikes = piece.begin, 0
        while begin < piece.end and not self._stopped.is_set():
            rest = Piece(begin, piece.end)
            arrived, failure = self._fetch_some(rest)
            begin += arrived
            strikes = 0 if arrived else strikes + 1
            if strikes == store.STRIKES:
                raise failure or store.mismatch(f"nothing came of the bytes from {begin}")
            if strikes:
                time.sleep(wait_seconds(strikes, first=FIRST_WAIT, longest=LONGEST_WAIT))

    def _fetch_some(self, piece: Piece) -> tuple[int, ClientError | None]:
        """Make one request. Return the number of bytes that arrived, and the error if another request may resume."""
        arrived, used = 0, self._source.current
        try:
            with closing(self._source.open(used, f"bytes={piece.begin}-{piece.end - 1}")) as answer:
                if answer.status != 206 or not store.begins_at(piece.begin, answer):
                    raise NoRangesError
                while not self._stopped.is_set() and (
                    block := answer.stream.read(min(BLOCK_BYTES, piece.end - piece.begin - arrived))
                ):
                    write_at(self._fd, block, piece.begin + arrived)
                    arrived += len(block)
                    self._meter.add(len(block))
        except ClientError as error:
            self._source.renew_after(error, used)
            return arrived, error
        return arrived, None
