"""Snapshots: a row beside the iteration's own that says which blobs of the project hold its texts.

The row owns a share in each blob that it names, once, and the shares change only together with the row. Bytes come
after their share has been announced (`coming`) and before a text is one of `texts`; those of a share that was given up
(`leaving`) go after it. So whoever dies in between leaves a row that says what is still to be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pynamodb.attributes import JSONAttribute, NumberAttribute

from chalicelib.errors import Conflict
from chalicelib.storage import blob, iteration
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


class Text(NamedTuple):
    """Where a text is, and how many bytes of an answer it takes as JSON."""

    sha256: str
    backend: str
    wire_bytes: int


class Texts(NamedTuple):
    """The row in memory. `version` says which state of it this was; 0 is no row.

    `texts` by name; `coming` with the time of the announcement in milliseconds since 1970; both by their shares.
    """

    version: int = 0
    texts: Mapping[str, Text] = MappingProxyType({})
    coming: Mapping[str, int] = MappingProxyType({})
    leaving: tuple[str, ...] = ()

    @property
    def owned(self) -> frozenset[str]:
        """The blobs in which the row has a share."""
        return frozenset(text.sha256 for text in self.texts.values()) | frozenset(self.coming)


def read_texts(experiment_id: str, iteration_id: str) -> Texts:
    row = item.find(SnapshotRow, keys.snapshot(experiment_id, iteration_id))
    if row is None:
        return Texts()
    texts = {name: Text(*each) for name, each in row.texts.items()}
    return Texts(int(row.version), texts, row.coming, tuple(row.leaving))


def write_texts(
    project_id: str,
    where: Iteration,
    before: Texts,
    after: Texts,
    joined: Mapping[str, Blob],
    environment: Mapping[str, str | bool],
) -> Texts:
    """The row as now stored, with the iteration's environment in the same write.

    `joined` are the blobs, as they were seen, in which `after` has a share more. Conflict when the row is not as
    `before` says any more, InvalidPayload when the iteration has ended, Unavailable when a blob has changed.
    """
    write = Transaction()
    iteration.set_environment(where, environment, write)
    for sha256 in after.owned - before.owned:
        blob.add_owner(project_id, joined[sha256], seen=joined[sha256], write=write)
    stored = before if after == before else _put(project_id, where.experiment_id, where.id, before, after, write)
    write.commit()
    return stored


def each_snapshot(experiment_id: str) -> Iterator[str]:
    """The iterations that have one."""
    prefix = keys.snapshot(experiment_id, "").sk
    places = item.raw_keys(keys.experiment_partition(experiment_id), prefix)
    return (place.sk.removeprefix(prefix) for place in places)


def move_texts(
    project_id: str, experiment_id: str, iteration_id: str, before: Texts, moved: Mapping[str, Blob]
) -> None:
    """Write where the texts are now: `moved` are the blobs by their hashes.

    Conflict when the row is not as `before` says any more, NotFound when a move is not under way any more.
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
    """Give up all shares of an iteration that is going. Conflict when the row is not as `before` says any more."""
    write = Transaction()
    after = Texts(before.version, leaving=tuple(sorted({*before.owned, *before.leaving})))
    stored = _put(project_id, experiment_id, iteration_id, before, after, write)
    write.commit()
    return stored


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
    )
    unchanged = SnapshotRow.version == before.version if before.version else None
    write.put(row, Conflict, unchanged)
    return after._replace(version=before.version + 1)
