"""All iterations of an experiment for a filter of another protocol, also those in the trash."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from chalicelib.services.search.ast import Kind
from chalicelib.services.search.facts import Facts, read
from chalicelib.storage import input as input_storage
from chalicelib.storage import loggedmodel, trash
from chalicelib.storage.loggedmodel import LoggedLink
from chalicelib.storage.reads import projection
from deardiary.wire.shapes import Experiment, Input, Iteration


class Wanted(NamedTuple):
    """The fields and kinds to read, and the parameters' keys. `visible`, `trashed`: which iterations."""

    fields: frozenset[str]
    kinds: frozenset[Kind]
    keys: frozenset[str]
    inputs: bool
    visible: bool
    trashed: bool


class Row(NamedTuple):
    """An iteration with its inputs, and True if it is in the trash."""

    facts: Facts
    inputs: Sequence[Input]
    deleted: bool
    # The logged models that it has read and written; none unless the whole row was asked for.
    links: Sequence[LoggedLink] = ()


def read_rows(experiment: Experiment, wanted: Wanted, *, deleted: bool) -> list[Row]:
    """The iterations with what is wanted. All of an experiment in the trash (`deleted`) count as deleted."""
    found = _read(experiment, wanted, deleted=deleted)
    iterations = [each for each, _ in found]
    known = read(experiment.id, iterations, wanted.kinds, keys=wanted.keys)
    inputs = _inputs(experiment.id, iterations) if wanted.inputs else {}
    return [Row(known.of(each), inputs.get(each.id, ()), is_deleted) for each, is_deleted in found]


def complete(experiment_id: str, deleted: Mapping[str, bool]) -> dict[str, Row]:
    """These iterations with their parameters, metrics and inputs, by id. `deleted`: if each is in the trash."""
    iterations = projection.find_even_hidden(experiment_id, list(deleted))
    return {row.facts.iteration.id: row for row in rows_of(iterations, deleted)}


def rows_of(iterations: Sequence[Iteration], deleted: Mapping[str, bool]) -> list[Row]:
    """The same of iterations of one experiment that are read already."""
    if not iterations:
        return []
    experiment_id = iterations[0].experiment_id
    known, inputs = read(experiment_id, iterations, (Kind.PARAMETERS, Kind.METRICS)), _inputs(experiment_id, iterations)
    links = loggedmodel.read_links(experiment_id, [each.id for each in iterations])
    return [Row(known.of(each), inputs.get(each.id, ()), deleted[each.id], links[each.id]) for each in iterations]


def _inputs(experiment_id: str, iterations: Sequence[Iteration]) -> dict[str, list[Input]]:
    ids = [each.id for each in iterations]
    return input_storage.read_inputs_of_span(experiment_id, min(ids), max(ids)) if ids else {}


def _read(experiment: Experiment, wanted: Wanted, *, deleted: bool) -> list[tuple[Iteration, bool]]:
    fields: Collection[str] = wanted.fields
    if not (wanted.trashed or deleted):
        return [(each, False) for each in projection.read_iterations(experiment.id, None, fields)]
    if deleted and not wanted.trashed:
        return []
    found, hidden = projection.read_even_hidden(experiment.id, fields)
    # The other hidden ones are being removed.
    restorable = trash.deleted_iteration_ids(experiment.project_id, experiment.id) if hidden else frozenset()
    rows = [(each, deleted or each.id in hidden) for each in found if each.id not in hidden - restorable]
    return [(each, gone) for each, gone in rows if (wanted.trashed if gone else wanted.visible)]
