"""Labels: merged into those of their owner; a null removes one, all others stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from chalicelib.errors import InvalidPayload, NotFound, Overtaken
from chalicelib.retry import Retry
from chalicelib.storage import iteration as iterations
from chalicelib.storage import label as storage
from chalicelib.storage.label import Owner
from chalicelib.storage.reads.lineage import IterationLineage
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration

Labels = Mapping[str, str]
NO_LABELS: Labels = MappingProxyType({})
# None: remove the label.
LabelChanges = Mapping[str, str | None]


def checked(labels: Labels) -> dict[str, str]:
    """The labels of one owner. InvalidPayload if they are too many, or too long all together."""
    if len(labels) > limits.MAX_LABELS:
        raise InvalidPayload(f"An object has at most {limits.MAX_LABELS} labels", field="labels")
    if storage.bytes_of(labels) > limits.MAX_LABELS_BYTES:
        most = limits.MAX_LABELS_BYTES
        raise InvalidPayload(f"All labels of an object together have at most {most} bytes in UTF-8", field="labels")
    return dict(labels)


def merged(before: Owner, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of a PATCH, where `labels` has all labels of the owner after the merge."""
    if "labels" not in changes:
        return dict(changes)
    return {**changes, "labels": _merge(before.labels, changes["labels"])}


def complete(iteration: Iteration, *, apart: bool) -> Iteration:
    """The iteration with its long labels; see `IterationLineage`."""
    return storage.complete(iteration, apart=apart)


def labelled(line: IterationLineage, changes: LabelChanges) -> Iteration:
    """The iteration with its labels, if there are changes. InvalidPayload if it cannot have these changes."""
    if not changes:
        return line.iteration
    before = storage.complete(line.iteration, apart=line.labels_apart)
    _merge(before.labels, changes)
    return before


def put_labels(before: Iteration, changes: LabelChanges) -> None:
    """Merge labels into those of an iteration, also after its end."""
    for _ in Retry():
        try:
            _put(before, changes)
        except Overtaken:
            before = _read_again(before)
            continue
        break


def _put(before: Iteration, changes: LabelChanges) -> None:
    after = replace(before, labels=_merge(before.labels, changes))
    if after != before:
        iterations.set_labels(before, after)


def _read_again(iteration: Iteration) -> Iteration:
    found = iterations.find_iteration(iteration.experiment_id, iteration.id)
    if found is None:
        raise NotFound
    return found


def _merge(labels: Labels, changes: LabelChanges) -> dict[str, str]:
    kept = {key: value for key, value in labels.items() if key not in changes}
    return checked({**kept, **{key: value for key, value in changes.items() if value is not None}})
