"""Files: the resources of an iteration or of a logged model, as a tree of paths.

A file is stored at its path and replaces an earlier one there. Its resource is like any other: readers of resources
see it too, and resources that were uploaded otherwise are files here, under their names.
"""

from __future__ import annotations

import hashlib
import mimetypes
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from chalicelib import artifacts, config
from chalicelib.artifacts import Location
from chalicelib.errors import InvalidPayload, NotFound, PayloadTooLarge, not_found
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.blobs import staging
from chalicelib.services.blobs.served import MAX_PIECE
from chalicelib.services.blobs.staging import NewFile
from chalicelib.services.resource import remove_resource
from chalicelib.storage import blob as blobs
from chalicelib.storage import file as storage
from chalicelib.storage import resource as resources
from chalicelib.storage.file import File, Owner
from deardiary.wire import limits
from deardiary.wire.parts import CUTS
from deardiary.wire.shapes import Download, Experiment, Resource

_TEXTS = {".cfg", ".conf", ".ini", ".log", ".md", ".rst", ".toml", ".yaml", ".yml"}
_MAX_ENCODINGS = 10
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below an iteration or a logged model. Without `is_complete`, older resources have no file rows."""

    project_id: str
    experiment: Experiment
    owner: Owner
    is_complete: bool


class Entry(NamedTuple):
    """A file with its size, or a folder."""

    name: str
    size_bytes: int | None

    @property
    def is_folder(self) -> bool:
        return self.size_bytes is None


class Signed(NamedTuple):
    """An upload in parts, as its client names it, and the URLs of its parts in their order."""

    token: str
    urls: list[str]


def tree_of_iteration(actor: Actor, iteration_id: str, need: Need) -> Tree:
    found = access.iteration(actor, iteration_id, need)
    owner = storage.of_iteration(found.experiment.id, iteration_id)
    return Tree(found.project.id, found.experiment, owner, found.marks.has_files)


def tree_of_model(actor: Actor, experiment_id: str, logged_model_id: str, need: Need) -> Tree:
    """NotFound unless the logged model is in this experiment."""
    found = access.loggedmodel(actor, logged_model_id, need)
    if found.experiment.id != experiment_id:
        raise not_found("loggedmodel", logged_model_id)
    return Tree(found.project.id, found.experiment, storage.of_model(experiment_id, logged_model_id), is_complete=True)


def list_folder(tree: Tree, folder: str) -> list[Entry]:
    """The entries of a folder, sorted; none for a path that is a file or does not exist. "" is the root."""
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, Entry] = {}
    for path, file in _newest(tree).items():
        if path.startswith(prefix):
            name, _, below = path[len(prefix) :].partition("/")
            # A folder hides a file of the same name, which its path still finds.
            if below or name not in entries:
                entries[name] = Entry(name, None if below else file.size_bytes)
    return sorted(entries.values())


def find_file(tree: Tree, path: str) -> Resource:
    """The newest resource at the path. NotFound without one."""
    for file in reversed(_sorted(_versions(tree, path))):
        found = _settled(tree, file)
        resource = None if found is None else resources.find_resource(tree.experiment.id, str(found.resource_id))
        if resource is not None:
            return resource
    raise NotFound("There is no file at this path", kind="file", id=path)


def request_download(tree: Tree, path: str, site: str) -> Download:
    """Sign a download of the file. `site` is this server's URL as the client reaches it."""
    return sign_download(tree, find_file(tree, path), site)


def sign_download(tree: Tree, resource: Resource, site: str) -> Download:
    location = Location(tree.project_id, blobs.id_of(resource))
    return artifacts.store(resource.backend).download(location, resource, site)


def takes_signed_uploads() -> bool:
    """True if clients send bytes to URLs of the store, else through this server."""
    return artifacts.staging_store(config.settings().artifact_backend) is not None


def is_read_in_one_piece(resource: Resource) -> bool:
    """False if the bytes pass through this server, and are too many for one answer."""
    return artifacts.staging_store(resource.backend) is not None or resource.size_bytes <= MAX_PIECE


def put_file(actor: Actor, tree: Tree, path: str, data: bytes) -> Resource:
    """Store these bytes at the path. PayloadTooLarge for more than the backend takes in one request."""
    backend = config.settings().artifact_backend
    if len(data) > CUTS[backend].alone:
        raise PayloadTooLarge(f"A file has at most {CUTS[backend].alone} bytes in {backend}")
    sha256 = hashlib.sha256(data).hexdigest()
    new = _new(actor, tree, path)
    with suppress(NotFound):
        there = find_file(tree, path)
        if there.content_hash == sha256:
            return there
        _require_overwrite(actor, tree)

    def fill(backend: str, location: Location) -> None:
        artifacts.store(backend).write(location, len(data), [data])

    return staging.store_file(new, len(data), sha256, fill)


def request_put(actor: Actor, tree: Tree, path: str) -> str:
    """A URL to which a client puts all bytes of the file. NotSupported by backends behind this server."""
    _check_overwrite(actor, tree, path)
    return staging.begin_put(_new(actor, tree, path))


def begin_parts(actor: Actor, tree: Tree, path: str, number: int) -> Signed:
    """Begin an upload of the file in parts. NotSupported by backends behind this server."""
    if not 1 <= number <= limits.MAX_PARTS:
        raise InvalidPayload(f"An upload has 1 to {limits.MAX_PARTS} parts", field="num_parts")
    _check_overwrite(actor, tree, path)
    staged, urls = staging.begin_parts(_new(actor, tree, path), number)
    return Signed(staged.token, urls)


def complete_parts(tree: Tree, path: str, token: str, etags: Mapping[int, str]) -> Resource:
    """Join the parts, by their ETags, to the file. The same again changes nothing."""
    return staging.complete(tree.experiment, tree.owner, path, token, etags)


def abort_parts(tree: Tree, path: str, token: str) -> None:
    staging.abort(tree.owner, path, token)


def delete_files(tree: Tree, path: str) -> None:
    """Remove the file at the path and all files below it, for good; "" removes all. Nothing there is no error."""
    for file in list(_files(tree)):
        if not path or file.path == path or file.path.startswith(f"{path}/"):
            found = None if file.resource_id is None else resources.find_resource(tree.experiment.id, file.resource_id)
            if found is not None:
                with suppress(NotFound):
                    remove_resource(tree.project_id, found)
            elif file.token is not None:
                staging.abort(tree.owner, file.path, file.token)
                storage.remove_arriving(tree.owner, file.path, file.token)


def check_safe(path: str) -> None:
    """InvalidPayload if the path leads out of its tree, even after it is decoded once more."""
    if path and not _is_safe(path):
        raise InvalidPayload("Invalid path", field="path")


def _check_name(path: str) -> str:
    """The path. InvalidPayload if it cannot be the name of a resource."""
    if not _is_safe(path):
        raise InvalidPayload("Invalid path", field="path")
    if len(path) > limits.MAX_NAME_CHARACTERS:
        raise InvalidPayload(f"A path has at most {limits.MAX_NAME_CHARACTERS} characters", field="path")
    return path


def _is_safe(path: str) -> bool:
    for _ in range(_MAX_ENCODINGS):
        if "\\" in path or any(part in {"", ".", ".."} or not part.isprintable() for part in path.split("/")):
            return False
        path, before = unquote(path), path
        if path == before:
            return True
    return False


def _new(actor: Actor, tree: Tree, path: str) -> NewFile:
    content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if posixpath.splitext(path)[1].lower() in _TEXTS or posixpath.basename(path) == "MLmodel":
        content_type = "text/plain"
    return NewFile(tree.experiment, tree.owner, _check_name(path), content_type, actor.user.id)


def _check_overwrite(actor: Actor, tree: Tree, path: str) -> None:
    if any(True for _ in _versions(tree, path)):
        _require_overwrite(actor, tree)


def _require_overwrite(actor: Actor, tree: Tree) -> None:
    """Require the permission to update: a new file at this path removes what another user may have stored."""
    access.project(actor, tree.project_id, Need.UPDATE)


def _newest(tree: Tree) -> dict[str, File]:
    """The newest file of each path that a client can ask for."""
    newest = {}
    for file in _sorted(_files(tree)):
        found = _settled(tree, file) if _is_safe(file.path) else None
        if found is not None:
            newest[found.path] = found
    return newest


def _settled(tree: Tree, file: File) -> File | None:
    """The file; None while its bytes have not arrived."""
    if file.token is None:
        return file
    resource = staging.settle(tree.experiment, tree.owner, file.path, file.token)
    return None if resource is None else _file(file.path, resource)


def _versions(tree: Tree, path: str) -> Iterator[File]:
    yield from storage.each_file(tree.owner, path)
    yield from (each for each in _older(tree) if each.path == path)


def _files(tree: Tree) -> Iterator[File]:
    yield from storage.each_file(tree.owner)
    yield from _older(tree)


def _older(tree: Tree) -> Iterator[File]:
    """The files of an iteration whose resources may have no rows by path: an older server created it."""
    iteration_id = tree.owner.iteration_id
    if tree.is_complete or iteration_id is None:
        return
    page, cursor = None, None
    while page is None or cursor is not None:
        page = resources.list_resources_of_iteration(tree.experiment, iteration_id, _PAGE, cursor)
        yield from (_file(each.name, each) for each in page.data if each.state == resources.READY)
        cursor = page.next_cursor


def _file(path: str, resource: Resource) -> File:
    return File(path, resource.id, resource.size_bytes)


def _sorted(found: Iterator[File]) -> list[File]:
    """From the oldest to the newest: ids are in the order of their creation, and a token ends with one."""
    return sorted(found, key=lambda file: file.resource_id or str(file.token).rpartition(".")[2])
