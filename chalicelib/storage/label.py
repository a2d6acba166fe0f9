"""Labels: a map in the row of their owner or, if they are long, in a LABELS row in the same partition.

Short labels cost no read of their own. Long ones would make every request below their owner read them: such a request
reads the owner's row. That row has a hash of all labels. A write requires the hash of the labels that it has read, so
that no merge overwrites another one. It changes both rows in one transaction, or only the owner's row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import MAP
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.retry import Retry
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Otherwise, Transaction
from deardiary.wire.shapes import Experiment, Iteration, LoggedModel, Model, ModelVersion, Project

Owner = Project | Experiment | Iteration | Model | ModelVersion | LoggedModel
O = TypeVar("O", Project, Experiment, Iteration, Model, ModelVersion, LoggedModel)  # noqa: E741

# Bytes of keys and values in the owner's row.
MAX_SHORT_BYTES = 2048


class Texts(Attribute[Mapping[str, str]]):
    """A map of texts. As JSON in one text a letter outside of ASCII would take up to three times its bytes."""

    attr_type = MAP

    def serialize(self, value: Mapping[str, str]) -> dict[str, Any]:
        return {key: {"S": text} for key, text in value.items()}

    def deserialize(self, value: Mapping[str, Any]) -> dict[str, str]:
        return {key: value[key]["S"] for key in sorted(value)}


class Labelled(Item):
    """The row of an owner of labels. Each owner declares both attributes: they are part of its schema."""

    # Absent if there are none, or if they are in a LABELS row.
    labels: Texts
    # Absent if there are none.
    labels_hash: UnicodeAttribute


class LabelsRow(Item, discriminator="labels"):
    labels = Texts()


def bytes_of(labels: Mapping[str, str]) -> int:
    """The bytes of all keys and values in UTF-8."""
    return sum(len(text.encode()) for text in chain.from_iterable(labels.items()))


def attributes(labels: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of the owner's row."""
    in_row = bool(labels) and not _is_long(labels)
    return {"labels": labels if in_row else None, "labels_hash": _hash(labels)}


def is_apart(row: Labelled) -> bool:
    """True if the labels of this row are in a LABELS row."""
    return row.labels_hash is not None and row.labels is None


def whole(owner: O, row: Labelled) -> O:
    """The shape of an owner's row, with its long labels."""
    return complete(owner, apart=is_apart(row))


def whole_each(owners: Sequence[O], rows: Iterable[Labelled]) -> list[O]:
    """The shapes of owners' rows, with their long labels: one BatchGetItem for those that have some."""
    apart = [owner for owner, row in zip(owners, rows, strict=True) if is_apart(row)]
    found = item.get_many(_key(owner) for owner in apart)
    return fill(owners, {owner.id: _labels_of(found.get(_key(owner))) for owner in apart})


def complete(owner: O, *, apart: bool) -> O:
    """The owner with its long labels, if they are in a LABELS row."""
    return replace(owner, labels=_read(owner)) if apart else owner


def fill(owners: Iterable[O], apart: Mapping[str, Mapping[str, str] | None]) -> list[O]:
    """The owners with these labels, by id. None: the LABELS row has just gone, so read the owner's row again."""

    def labels_of(owner: Owner) -> dict[str, str]:
        known = apart[owner.id]
        return _read(owner) if known is None else dict(known)

    return [replace(owner, labels=labels_of(owner)) if owner.id in apart else owner for owner in owners]


def read_span(experiment_id: str, iteration_ids: Collection[str]) -> dict[str, dict[str, str] | None]:
    """The long labels of these iterations by id, read as one span of the table; None without a LABELS row."""
    found: dict[str, dict[str, str] | None] = dict.fromkeys(iteration_ids)
    if not found:
        return found
    span = keys.iteration_labels_span(experiment_id, min(found), max(found))
    for row in item.raw_rows(span, ["SK", "labels"]):
        iteration_id = keys.owner_of_labels(row["SK"]["S"])
        if iteration_id in found:
            found[iteration_id] = Texts().deserialize(row["labels"]["M"])
    return found


def put_long(owner: Owner, write: Transaction) -> None:
    """Add the LABELS row of a new owner to a transaction, if its labels are long."""
    if _is_long(owner.labels):
        write.put(LabelsRow(*_key(owner), labels=owner.labels), Conflict)


def changes(row: Labelled, before: Owner, after: Owner) -> list[Action]:
    """The changes of an owner's row by other labels; ``row`` is that of `after`."""
    if before.labels == after.labels:
        return []
    attributes: list[tuple[Any, Any]] = [(type(row).labels, row.labels), (type(row).labels_hash, row.labels_hash)]
    return [attribute.remove() if value is None else attribute.set(value) for attribute, value in attributes]


def unchanged(row: Labelled, before: Owner, after: Owner, condition: Condition) -> Condition:
    """The condition, and for other labels that the stored ones are those of `before`."""
    return condition if before.labels == after.labels else same(row, before, condition)


def same(row: Labelled, seen: Owner, condition: Condition) -> Condition:
    """The condition, and that the stored labels are those of `seen`."""
    known, stored = _hash(seen.labels), type(row).labels_hash
    equal: Condition = stored.does_not_exist() if known is None else stored == known
    both: Condition = condition & equal
    return both


def move(before: Owner, after: Owner, write: Transaction) -> bool:
    """Write or delete the LABELS row in a transaction. False if neither is necessary."""
    if before.labels == after.labels or not (_is_long(before.labels) or _is_long(after.labels)):
        return False
    if _is_long(after.labels):
        write.replace(LabelsRow(*_key(after), labels=after.labels))
    else:
        write.delete(LabelsRow(*_key(after)), None, Conflict)
    return True


def save(
    row: Labelled, actions: list[Action], condition: Condition, otherwise: Otherwise, before: Owner, after: Owner
) -> None:
    """Update the owner's row, with the LABELS row if there is a change of it: else one write suffices.

    Raise `otherwise()` if the condition fails, or if the stored labels are not those of `before`.
    """
    actions = [*actions, *changes(row, before, after)]
    condition = unchanged(row, before, after, condition)
    write = Transaction()
    if move(before, after, write):
        write.update(row, actions, condition, otherwise)
        write.commit()
        return
    with conditional.otherwise(otherwise):
        row.update(actions, condition)


def delete_long(owner: Owner, write: Transaction) -> None:
    """Delete the LABELS row in a transaction, if the owner's labels are long."""
    if _is_long(owner.labels):
        write.delete(LabelsRow(*_key(owner)), None, Conflict)


def owner_key(owner: Owner) -> Key:
    match owner:
        case Project():
            return keys.project(owner.id)
        case Experiment():
            return keys.experiment(owner.project_id, owner.id)
        case Iteration():
            return keys.iteration(owner.experiment_id, owner.id)
        case Model():
            return keys.model(owner.project_id, owner.id)
        case ModelVersion():
            return keys.modelversion(*ids.split_id(owner.id))
        case LoggedModel():
            return keys.loggedmodel(owner.experiment_id, owner.id)


def _read(owner: Owner) -> dict[str, str]:
    """The labels now. Another request may move them from one row to the other between the reads of both."""
    own, apart = owner_key(owner), _key(owner)
    for _ in Retry():
        found = item.get_many([own, apart])
        row, long = found.get(own), _labels_of(found.get(apart))
        if not isinstance(row, Item) or not is_apart(row):  # type: ignore[arg-type]
            return dict(getattr(row, "labels", None) or {})
        if long is not None:
            break
    return dict(long or {})


def _labels_of(row: Item | None) -> Mapping[str, str] | None:
    return row.labels if isinstance(row, LabelsRow) else None


def _key(owner: Owner) -> Key:
    return keys.labels(owner_key(owner), owner.id)


def _is_long(labels: Mapping[str, str]) -> bool:
    return bytes_of(labels) > MAX_SHORT_BYTES


def _hash(labels: Mapping[str, str]) -> str | None:
    return ids.hash_texts(*chain.from_iterable(sorted(labels.items()))) if labels else None
