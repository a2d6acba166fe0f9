"""Logged models: rows in their experiment's partition, a REF by id; MLflow's clients create them.

A row also has the model's parameters. Points are in rows of their own, one for each request that sent some, so that a
repeated request writes the same row again. Rows beside an iteration say which logged models it read and wrote.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.storage import experiment as experiments
from chalicelib.storage import iteration, label
from chalicelib.storage.label import Labelled, Texts
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Iteration, LoggedModel

# Of one row of points, before compression. An item of DynamoDB has at most 400 KB.
_POINTS_BYTES = 280_000
# Of one transaction, with a check.
_LINKS_PER_WRITE = 99


class LoggedModelRow(Labelled, discriminator="logged-model"):
    id = UnicodeAttribute()
    experiment_id = UnicodeAttribute()
    name = UnicodeAttribute()
    model_type = UnicodeAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    status_id = NumberAttribute()
    # Absent if there are none.
    parameters = Texts(null=True)
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    updated_date = UTCDateTimeAttribute(null=True)
    labels = Texts(null=True)
    labels_hash = UnicodeAttribute(null=True)


class LoggedPointsRow(Item, discriminator="logged-points"):
    # JSON, compressed: a list of points without the run, which is the same for all.
    points = BinaryAttribute(legacy_encoding=False)
    run_id = UnicodeAttribute()


class LoggedLinkRow(Item, discriminator="logged-link"):
    loggedmodel_id = UnicodeAttribute()
    # Absent for an input.
    step = NumberAttribute(null=True)


class LoggedPoint(NamedTuple):
    """A value of a metric of a logged model. The data set, if known, is the one on which it was measured."""

    key: str
    value: float
    timestamp_ms: int
    step: int
    dataset_name: str | None
    dataset_digest: str | None
    run_id: str


class LoggedLink(NamedTuple):
    """A logged model that an iteration wrote at this step; without a step, one that it read."""

    loggedmodel_id: str
    step: int | None


ALIVE = LoggedModelRow.pk.exists() & LoggedModelRow.deleting.does_not_exist()
HIDDEN = LoggedModelRow.deleting == True  # noqa: E712


def create_loggedmodel(experiment: Experiment, model: LoggedModel) -> None:
    """Create a logged model. NotFound without its experiment."""
    write = Transaction()
    experiments.check_alive(experiment, write)
    write.put(_row(model), Conflict)
    label.put_long(model, write)
    ref = keys.loggedmodel_ref(model.id)
    write.put(Ref(*ref, project_id=experiment.project_id, experiment_id=experiment.id), Conflict)
    write.commit()


def find_even_hidden(experiment_id: str, loggedmodel_id: str) -> LoggedModel | None:
    """The logged model, also one in the trash."""
    row = item.find(LoggedModelRow, keys.loggedmodel(experiment_id, loggedmodel_id))
    return None if row is None else label.whole(shape(row), row)


def list_loggedmodels_of_experiment(experiment_id: str) -> list[LoggedModel]:
    rows = list(item.query(LoggedModelRow, keys.experiment_partition(experiment_id), keys.LOGGED_MODEL))
    return label.whole_each([shape(row) for row in rows], rows)


def update_loggedmodel(before: LoggedModel, after: LoggedModel) -> None:
    """Write the differences.

    Overtaken before other parameters or labels, if the stored ones are not those of `before`, and without the model.
    """
    row = _row(after)
    actions = item.changes(row, before, after, ("status_id", "updated_date"))
    condition = ALIVE
    if after.parameters != before.parameters:
        actions.append(LoggedModelRow.parameters.set(row.parameters))
        condition = condition & _same_parameters(before)
    label.save(row, actions, condition, Overtaken, before, after)


def hide_loggedmodel(experiment: Experiment, loggedmodel_id: str, write: Transaction) -> None:
    """Hide the logged model from readers, in a transaction. NotFound if it or its experiment is deleted."""
    experiments.check_alive(experiment, write)
    hide_loggedmodel_of_experiment(experiment.id, loggedmodel_id, write)


def hide_loggedmodel_of_experiment(experiment_id: str, loggedmodel_id: str, write: Transaction) -> None:
    row = LoggedModelRow(*keys.loggedmodel(experiment_id, loggedmodel_id))
    write.update(row, [LoggedModelRow.deleting.set(True)], ALIVE, NotFound)


def restore_loggedmodel(experiment: Experiment, loggedmodel_id: str, name: str | None, write: Transaction) -> None:
    """Show a hidden logged model again, in a transaction, under this name if one is given.

    NotFound without it or its experiment.
    """
    row = item.find(LoggedModelRow, keys.loggedmodel(experiment.id, loggedmodel_id))
    if row is None or not row.deleting:
        raise NotFound
    experiments.check_alive(experiment, write)
    actions: list[Action] = [LoggedModelRow.deleting.remove(), LoggedModelRow.name.set(name or row.name)]
    write.update(LoggedModelRow(*row.key), actions, HIDDEN, Overtaken)


def each_id(experiment_id: str) -> Iterator[str]:
    """The ids of the experiment's logged models, also of hidden ones."""
    return item.each_id(keys.experiment_partition(experiment_id), keys.LOGGED_MODEL)


def remove_loggedmodel(experiment_id: str, loggedmodel_id: str) -> Iterator[None]:
    """Remove the rows of a hidden logged model, its own at last. Yield before each call."""
    own = keys.loggedmodel(experiment_id, loggedmodel_id)
    yield from item.remove_partition(own.pk, keys.logged_points_prefix(loggedmodel_id))
    yield from item.remove_partition(own.pk, keys.files_prefix(loggedmodel_id))
    item.delete_items([keys.loggedmodel_ref(loggedmodel_id), keys.labels(own, loggedmodel_id), own])


def put_points(experiment_id: str, loggedmodel_id: str, points: Sequence[LoggedPoint]) -> None:
    """Store points of one run. NotFound without the logged model. A repetition writes the same rows."""
    write = Transaction()
    write.check(LoggedModelRow, keys.loggedmodel(experiment_id, loggedmodel_id), ALIVE, NotFound)
    for content in _cut(points):
        key = keys.logged_points(experiment_id, loggedmodel_id, ids.hash_texts(points[0].run_id, content))
        write.replace(LoggedPointsRow(*key, points=zlib.compress(content.encode()), run_id=points[0].run_id))
    write.commit()


def read_points(experiment_id: str, loggedmodel_ids: Collection[str]) -> dict[str, list[LoggedPoint]]:
    """The points of these logged models, each once, by the model's id, in the order of their times and steps."""
    if not loggedmodel_ids:
        return {}
    # By their texts: two equal points with NaN are not equal as values.
    found: dict[str, dict[str, LoggedPoint]] = {each: {} for each in loggedmodel_ids}
    span = keys.logged_points_span(experiment_id, min(found), max(found))
    for row in item.raw_rows(span, ["SK", "points", "run_id"]):
        owner = keys.owner_of_logged(row["SK"]["S"])
        if owner in found:
            sent: list[list[Any]] = json.loads(zlib.decompress(row["points"]["B"]))
            found[owner].update(
                (repr(each), each) for each in (LoggedPoint._make([*one, row["run_id"]["S"]]) for one in sent)
            )
    return {owner: sorted(points.values(), key=_order) for owner, points in found.items()}


def link_iteration(origin: Iteration, links: Iterable[LoggedLink]) -> None:
    """Store which logged models an iteration read or wrote. NotFound without the iteration."""
    rows = [_link_row(origin, each) for each in dict.fromkeys(links)]
    for start in range(0, len(rows), _LINKS_PER_WRITE):
        write = Transaction()
        iteration.check_alive(origin.experiment_id, origin.id, write)
        for row in rows[start : start + _LINKS_PER_WRITE]:
            write.replace(row)
        write.commit()


def read_links(experiment_id: str, iteration_ids: Collection[str]) -> dict[str, list[LoggedLink]]:
    """The links of these iterations by the iteration's id."""
    found: dict[str, list[LoggedLink]] = {each: [] for each in iteration_ids}
    if not found:
        return found
    span = keys.logged_links_span(experiment_id, min(found), max(found))
    for row in item.raw_rows(span, ["SK", "loggedmodel_id", "step"]):
        owner, step = keys.owner_of_logged(row["SK"]["S"]), row.get("step")
        if owner in found:
            found[owner].append(LoggedLink(row["loggedmodel_id"]["S"], int(step["N"]) if step else None))
    return found


def shape(row: LoggedModelRow) -> LoggedModel:
    """The shape, without long labels."""
    return shape_of(row, LoggedModel, parameters=row.parameters or {}, labels=row.labels or {})


def _row(model: LoggedModel) -> LoggedModelRow:
    given: dict[str, Any] = {"parameters": model.parameters or None, **label.attributes(model.labels)}
    return row_of(LoggedModelRow, keys.loggedmodel(model.experiment_id, model.id), model, **given)


def _link_row(origin: Iteration, link: LoggedLink) -> LoggedLinkRow:
    content_hash = ids.hash_texts(link.loggedmodel_id, "" if link.step is None else str(link.step))
    key = keys.logged_link(origin.experiment_id, origin.id, content_hash)
    return LoggedLinkRow(*key, loggedmodel_id=link.loggedmodel_id, step=link.step)


def _same_parameters(seen: LoggedModel) -> Condition:
    stored = LoggedModelRow.parameters
    same: Condition = stored == seen.parameters if seen.parameters else stored.does_not_exist()
    return same


def _cut(points: Sequence[LoggedPoint]) -> Iterator[str]:
    """The points as JSON, in pieces that fit into a row."""
    piece: list[str] = []
    size = 0
    for each in points:
        piece.append(json.dumps(each[:-1]))
        size += len(piece[-1])
        if size > _POINTS_BYTES:
            yield f"[{','.join(piece)}]"
            piece, size = [], 0
    if piece:
        yield f"[{','.join(piece)}]"


def _order(point: LoggedPoint) -> tuple[int, int, str, str]:
    return point.timestamp_ms, point.step, point.key, point.run_id
