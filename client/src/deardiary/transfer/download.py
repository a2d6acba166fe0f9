"""Downloads from the artifact store. The target file appears only with all bytes and the right hash.

Until then the bytes are in a `.part` file beside it. That file stays if the network or the process fails, and the
next attempt resumes it.
"""

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from deardiary.errors import ClientError
from deardiary.files import BLOCK_BYTES, begin_flush, lock, read_at, stem_of
from deardiary.http.backoff import wait_seconds
from deardiary.http.retries import FIRST_WAIT, LONGEST_WAIT
from deardiary.http.transport import Response, Transport
from deardiary.transfer import pieces, store
from deardiary.transfer.progress import Meter
from deardiary.transfer.source import Source
from deardiary.wire.shapes import Download


def fetch(
    api_url: str, transport: Transport, sign: Callable[[], Download], target: Path, meter_of: Callable[[int], Meter]
) -> None:
    """Download to ``target``; ``sign`` returns a new presigned URL, ``meter_of`` the meter for a size.

    ClientError CONTENT_MISMATCH for wrong bytes.
    """
    source = Source(api_url, transport, sign)
    meter = meter_of(source.size_bytes)
    with _part_file(target, source.current) as file:
        if not _Job(source, file, meter).run():
            # The old .part file held other bytes: download everything again.
            _Job(source, file, meter).run()


class _Job:
    def __init__(self, source: Source, file: BinaryIO, meter: Meter) -> None:
        self._source = source
        self._file = file
        self._meter = meter
        self._digest = hashlib.sha256()
        self._done = 0

    def run(self) -> bool:
        """True if the file is complete and right; False if its resumed beginning was wrong and is now removed."""
        # Nothing proves the beginning of a file whose hash the server does not know.
        begun = bool(self._source.content_hash) and self._read_what_is_there()
        if not begun:
            self._begin_again()
        self._fetch()
        if self._source.content_hash in ("", self._digest.hexdigest()):
            return True
        wrong = self._wrong(f"their sha256 is {self._digest.hexdigest()} instead of {self._source.content_hash}")
        if not begun:
            raise wrong
        return False

    def _fetch(self) -> None:
        if self._source.size_bytes - self._done > pieces.PIECE_BYTES:
            self._fetch_pieces()
        strikes, most = 0, self._done
        while self._done < self._source.size_bytes:
            failure = self._fetch_some()
            strikes = strikes + 1 if self._done <= most else 0
            most = max(most, self._done)
            if strikes == store.STRIKES:
                raise failure or self._wrong(f"{self._done} bytes came instead of {self._source.size_bytes}")
            if strikes:
                time.sleep(wait_seconds(strikes, first=FIRST_WAIT, longest=LONGEST_WAIT))

    def _fetch_pieces(self) -> None:
        """Fetch the rest over several connections; a store that ignores ranges leaves all of it."""
        fetched = pieces.Pieces(self._source, self._file.fileno(), self._done, self._meter).fetch()
        try:
            for piece in fetched:
                self._hash(piece.begin, piece.end)
                begin_flush(self._file.fileno(), piece.begin, piece.end - piece.begin)
        except pieces.NoRangesError:
            pass
        finally:
            fetched.close()
            self._file.truncate(self._done)
            self._file.seek(self._done)

    def _hash(self, begin: int, end: int) -> None:
        """Hash these bytes of the file, which follow those hashed before."""
        while begin < end:
            block = read_at(self._file.fileno(), min(BLOCK_BYTES, end - begin), begin)
            if not block:
                raise store.mismatch("another process has shortened the file that collects them")
            self._digest.update(block)
            begin += len(block)
            self._done = begin

    def _fetch_some(self) -> ClientError | None:
        """Make one request. Return the error that ended it if another request may resume, else None."""
        used = self._source.current
        try:
            with closing(self._source.open(used, f"bytes={self._done}-")) as answer:
                self._copy(answer)
        except ClientError as error:
            self._source.renew_after(error, used)
            return error
        return None

    def _copy(self, answer: Response) -> None:
        if answer.status != 206 or not store.begins_at(self._done, answer):
            # The store ignores ranges and sends the whole file.
            self._begin_again()
        while block := answer.stream.read(BLOCK_BYTES):
            # A hostile store must not fill the disk.
            if self._done + len(block) > self._source.size_bytes:
                raise self._wrong(f"more than {self._source.size_bytes} bytes came")
            self._file.write(block)
            self._digest.update(block)
            self._done += len(block)
            self._meter.add(len(block))

    def _read_what_is_there(self) -> int:
        """Hash the complete beginning that another attempt has left; return its length, or 0 if there is too much."""
        length, size = self._file.seek(0, os.SEEK_END), self._source.size_bytes
        complete = pieces.bytes_complete(self._file.fileno(), length, size)
        if complete > size:
            return 0
        self._hash(0, complete)
        self._meter.add(complete)
        self._file.truncate(complete)
        self._file.seek(complete)
        return complete

    def _wrong(self, reason: str) -> ClientError:
        """The error for wrong bytes, which are removed so that no later attempt resumes them."""
        self._begin_again()
        return store.mismatch(reason)

    def _begin_again(self) -> None:
        self._meter.add(-self._done)
        self._done, self._digest = 0, hashlib.sha256()
        self._file.seek(0)
        self._file.truncate()


@contextlib.contextmanager
def _part_file(target: Path, source: Download) -> Iterator[BinaryIO]:
    """The locked .part file; renamed to the target on success, removed if it is empty."""
    part, file = _open_alone(target, source.content_hash)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_size == 0:
                part.unlink()


def _open_alone(target: Path, content_hash: str) -> tuple[Path, BinaryIO]:
    """Open and lock a .part file named after the content, so that only the same content is resumed.

    Use a random name if another process holds that file.
    """
    stem = f".{stem_of(target.name)}.{content_hash[:16]}"
    for name in (stem, f"{stem}.{secrets.token_hex(8)}"):
        part = target.with_name(f"{name}.part")
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(part, flags, 0o666)  # the umask applies
        if lock(descriptor) and _is_still(part, descriptor):
            return part, os.fdopen(descriptor, "r+b")
        os.close(descriptor)
    raise OSError(f"{target} is being written by somebody else")


def _is_still(part: Path, descriptor: int) -> bool:
    """True if the path still names the opened file: another process may have renamed it before the lock."""
    try:
        return os.path.samestat(part.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
