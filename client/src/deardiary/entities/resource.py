"""Resources: artifact bytes of an experiment, or of one of its iterations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from deardiary.api import Calls, path_of, present
from deardiary.files import sha256_of
from deardiary.transfer import paths, store
from deardiary.transfer.digests import digests_of
from deardiary.transfer.progress import Meter, Progress
from deardiary.wire import parts
from deardiary.wire.shapes import Download, Iteration, Resource

if TYPE_CHECKING:
    from deardiary.transfer.bulk import File


class Resources(Calls):
    """Resources. A ``progress`` argument is called with the bytes done and the total, by one thread at a time."""

    def create(
        self,
        experiment_id: str,
        *,
        name: str,
        size_bytes: int,
        content_hash: str,
        description: str = "",
        iteration_id: str | None = None,
        content_type: str | None = None,
        id_key: str | None = None,
        created_date: datetime | None = None,
    ) -> Resource:
        """Create a resource, "pending" until its bytes are uploaded; "ready" at once if the project has the bytes.

        ``content_hash`` is SHA-256 in lower-case hex. If the experiment has a resource with this ``id_key``, return
        that one; CONFLICT if it has other bytes. Without ``content_type`` it is ``application/octet-stream``. Give
        ``created_date`` if it is a copy of an earlier one. `upload` calls this and sends the bytes.
        """
        body = present(
            name=name,
            size_bytes=size_bytes,
            content_hash=content_hash,
            description=description,
            iteration_id=iteration_id,
            content_type=content_type,
            id_key=id_key,
            created_date=created_date,
        )
        path = path_of("experiments", experiment_id, "resources")
        return self._api.post(Resource, path, body, repeatable=id_key is not None)

    def upload(
        self,
        experiment_id: str,
        path: str | PathLike[str],
        name: str | None = None,
        *,
        iteration_id: str | None = None,
        description: str = "",
        content_type: str | None = None,
        id_key: str | None = None,
        progress: Progress | None = None,
    ) -> Resource:
        """Store a file, under its own name unless ``name`` is given. The answer is "ready": checked and readable.

        Bytes that the project has are not sent again. An interrupted upload of a large file resumes where it ended. A
        resource stored under the same ``id_key`` is not stored again. The file is read twice and never held
        in memory. ClientError if it changes meanwhile; OSError if it cannot be read; ValueError for a name like
        ``../x``, which no download would write.
        """
        file = Path(path)
        digests = digests_of(file)
        size_bytes, content_hash = digests.size_bytes, digests.sha256
        name = paths.checked_name(file.name if name is None else name)
        resource = self._find_begun(experiment_id, iteration_id, name, size_bytes, content_hash) or self.create(
            experiment_id,
            name=name,
            size_bytes=size_bytes,
            content_hash=content_hash,
            description=description,
            iteration_id=iteration_id,
            content_type=content_type,
            id_key=id_key or secrets.token_hex(16),
        )
        meter = Meter(size_bytes, progress)
        if resource.state == "ready":
            meter.add(size_bytes)
            return resource
        from deardiary.transfer import upload as uploading

        return uploading.send(self._api, resource, file, digests, meter)

    def upload_folder(
        self,
        experiment_id: str,
        folder: str | PathLike[str],
        name: str | None = None,
        *,
        iteration_id: str | None = None,
        description: str = "",
        progress: Progress | None = None,
    ) -> Sequence[Resource]:
        """Store every file below a folder, named by its path from there, below ``name`` if given.

        NotADirectoryError if it is not a folder. ValueError, before any upload, for an empty path or a path that cannot
        be a resource's name. Files stored before a failure remain.
        """
        if not os.fspath(folder):
            raise ValueError("The path of the folder is empty; '.' is the working directory")
        found = paths.files_in(_directory(Path(folder)), name or "")
        meter = Meter(sum(path.stat().st_size for _, path in found), progress)

        from deardiary.transfer import bulk

        files = bulk.files_of(found)
        stored = self.upload_small(
            experiment_id, files, iteration_id=iteration_id, description=description, progress=_steps_of(meter)
        )

        def send(each: File) -> Resource:
            return stored.get(each.name) or self.upload(
                experiment_id,
                each.path,
                each.name,
                iteration_id=iteration_id,
                description=description,
                id_key=each.id_key,
                progress=_steps_of(meter),
            )

        return store.in_threads(send, files)

    def upload_small(
        self,
        experiment_id: str,
        files: Sequence[File],
        *,
        iteration_id: str | None = None,
        description: str = "",
        progress: Progress | None = None,
    ) -> Mapping[str, Resource]:
        """Store the small ones of these files, many in each call; return the "ready" resources by name.

        `upload_folder` calls this, and stores the others by `upload`, each under its own ``id_key``.
        """
        from deardiary.transfer import bulk

        fields = {"iteration_id": iteration_id, "description": description}
        meter = Meter(sum(each.path.stat().st_size for each in files), progress)
        return bulk.send_small(self._api, experiment_id, files, fields, meter)

    def download(
        self,
        resource_id: str,
        target: str | PathLike[str] = ".",
        *,
        progress: Progress | None = None,
        overwrite: bool = True,
    ) -> Path:
        """Download into a file, or into a directory under the resource's own name; return the file's path.

        An existing file is replaced, but only after size and SHA-256 are checked; ClientError CONTENT_MISMATCH if they
        differ. Without ``overwrite``, keep an existing file with these bytes; FileExistsError for one with others. An
        interrupted download is resumed.
        """
        path = Path(target)
        if path.is_dir() or not overwrite:
            resource = self.get(resource_id)
            path = path / _file_name(resource.name) if path.is_dir() else path
            if not overwrite and _is_there(path, resource):
                Meter(resource.size_bytes, progress).add(resource.size_bytes)
                return path
        self._fetch(resource_id, path, lambda size_bytes: Meter(size_bytes, progress))
        return path

    def download_all(
        self,
        experiment_id: str,
        folder: str | PathLike[str] = ".",
        *,
        iteration_id: str | None = None,
        progress: Progress | None = None,
        overwrite: bool = True,
    ) -> Sequence[Path]:
        """Download all resources of an experiment, or of one of its iterations, into a folder, as the original tree.

        For an experiment, the resources of an iteration go into a folder named by the iteration's id. Of several
        resources of one name, take the latest. Files that exist with the right bytes are not downloaded again. Before
        any file is written: ValueError for a name that leads out of the folder, and without ``overwrite``
        FileExistsError for a file with other bytes.
        """
        listed = self.list(experiment_id, iteration_id=iteration_id)
        ready = [each for each in listed if each.state == "ready"]
        root = Path(folder)
        latest = {_path_in_tree(each, root, iteration_id): each for each in ready}
        targets = list(latest.items())
        if not overwrite:
            for path, each in targets:
                _is_there(path, each)
        meter = Meter(sum(each.size_bytes for each in latest.values()), progress)
        root.mkdir(parents=True, exist_ok=True)

        def bring(each: tuple[Path, Resource]) -> Path:
            paths.create_folders(root, each[0])
            if _has(each[0], each[1]):
                meter.add(each[1].size_bytes)
            else:
                self._fetch(each[1].id, each[0], lambda _: meter)
            return each[0]

        return store.in_threads(bring, targets)

    def get(self, resource_id: str) -> Resource:
        return self._api.get(Resource, path_of("resources", resource_id))

    def list(self, experiment_id: str, *, iteration_id: str | None = None) -> Iterator[Resource]:
        """List the resources of an experiment, or those of one of its iterations."""
        path = path_of("experiments", experiment_id, "resources")
        return self._api.pages(Resource, path, {"iteration_id": iteration_id})

    def uses(self, resource_id: str) -> Iterator[Iteration]:
        """List the iterations that have read the resource, oldest first."""
        return self._api.pages(Iteration, path_of("resources", resource_id, "uses"))

    def update(self, resource_id: str, *, name: str | None = None, description: str | None = None) -> Resource:
        body = present(name=name, description=description)
        return self._api.patch(Resource, path_of("resources", resource_id), body)

    def delete(self, resource_id: str, *, purge: bool = False) -> int:
        """Delete a resource; return the bytes that this freed.

        ``client.trash`` restores it for seven days, unless ``purge`` removes it for good. No bytes are freed before
        that, nor while another resource has the same bytes.
        """
        headers = self._api.delete(path_of("resources", resource_id), purge=purge)
        freed = headers.get("x-freed-bytes", "")
        return int(freed) if freed.isdecimal() else 0

    def _fetch(self, resource_id: str, target: Path, meter_of: Callable[[int], Meter]) -> None:
        from deardiary.transfer import download as downloading

        def sign() -> Download:
            return self._api.get(Download, path_of("resources", resource_id, "download"))

        downloading.fetch(self._api.url, self._api.transport, sign, target, meter_of)

    def _find_begun(
        self, experiment_id: str, iteration_id: str | None, name: str, size_bytes: int, content_hash: str
    ) -> Resource | None:
        """Return the pending resource of an interrupted upload of these bytes. Skip the request for small files."""
        if size_bytes <= parts.LEAST_IN_PARTS:
            return None
        wanted = (name, size_bytes, content_hash, iteration_id, "pending")
        for each in self.list(experiment_id, iteration_id=iteration_id):
            if (each.name, each.size_bytes, each.content_hash, each.iteration_id, each.state) == wanted:
                return each
        return None


def _steps_of(meter: Meter) -> Progress:
    """Return a progress callback that adds one file's progress to the meter of all files."""
    before = 0

    def add(done: int, _total: int) -> None:
        nonlocal before
        step, before = done - before, done
        meter.add(step)

    return add


def _path_in_tree(resource: Resource, root: Path, iteration_id: str | None) -> Path:
    """Return the file's path; give each iteration a folder, as iterations may have files of the same name."""
    owner = resource.iteration_id
    return paths.path_of(resource.name, root if owner in (None, iteration_id) else paths.path_of(str(owner), root))


def _has(path: Path, resource: Resource) -> bool:
    """True if the file exists with these bytes, else False. False for a symbolic link, so that it is replaced."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != resource.size_bytes:
        return False
    return sha256_of(path) == resource.content_hash


def _is_there(path: Path, resource: Resource) -> bool:
    """Whether the file is there with these bytes. FileExistsError if something else is there."""
    has = _has(path, resource)
    if not has and (path.exists() or path.is_symlink()):
        raise FileExistsError(f"{path} is there already, with other content than the resource {resource.name!r}")
    return has


def _directory(path: Path) -> Path:
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    return path


def _file_name(name: str) -> str:
    """Return the last part of a resource's name: another user's name must not choose the directory."""
    last = PurePosixPath(name.replace("\\", "/")).name
    if last in ("", "..") or paths.has_drive(last):
        raise ValueError(f"The resource's name {name!r} names no file: give the target's own name")
    return last
