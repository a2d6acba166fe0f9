"""Uploads to the artifact store: in one request or in parts, only the bytes that the store lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deardiary.api import Api, path_of
from deardiary.errors import ClientError
from deardiary.files import size_and_sha256
from deardiary.http.transport import FileSlice, Readable
from deardiary.transfer import presigned, store
from deardiary.transfer.digests import Digests
from deardiary.transfer.progress import Meter
from deardiary.wire import parts
from deardiary.wire.parts import Part
from deardiary.wire.shapes import Resource, Upload, UploadRequest

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


# Parts that are declared, and if necessary hashed, together before the first of them is sent.
_WINDOW = 64


def send(api: Api, resource: Resource, path: Path, digests: Digests, meter: Meter) -> Resource:
    """Upload the file and return the ready resource. ClientError CONTENT_MISMATCH if the file's size has changed."""
    job = Job(api, resource, path, digests.size_bytes, meter, digests.of_parts)
    cut = parts.cut(resource.backend, digests.size_bytes)
    strikes = 0
    while True:
        body = job.send_parts_or_whole(cut) if cut else job.send_whole()
        try:
            return api.post(Resource, path_of("resources", resource.id, "complete"), body, repeatable=True)
        except ClientError as error:
            strikes += 1
            # Only the completion proves that the store has all parts.
            if "first_missing_part" not in error.details or strikes == store.STRIKES:
                raise
            meter.add(-digests.size_bytes)


@dataclass(frozen=True, slots=True)
class Job:
    """The upload of one file; `known` are hashes of parts by (offset, size)."""

    api: Api
    resource: Resource
    path: Path
    size_bytes: int
    meter: Meter
    known: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def send_parts_or_whole(self, cut: Sequence[Part]) -> dict[str, object]:
        """Upload the parts, or all bytes in one request if the store checks the hash of the whole only."""
        try:
            return {"part_hashes": self.send_parts(cut)}
        except ClientError as error:
            if error.details.get("one_request") is not True:
                raise
            return self.send_whole()

    def send_whole(self) -> dict[str, object]:
        for strike in range(store.STRIKES):
            requests = self._ask({})
            if not requests:
                break
            try:
                self.put(requests[0])
                break
            except ClientError as error:
                if not store.may_be_renewed(error) or strike + 1 == store.STRIKES:
                    raise
        return {}

    def send_parts(self, cut: Sequence[Part]) -> list[str]:
        """Upload the parts; return their SHA-256."""
        from concurrent.futures import ThreadPoolExecutor

        hashes: list[str] = []
        pool = ThreadPoolExecutor(store.CONNECTIONS, "deardiary-upload")
        try:
            for index in range(0, len(cut), _WINDOW):
                window = cut[index : index + _WINDOW]
                hashes += (found := list(pool.map(self._hash, window)))
                self._send_window(pool, window, found)
        finally:
            pool.shutdown(cancel_futures=True)
        return hashes

    def _send_window(self, pool: ThreadPoolExecutor, window: Sequence[Part], hashes: list[str]) -> None:
        """Send the missing parts; ask for new URLs, and send again, while the store refuses some."""
        asking = {"first_part": window[0].number, "part_hashes": hashes}
        missing = self._ask(asking)
        self.meter.add(sum(part.size_bytes for part in window) - sum(each.size_bytes for each in missing))
        strikes = 0
        while refused := [error for error in pool.map(self._try, missing) if error is not None]:
            left = self._ask(asking)
            strikes = strikes + 1 if len(left) >= len(missing) else 0
            if strikes == store.STRIKES:
                raise refused[0]
            missing = left

    def _try(self, request: UploadRequest) -> ClientError | None:
        """Send one part. Return the error if a new presigned URL may succeed, else None."""
        try:
            self.put(request)
        except ClientError as error:
            if not store.may_be_renewed(error):
                raise
            return error
        return None

    def put(self, signed: UploadRequest) -> None:
        """Send the bytes of one request. ClientError if the store refuses them."""
        if signed.offset < 0 or signed.size_bytes < 0 or signed.offset + signed.size_bytes > self.size_bytes:
            raise store.mismatch("the server asks for a part that the file does not have")
        body = _MeteredSlice(FileSlice(self.path, signed.offset, signed.size_bytes), self.meter)
        self._check_unchanged()
        response = self.api.transport.send(presigned.upload_request(self.api.url, signed, body))
        if not 200 <= response.status < 300:
            body.take_back()
        store.checked(response).close()

    def _ask(self, body: dict[str, object]) -> tuple[UploadRequest, ...]:
        path = path_of("resources", self.resource.id, "upload")
        return self.api.post(Upload, path, body, repeatable=True).requests

    def _hash(self, part: Part) -> str:
        known = self.known.get((part.offset, part.size_bytes))
        if known is not None:
            return known
        with closing(FileSlice(self.path, part.offset, part.size_bytes).open()) as stream:
            return size_and_sha256(stream)[1]

    def _check_unchanged(self) -> None:
        """Check the file's size: the upload of a file that has become shorter would hang."""
        found = self.path.stat().st_size
        if found != self.size_bytes:
            raise store.mismatch(f"{self.path} had {self.size_bytes} bytes, and has {found} now")


class _MeteredSlice:
    """A part of a file as a body that counts the bytes read; bytes read again after a failure count once."""

    def __init__(self, body: FileSlice, meter: Meter) -> None:
        self._body = body
        self._meter = meter
        self._counted = 0

    @property
    def size_bytes(self) -> int:
        return self._body.size_bytes

    def open(self) -> Readable:
        self.take_back()
        self._stream = self._body.open()
        return self

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._counted += len(data)
        self._meter.add(len(data))
        return data

    def close(self) -> None:
        self._stream.close()

    def take_back(self) -> None:
        self._meter.add(-self._counted)
        self._counted = 0
