"""Resources: artifact bytes of an experiment, or of one of its iterations."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from deardiary import transfer
from deardiary.api import Api, path_of, present
from deardiary.shapes import Download, Resource, Upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike


class Resources:
    def __init__(self, api: Api) -> None:
        self._api = api

    def create(
        self,
        experiment_id: str,
        *,
        name: str,
        size_bytes: int,
        content_hash: str,
        description: str = "",
        iteration_id: str | None = None,
    ) -> Resource:
        """Announce bytes; the resource is "pending" until they are there, "ready" at once if the project has them.

        ``content_hash`` is lower-case sha256 hex. `upload` does this and all that follows.
        """
        body = present(
            name=name,
            size_bytes=size_bytes,
            content_hash=content_hash,
            description=description,
            iteration_id=iteration_id,
        )
        return self._api.post(Resource, path_of("experiments", experiment_id, "resources"), body)

    def upload(
        self,
        experiment_id: str,
        path: str | PathLike[str],
        name: str | None = None,
        *,
        iteration_id: str | None = None,
        description: str = "",
    ) -> Resource:
        """Store a file, named like the file unless ``name`` is given. The answer is "ready": checked and readable.

        The file is read twice, to hash it and to send it, and never held in memory. ClientError 422 when it changed
        in between; OSError when it cannot be read.
        """
        file = Path(path)
        size_bytes, content_hash = transfer.size_and_hash(file)
        resource = self.create(
            experiment_id,
            name=file.name if name is None else name,
            size_bytes=size_bytes,
            content_hash=content_hash,
            description=description,
            iteration_id=iteration_id,
        )
        return resource if resource.state == "ready" else self._send(resource, file)

    def download(self, resource_id: str, target: str | PathLike[str] = ".") -> Path:
        """Bring the bytes to a file, or into a directory under the resource's own name, and say where they are.

        A file of that name is replaced, and only when size and sha256 are right; ClientError CONTENT_MISMATCH if they
        are not.
        """
        path = Path(target)
        if path.is_dir():
            path /= _file_name(self.get(resource_id).name)
        source = self._api.get(Download, path_of("resources", resource_id, "download"))
        transfer.download(self._api.transport, source, path)
        return path

    def get(self, resource_id: str) -> Resource:
        return self._api.get(Resource, path_of("resources", resource_id))

    def list(self, experiment_id: str, *, iteration_id: str | None = None) -> Iterator[Resource]:
        """The resources of an experiment, or those of one of its iterations."""
        path = path_of("experiments", experiment_id, "resources")
        return self._api.pages(Resource, path, {"iteration_id": iteration_id})

    def update(self, resource_id: str, *, name: str | None = None, description: str | None = None) -> Resource:
        body = present(name=name, description=description)
        return self._api.patch(Resource, path_of("resources", resource_id), body)

    def delete(self, resource_id: str) -> None:
        """Delete a resource. Another one with the same bytes keeps them."""
        self._api.delete(path_of("resources", resource_id))

    def _send(self, resource: Resource, file: Path) -> Resource:
        left = self._api.post(Upload, path_of("resources", resource.id, "upload"), repeatable=True)
        for request in left.requests:
            transfer.upload(self._api.transport, request, file)
        return self._api.post(Resource, path_of("resources", resource.id, "complete"), repeatable=True)


def _file_name(name: str) -> str:
    """The last part of a resource's name: what somebody else has named must not choose the directory."""
    last = PurePosixPath(name.replace("\\", "/")).name
    if last in ("", ".."):
        raise ValueError(f"The resource's name {name!r} names no file: give the target's own name")
    return last
