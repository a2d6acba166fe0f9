"""Bytes from the artifact store to a file, which is there when all of them are, with the right hash, and not before.

What has come lies beside it in a `.part` file, which stays when the network or the process fails: the next attempt
goes on where that one ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import secrets
import time
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from deardiary.errors import NOT_SENT, ClientError
from deardiary.files import stem_of
from deardiary.transfer import presigned, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deardiary.http.transport import Response, Transport
    from deardiary.transfer.progress import Meter
    from deardiary.wire.shapes import Download

# API Gateway gives bytes as they are only to those who ask for this type; S3 does not look at it.
_HEADERS = {"Accept": "application/octet-stream"}


def fetch(api_url: str, transport: Transport, sign: Callable[[], Download], target: Path, meter: Meter) -> None:
    """Bring the bytes to ``target``; ``sign`` gives a fresh URL. ClientError CONTENT_MISMATCH for other bytes."""
    source = sign()
    with _part_file(target, source) as file:
        if not _Job(api_url, transport, sign, file, source, meter).run():
            # What lay there was not the beginning of it: once more, from the start.
            _Job(api_url, transport, sign, file, source, meter).run()


class _Job:
    def __init__(
        self,
        api_url: str,
        transport: Transport,
        sign: Callable[[], Download],
        file: BinaryIO,
        source: Download,
        meter: Meter,
    ) -> None:
        self._api_url = api_url
        self._transport = transport
        self._sign = sign
        self._file = file
        self._source = source
        self._meter = meter
        self._digest = hashlib.sha256()
        self._done = 0

    def run(self) -> bool:
        """False when the file had a beginning, which has been taken away now: the whole was not right with it."""
        begun = self._read_what_is_there()
        if not begun:
            self._begin_again()
        self._fetch()
        if self._digest.hexdigest() == self._source.content_hash:
            return True
        wrong = self._wrong(f"their sha256 is {self._digest.hexdigest()} instead of {self._source.content_hash}")
        if not begun:
            raise wrong
        return False

    def _fetch(self) -> None:
        strikes, most = 0, self._done
        while self._done < self._source.size_bytes:
            failure = self._fetch_some()
            strikes = strikes + 1 if self._done <= most else 0
            most = max(most, self._done)
            if strikes == store.STRIKES:
                raise failure or self._wrong(f"{self._done} bytes came instead of {self._source.size_bytes}")
            if strikes:
                time.sleep(random.random() * 0.2 * 2**strikes)  # noqa: S311 - so that many do not come back at once

    def _fetch_some(self) -> ClientError | None:
        """What ended it, where another attempt may go on."""
        try:
            headers = {**_HEADERS, "Range": f"bytes={self._done}-"}
            answer = self._transport.send(presigned.download_request(self._api_url, self._source.url, headers))
            with closing(answer):
                self._copy(store.checked(answer))
        except ClientError as error:
            if store.may_be_renewed(error):
                self._source = self._sign()
            elif error.status or error.code in ("CONTENT_MISMATCH", *NOT_SENT):
                raise
            return error
        return None

    def _copy(self, answer: Response) -> None:
        if answer.status != 206 or not _begins_at(self._done, answer):
            # The store knows no ranges: it sends everything.
            self._begin_again()
        while block := answer.stream.read(store.BLOCK):
            # A store that sends more than it declared must not fill the disk.
            if self._done + len(block) > self._source.size_bytes:
                raise self._wrong(f"more than {self._source.size_bytes} bytes came")
            self._file.write(block)
            self._digest.update(block)
            self._done += len(block)
            self._meter.add(len(block))

    def _read_what_is_there(self) -> int:
        self._file.seek(0)
        while block := self._file.read(store.BLOCK):
            self._digest.update(block)
            self._done += len(block)
            self._meter.add(len(block))
            if self._done > self._source.size_bytes:
                return 0
        return self._done

    def _wrong(self, reason: str) -> ClientError:
        """With these bytes nobody goes on."""
        self._begin_again()
        return store.mismatch(reason)

    def _begin_again(self) -> None:
        self._meter.add(-self._done)
        self._done, self._digest = 0, hashlib.sha256()
        self._file.seek(0)
        self._file.truncate()


@contextlib.contextmanager
def _part_file(target: Path, source: Download) -> Iterator[BinaryIO]:
    """The bytes so far, for this process alone; moved to the target at a good end, removed where nothing is in it."""
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
    """Named after the bytes, so that only the same are gone on with; another name while another process has that."""
    stem = f".{stem_of(target.name)}.{content_hash[:16]}"
    for name in (stem, f"{stem}.{secrets.token_hex(8)}"):
        part = target.with_name(f"{name}.part")
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(part, flags, 0o666)  # less the umask, and never to be run
        if _lock(descriptor) and _is_still(part, descriptor):
            return part, os.fdopen(descriptor, "r+b")
        os.close(descriptor)
    raise OSError(f"{target} is being written by somebody else")


def _lock(descriptor: int) -> bool:
    """Until the file is closed. Where there are no such locks, two downloads to one target are the user's business."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still(part: Path, descriptor: int) -> bool:
    """Whether nobody has moved the file away since it was opened."""
    try:
        return os.path.samestat(part.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _begins_at(offset: int, answer: Response) -> bool:
    return answer.headers.get("content-range", "").startswith(f"bytes {offset}-")
