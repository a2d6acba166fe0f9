"""Files: the resources of an iteration or of a logged model, by their paths.

Each resource whose bytes are stored has a row here, so that one Query lists the files of an owner with their sizes.
Several resources may have one path: the newest of them is the file. An upload by a plain URL also has a row, because
its client never says when the bytes have arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.errors import NotFound
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Resource

# The name of a resource of a logged model. Such a resource has no iteration.
_OF_MODEL = re.compile(r"models/(m-[0-9a-z]+)/(.+)", re.DOTALL)


class FileRow(Item, discriminator="file"):
    path = UnicodeAttribute()
    resource_id = UnicodeAttribute(null=True)
    size_bytes = NumberAttribute(null=True)
    # Names an upload whose bytes may have arrived; such a row has no resource.
    token = UnicodeAttribute(null=True)


class Owner(NamedTuple):
    """An iteration or a logged model of an experiment: the root of a tree of files."""

    experiment_id: str
    id: str
    iteration_id: str | None

    def name_of(self, path: str) -> str:
        """The name of the resource with this path."""
        return path if self.iteration_id else f"models/{self.id}/{path}"


class File(NamedTuple):
    """A file with bytes, or with a `token` an upload that may have arrived."""

    path: str
    resource_id: str | None
    size_bytes: int
    token: str | None = None


def of_iteration(experiment_id: str, iteration_id: str) -> Owner:
    return Owner(experiment_id, iteration_id, iteration_id)


def of_model(experiment_id: str, logged_model_id: str) -> Owner:
    return Owner(experiment_id, logged_model_id, None)


def put_file(resource: Resource, write: Transaction) -> None:
    """Make a resource whose bytes are stored the file at its path, if it has an owner."""
    where = _where(resource)
    if where is not None:
        owner, path = where
        row = FileRow(*_key(owner, path, resource.id), path=path, resource_id=resource.id)
        row.size_bytes = resource.size_bytes
        write.replace(row)


def remove_file(resource: Resource, write: Transaction) -> None:
    """Remove the row of the resource, if it has one."""
    where = _where(resource)
    if where is not None:
        write.delete(FileRow(*_key(*where, resource.id)), None, NotFound)


def put_arriving(owner: Owner, path: str, token: str, write: Transaction) -> None:
    """Show that the bytes of an upload to this path may have arrived. The token ends with the upload's id."""
    write.replace(FileRow(*_arriving(owner, path, token), path=path, token=token))


def remove_arriving(owner: Owner, path: str, token: str) -> None:
    item.delete_items([_arriving(owner, path, token)])


def each_file(owner: Owner, path: str | None = None) -> Iterator[File]:
    """The files of the owner, or all versions of the one at `path`; those of one path from the oldest to the newest."""
    prefix = keys.files_prefix(owner.id)
    sort_key = prefix if path is None else keys.versions_of_file_prefix(owner.id, path)
    for row in item.query(FileRow, keys.experiment_partition(owner.experiment_id), sort_key):
        yield shape_of(row, File, size_bytes=int(row.size_bytes or 0))


def path_below(owner: Owner, resource: Resource) -> str | None:
    """The path of the resource below this owner; None if it is not below it."""
    where = _where(resource)
    return where[1] if where is not None and where[0] == owner else None


def _where(resource: Resource) -> tuple[Owner, str] | None:
    if resource.iteration_id is not None:
        return of_iteration(resource.experiment_id, resource.iteration_id), resource.name
    found = _OF_MODEL.fullmatch(resource.name)
    return None if found is None else (of_model(resource.experiment_id, found[1]), found[2])


def _key(owner: Owner, path: str, version_id: str) -> Key:
    return keys.file(owner.experiment_id, owner.id, path, version_id)


def _arriving(owner: Owner, path: str, token: str) -> Key:
    return _key(owner, path, token.rpartition(".")[2])
