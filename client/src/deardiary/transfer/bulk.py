"""Many small files, created and completed many at a time: calls of the API for each cost more than the bytes."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from deardiary.api import Api, path_of, present
from deardiary.errors import ClientError
from deardiary.files import size_and_sha256
from deardiary.transfer import store, upload
from deardiary.transfer.progress import Meter
from deardiary.wire import parts
from deardiary.wire.shapes import BulkUpload, BulkUploads, Resource

if TYPE_CHECKING:
    from concurrent.futures import Future


# Files for one call of the API. It begins with few: the first bytes must not wait for the hashes of many files.
_FEWEST, _MOST = 14, 84
# API Gateway answers 403 for a route that it does not have, our own server 404.
_NO_ROUTE = (403, 404, 405)


class File(NamedTuple):
    """A file, the name of its resource, and the key that finds this resource again."""

    name: str
    path: Path
    id_key: str


class _Declared(NamedTuple):
    file: File
    size_bytes: int
    content_hash: str

    def body(self, fields: Mapping[str, str | None]) -> dict[str, object]:
        return present(
            name=self.file.name,
            size_bytes=self.size_bytes,
            content_hash=self.content_hash,
            id_key=self.file.id_key,
            **fields,
        )


def files_of(found: Sequence[tuple[str, Path]]) -> list[File]:
    """These names and paths, with new keys."""
    return [File(name, path, secrets.token_hex(16)) for name, path in found]


def send_small(
    api: Api, experiment_id: str, files: Sequence[File], fields: Mapping[str, str | None], meter: Meter
) -> dict[str, Resource]:
    """Upload the small ones of these files, with these fields of their resources; return the ready ones by name.

    The others have to be uploaded one by one. ClientError if the server cannot be reached, or refuses all.
    """
    small = [each for each in files if each.path.stat().st_size <= parts.LEAST_IN_PARTS]
    if len(small) < 2:
        return {}
    try:
        return _send(api, experiment_id, small, fields, meter)
    except ClientError as error:
        # An older server has no such route. Any other refusal comes again.
        if error.status in _NO_ROUTE:
            return {}
        raise


def _send(
    api: Api, experiment_id: str, files: Sequence[File], fields: Mapping[str, str | None], meter: Meter
) -> dict[str, Resource]:
    from concurrent.futures import ThreadPoolExecutor

    pool, completer = ThreadPoolExecutor(store.CONNECTIONS, "deardiary-files"), ThreadPoolExecutor(1)
    ready: dict[str, Resource] = {}
    completed: deque[Future[dict[str, Resource]]] = deque()
    try:
        for batch in _batches(files):
            declared = store.in_threads(_declare, batch)
            # The links expire: ask for those of two batches at most. An error ends the upload here, not at its end.
            while len(completed) > 1:
                ready |= completed.popleft().result()
            begun = _begin(api, experiment_id, declared, fields)
            uploads = [pool.submit(_put, api, *each, meter) for each in zip(declared, begun, strict=True)]
            # The API completes these files while it begins the next.
            completed.append(completer.submit(_complete, api, experiment_id, declared, uploads))
        for each in completed:
            ready |= each.result()
        return ready
    finally:
        pool.shutdown(cancel_futures=True)
        completer.shutdown(cancel_futures=True)


def _batches(files: Sequence[File]) -> Iterator[Sequence[File]]:
    size = _FEWEST
    while files:
        yield files[:size]
        files, size = files[size:], min(3 * size, _MOST)


def _declare(file: File) -> _Declared:
    with file.path.open("rb") as stream:
        return _Declared(file, *size_and_sha256(stream))


def _begin(
    api: Api, experiment_id: str, files: Sequence[_Declared], fields: Mapping[str, str | None]
) -> Sequence[BulkUpload]:
    """The begun upload of each file, without a resource for one that is refused."""
    path = path_of("experiments", experiment_id, "resources", "bulk")
    begun = api.post(BulkUploads, path, {"resources": [each.body(fields) for each in files]}, repeatable=True).data
    return begun if len(begun) == len(files) else [BulkUpload()] * len(files)


def _complete(
    api: Api, experiment_id: str, files: Sequence[_Declared], uploads: Sequence[Future[Resource | None]]
) -> dict[str, Resource]:
    """Wait for the bytes of these files, and complete their uploads; return the ready resources by name."""
    arrived = [each.result() for each in uploads]
    waiting = [each.id for each in arrived if each is not None and each.state != "ready"]
    ready = {each.id: each for each in arrived if each is not None and each.state == "ready"}
    ready |= _completed(api, experiment_id, waiting)
    return {
        declared.file.name: ready[each.id]
        for declared, each in zip(files, arrived, strict=True)
        if each is not None and each.id in ready
    }


def _put(api: Api, declared: _Declared, begun: BulkUpload, meter: Meter) -> Resource | None:
    """Send the bytes that the store lacks. The resource, or None if it or its bytes are refused."""
    resource = begun.resource
    if resource is None:
        return None
    job = upload.Job(api, resource, declared.file.path, declared.size_bytes, meter)
    try:
        for request in begun.requests:
            job.put(request)
    except ClientError as error:
        if not error.status:
            raise
        return None
    if not begun.requests:
        meter.add(declared.size_bytes)
    return resource


def _completed(api: Api, experiment_id: str, ids: Sequence[str]) -> dict[str, Resource]:
    if not ids:
        return {}
    path = path_of("experiments", experiment_id, "resources", "complete")
    done = api.post(BulkUploads, path, {"ids": ids}, repeatable=True).data
    return {each.resource.id: each.resource for each in done if each.resource is not None}
