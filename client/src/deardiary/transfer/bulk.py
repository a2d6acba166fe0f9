"""Many small files, created and completed a hundred at a time: calls of the API for each cost more than the bytes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from deardiary.api import Api, path_of, present
from deardiary.errors import ClientError
from deardiary.files import size_and_sha256
from deardiary.transfer import store, upload
from deardiary.wire import limits
from deardiary.wire.shapes import BulkUpload, BulkUploads, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deardiary.transfer.progress import Meter

# Small files wait for answers more than for bytes.
THREADS = 8


class Declared(NamedTuple):
    """A file and its resource, which the ``id_key`` finds again."""

    path: Path
    name: str
    size_bytes: int
    content_hash: str
    id_key: str

    def body(self, fields: Mapping[str, str | None]) -> dict[str, object]:
        return present(
            name=self.name, size_bytes=self.size_bytes, content_hash=self.content_hash, id_key=self.id_key, **fields
        )


def declare(path: Path, name: str) -> Declared:
    with path.open("rb") as stream:
        return Declared(path, name, *size_and_sha256(stream), secrets.token_hex(16))


def send(
    api: Api, experiment_id: str, files: Sequence[Declared], fields: Mapping[str, str | None], meter: Meter
) -> list[Resource | None]:
    """Upload the files, with these fields of their resources; return the ready resource of each.

    None for a file that has to be uploaded by itself. ClientError if the server cannot be reached, or refuses all.
    """
    stored: list[Resource | None] = []
    for begin in range(0, len(files), limits.MAX_BULK_UPLOAD_ITEMS):
        stored += _send(api, experiment_id, files[begin : begin + limits.MAX_BULK_UPLOAD_ITEMS], fields, meter)
    return stored


def _send(
    api: Api, experiment_id: str, files: Sequence[Declared], fields: Mapping[str, str | None], meter: Meter
) -> list[Resource | None]:
    asked = path_of("experiments", experiment_id, "resources", "bulk")
    begun = api.post(BulkUploads, asked, {"resources": [each.body(fields) for each in files]}, repeatable=True).data
    if len(begun) != len(files):
        return [None] * len(files)
    arrived = store.in_threads(lambda each: _put(api, *each, meter), list(zip(files, begun, strict=True)), THREADS)
    ready = {each.id: each for each in arrived if each is not None and each.state == "ready"}
    waiting = [each.id for each in arrived if each is not None and each.id not in ready]
    ready |= _completed(api, experiment_id, waiting)
    return [None if each is None else ready.get(each.id) for each in arrived]


def _put(api: Api, file: Declared, begun: BulkUpload, meter: Meter) -> Resource | None:
    """Send the bytes that the store lacks. The resource, or None if it or its bytes are refused."""
    resource = begun.resource
    if resource is None:
        return None
    job = upload.Job(api, resource, file.path, file.size_bytes, meter)
    try:
        for request in begun.requests:
            job.put(request)
    except ClientError as error:
        if not error.status:
            raise
        return None
    if not begun.requests:
        meter.add(file.size_bytes)
    return resource


def _completed(api: Api, experiment_id: str, ids: Sequence[str]) -> dict[str, Resource]:
    if not ids:
        return {}
    path = path_of("experiments", experiment_id, "resources", "complete")
    done = api.post(BulkUploads, path, {"ids": ids}, repeatable=True).data
    return {each.resource.id: each.resource for each in done if each.resource is not None}
