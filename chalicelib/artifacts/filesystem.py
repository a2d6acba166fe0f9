"""Artifact bytes on a mounted disk, such as EFS: the app itself serves them, by signed URLs of its own.

Incomplete bytes have another file name, so that the file at a blob's path is always complete.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from chalicelib import config, deadline
from chalicelib.artifacts.base import BLOCK, Location, UploadGone
from chalicelib.artifacts.served import download_of, part_tickets, upload_of, whole_request
from chalicelib.errors import InvalidPayload, NotFound
from deardiary.wire.parts import Part, cut
from deardiary.wire.shapes import Download, Resource, Upload

_BYTES = "bytes"


class FilesystemStore:
    name = "filesystem"

    def uri(self, location: Location) -> str:
        return _path(location).as_uri()

    def upload(self, location: Location, size_bytes: int, content_type: str, site: str) -> Upload:
        if cut(self.name, size_bytes):
            raise InvalidPayload("So many bytes go in parts: declare part_hashes", field="part_hashes")
        return whole_request(self.name, location, size_bytes, site)

    def begin(self, location: Location, content_type: str) -> str:
        upload_id = secrets.token_hex(8)
        _folder(location, upload_id).mkdir(parents=True)
        return upload_id

    def upload_parts(self, location: Location, upload_id: str, parts: Sequence[Part], site: str) -> Upload:
        there = _arrived(location, upload_id)
        missing = [part for part in parts if _receipt(part) not in there]
        return upload_of(part_tickets(self.name, location, upload_id, missing), site)

    def join(self, location: Location, upload_id: str, parts: Sequence[Part]) -> None:
        there, folder = _arrived(location, upload_id), _folder(location, upload_id)
        absent = [part.number for part in parts if _receipt(part) not in there]
        if absent:
            message = f"{len(absent)} of {len(parts)} parts have not arrived as declared"
            raise InvalidPayload(message, field="part_hashes", first_missing_part=absent[0])
        _path(location).parent.mkdir(parents=True, exist_ok=True)
        deadline.check()
        try:
            # Each part is at its offset already.
            (folder / _BYTES).replace(_path(location))
        except FileNotFoundError:
            raise UploadGone from None
        self.abort(location, upload_id)

    def abort(self, location: Location, upload_id: str) -> None:
        folder = _folder(location, upload_id)
        shutil.rmtree(folder, ignore_errors=True)
        _remove_if_empty(folder.parent, folder.parent.parent)

    def verify(self, location: Location, size_bytes: int, parts: Sequence[Part]) -> None:
        """Check the size. The hash was checked on arrival, before the file was named."""
        found = self.size_of(location)
        if found is None:
            raise InvalidPayload("The bytes have not arrived", field="content_hash")
        if found != size_bytes:
            raise InvalidPayload(f"{found} bytes arrived, {size_bytes} declared", field="size_bytes")

    def size_of(self, location: Location) -> int | None:
        try:
            return _path(location).stat().st_size
        except FileNotFoundError:
            return None

    def download(self, location: Location, resource: Resource, site: str) -> Download:
        return download_of(self.name, location, resource, site)

    def receive(self, location: Location, data: bytes) -> None:
        self.write(location, len(data), [data])

    def receive_part(self, location: Location, upload_id: str, part: Part, data: bytes) -> None:
        """Write the bytes before their receipt: a part with a receipt is on the disk."""
        folder = _folder(location, upload_id)
        try:
            file = os.open(folder / _BYTES, os.O_WRONLY | os.O_CREAT, 0o600)
        except FileNotFoundError:
            raise UploadGone from None
        try:
            os.pwrite(file, data, part.offset)
            os.fsync(file)
        finally:
            os.close(file)
        with suppress(FileNotFoundError):
            (folder / _receipt(part)).touch()

    def piece(self, location: Location, offset: int, size_bytes: int) -> bytes:
        try:
            with _path(location).open("rb") as file:
                file.seek(offset)
                return file.read(size_bytes)
        except FileNotFoundError:
            raise NotFound from None

    def write(self, location: Location, size_bytes: int, blocks: Iterable[bytes]) -> None:
        target, digest = _path(location), hashlib.sha256()
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            with half.open("xb") as file:
                for block in blocks:
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != location.sha256:
                raise ValueError("The bytes do not have the SHA-256 of their location")
            deadline.check()
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)

    def blocks(self, location: Location) -> Iterator[bytes]:
        if self.size_of(location) is None:
            raise NotFound
        return _read(_path(location))

    def delete(self, location: Location) -> None:
        path = _path(location)
        deadline.check()
        path.unlink(missing_ok=True)
        _remove_if_empty(path.parent, path.parent.parent)


def _remove_if_empty(*folders: Path) -> None:
    """Remove the folders of a project with its last file."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _read(path: Path) -> Iterator[bytes]:
    """Yield the file in blocks. NotFound if it was removed before the first block is read."""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except FileNotFoundError:
        raise NotFound from None


def _path(location: Location) -> Path:
    root = config.settings().artifact_root
    if root is None:
        raise config.ConfigurationError("DEARDIARY_ARTIFACT_FS_ROOT is not set, and there are artifacts on that disk")
    return root / location.path


def _folder(location: Location, upload_id: str) -> Path:
    """The folder that collects the parts of an upload."""
    blob = _path(location)
    return blob.parent.parent / "uploads" / f"{blob.name}.{upload_id}"


def _arrived(location: Location, upload_id: str) -> set[str]:
    try:
        return set(os.listdir(_folder(location, upload_id)))  # noqa: PTH208 - only names are needed
    except FileNotFoundError:
        raise UploadGone from None


def _receipt(part: Part) -> str:
    """The name of the empty file that shows that the part has arrived with this hash."""
    return f"{part.number:05}.{part.sha256}"
