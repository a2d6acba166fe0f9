"""Artifact bytes in the table itself: for a few small files, and a server without another store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from chalicelib.artifacts.base import Location, UploadGone
from chalicelib.artifacts.served import check, download_of, whole_request
from chalicelib.errors import InvalidPayload, NotFound
from chalicelib.storage import inline as storage
from deardiary.wire.parts import Part
from deardiary.wire.shapes import Download, Resource, Upload


class InlineStore:
    name = "inline"

    def uri(self, location: Location) -> str:
        return f"inline:{location.path}"

    def upload(self, location: Location, size_bytes: int, content_type: str, site: str) -> Upload:
        return whole_request(self.name, location, size_bytes, site)

    def begin(self, location: Location, content_type: str) -> str:
        """Refuse: no file here is large enough for parts."""
        raise InvalidPayload("Inline bytes go in one request", field="part_hashes")

    def upload_parts(self, location: Location, upload_id: str, parts: Sequence[Part], site: str) -> Upload:
        raise UploadGone

    def join(self, location: Location, upload_id: str, parts: Sequence[Part]) -> None:
        raise UploadGone

    def abort(self, location: Location, upload_id: str) -> None:
        """Do nothing: there are no parts."""

    def verify(self, location: Location, size_bytes: int, parts: Sequence[Part]) -> None:
        try:
            data = self._read(location)
        except NotFound:
            raise InvalidPayload("The bytes have not arrived", field="content_hash") from None
        check(data, size_bytes, location.sha256)

    def size_of(self, location: Location) -> int | None:
        try:
            return len(self._read(location))
        except NotFound:
            return None

    def download(self, location: Location, resource: Resource, site: str) -> Download:
        return download_of(self.name, location, resource, site)

    def receive(self, location: Location, data: bytes) -> None:
        storage.put_bytes(location.project_id, location.sha256, data)

    def receive_part(self, location: Location, upload_id: str, part: Part, data: bytes) -> None:
        raise UploadGone

    def piece(self, location: Location, offset: int, size_bytes: int) -> bytes:
        return self._read(location)[offset : offset + size_bytes]

    def write(self, location: Location, size_bytes: int, blocks: Iterable[bytes]) -> None:
        data = b"".join(blocks)
        if hashlib.sha256(data).hexdigest() != location.sha256:
            raise ValueError("The bytes do not have the SHA-256 of their location")
        self.receive(location, data)

    def blocks(self, location: Location) -> Iterator[bytes]:
        return iter([self._read(location)])

    def delete(self, location: Location) -> None:
        storage.delete_bytes(location.project_id, location.sha256)

    def _read(self, location: Location) -> bytes:
        found = list(storage.each_bytes(location.project_id, location.sha256))
        if not found:
            raise NotFound
        return b"".join(found)
