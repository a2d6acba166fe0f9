"""Snapshots: a row in the partition of the iteration's row that names the blobs with its texts.

The row owns one share in each blob that it names, and one transaction changes row and shares. A share is announced
(`coming`) before its bytes are stored, and its text enters `texts` after them. Bytes are removed after their share
(`leaving`). So a process that dies in between leaves a row that names the remaining work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute

from chalicelib.errors import Conflict
from chalicelib.storage import blob
from chalicelib.storage import iteration as iterations
from chalicelib.storage.blob import Blob
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Iteration


class SnapshotRow(Item, discriminator="snapshot"):
    version = NumberAttribute()
    texts = JSONAttribute()
    coming = JSONAttribute()
    leaving = JSONAttribute()
    # True: the iteration got its snapshot after its end.
    late = BooleanAttribute(null=True)


class Text(NamedTuple):
    """The blob and the store of a text, and its size as JSON in an answer."""

    sha256: str
    backend: str
    wire_bytes: int


class Texts(NamedTuple):
    """The row in memory. `version` is that of the stored row, 0 without one.

    `texts`: by name. `coming`: the time of each announcement, in ms since 1970, by SHA-256. `leaving`: SHA-256s.
    `late`: the iteration got its snapshot after its end.
    """

    version: int = 0
    texts: Mapping[str, Text] = MappingProxyType({})
    coming: Mapping[str, int] = MappingProxyType({})
    leaving: tuple[str, ...] = ()
    late: bool = False

    @property
    def owned(self) -> frozenset[str]:
        """The blobs in which the row has a share."""
        return frozenset(text.sha256 for text in self.texts.values()) | frozenset(self.coming)


def read_texts(experiment_id: str, iteration_id: str) -> Texts:
    row = item.find(SnapshotRow, keys.snapshot(experiment_id, iteration_id))
    if row is None:
        return Texts()
    texts = {name: Text(*each) for name, each in row.texts.items()}
    return Texts(int(row.version), texts, row.coming, tuple(row.leaving), bool(row.late))


def write_texts(
    project_id: str,
    iteration: Iteration,
    before: Texts,
    after: Texts,
    joined: Mapping[str, Blob],
    environment: Mapping[str, str | bool],
) -> Texts:
    """Write the row and the iteration's environment in one transaction, and return the row as stored.

    `joined`: the blobs, as seen, in which `after` has a new share. Conflict if the row has changed since `before`,
    InvalidPayload if the iteration has ended since it was read, Unavailable if a blob has changed.
    """
    write = Transaction()
    iterations.set_environment(iteration, environment, write)
    for sha256 in after.owned - before.owned:
        blob.add_owner(project_id, joined[sha256], seen=joined[sha256], write=write)
    stored = (
        before if after == before else _put(project_id, iteration.experiment_id, iteration.id, before, after, write)
    )
    write.commit()
    return stored


def each_snapshot(experiment_id: str) -> Iterator[str]:
    """The ids of the iterations that have a snapshot."""
    prefix = keys.snapshot(experiment_id, "").sk
    found = item.raw_keys(keys.experiment_partition(experiment_id), prefix)
    return (key.sk.removeprefix(prefix) for key in found)


def move_texts(
    project_id: str, experiment_id: str, iteration_id: str, before: Texts, moved: Mapping[str, Blob]
) -> None:
    """Write the new stores of the texts; `moved`: the blobs by their hashes.

    Conflict if the row has changed since `before`, NotFound if a move has ended.
    """
    write = Transaction()
    texts = {
        name: text._replace(backend=moved[text.sha256].backend) if text.sha256 in moved else text
        for name, text in before.texts.items()
    }
    for sha256 in {text.sha256 for text in texts.values()} & moved.keys():
        blob.check_moved(project_id, moved[sha256], write)
    _put(project_id, experiment_id, iteration_id, before, before._replace(texts=texts), write)
    write.commit()


def empty_texts(project_id: str, experiment_id: str, iteration_id: str, before: Texts) -> Texts:
    """Remove all shares of an iteration that is being deleted. Conflict if the row has changed since `before`."""
    write = Transaction()
    after = Texts(before.version, leaving=tuple(sorted({*before.owned, *before.leaving})))
    stored = _put(project_id, experiment_id, iteration_id, before, after, write)
    write.commit()
    return stored


def remove_snapshot(experiment_id: str, iteration_id: str) -> None:
    item.delete_items([keys.snapshot(experiment_id, iteration_id)])


def _put(
    project_id: str, experiment_id: str, iteration_id: str, before: Texts, after: Texts, write: Transaction
) -> Texts:
    for sha256 in before.owned - after.owned:
        blob.remove_owner(project_id, sha256, write)
    row = SnapshotRow(
        *keys.snapshot(experiment_id, iteration_id),
        version=before.version + 1,
        texts={name: [text.sha256, text.backend, text.wire_bytes] for name, text in after.texts.items()},
        coming=dict(after.coming),
        leaving=list(after.leaving),
        late=after.late or None,
    )
    unchanged = SnapshotRow.version == before.version if before.version else None
    write.put(row, Conflict, unchanged)
    return after._replace(version=before.version + 1)
