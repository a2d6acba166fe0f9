"""The search of runs over several experiments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from chalicelib import clock
from chalicelib.errors import NotFound
from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, lookup, mapping, paging, scope
from chalicelib.routes.mlflow.filters import Clause, Grammar, Name, Term, Value, parse_filter, parse_order, test_of
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body
from chalicelib.routes.mlflow.views import view_of
from chalicelib.services.search import page_cache
from chalicelib.services.search.ast import Kind
from chalicelib.services.search.budget import Budget
from chalicelib.services.search.facts import Known
from chalicelib.services.search.order import encode
from chalicelib.services.search.page_cache import Reading
from chalicelib.services.search.rows import Row, Wanted, complete, read_rows
from deardiary.wire.shapes import Experiment, Input, Iteration

operations = Operations("/2.0/mlflow")

GRAMMAR = Grammar(
    kinds=("metric", "parameter", "tag", "attribute", "dataset"),
    numbers=("start_time", "end_time"),
    texts=("run_id", "run_name", "user_id", "status", "artifact_uri"),
    lists=("run_id",),
    order_kinds=("metric", "parameter", "tag", "attribute"),
    aliases={"created": "start_time", "Created": "start_time", "run name": "run_name", "Run name": "run_name"}
    | {"Run Name": "run_name"},
)
_FIELDS = {
    "start_time": ("created_date",),
    "end_time": ("end_date",),
    "run_id": (),
    "run_name": ("name",),
    "status": ("status_id", "labels"),
    "user_id": ("labels",),
    "artifact_uri": ("labels",),
}
_KINDS = {"metric": Kind.METRICS, "parameter": Kind.PARAMETERS}
_OF_TAGS = ("labels", "name", "notes", "parent_iteration_id", "git_sha", "entrypoint")


class RunSearch(Body):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: str | int = "ACTIVE_ONLY"
    max_results: int | None = None
    order_by: list[str] = []
    page_token: str = ""


class Place(NamedTuple):
    """An experiment of the search, and True if it is in the trash."""

    experiment: Experiment
    deleted: bool


class Found(NamedTuple):
    """A run of a page."""

    row: Row
    place: Place


@operations.post("/runs/search", body=RunSearch, reads=True)
def search_runs(call: Call[RunSearch, None]) -> Answer[dict[str, Any]]:
    body = call.body
    size = paging.check_size("max_results", body.max_results, limits.DEFAULT_RESULTS, limits.MAX_RESULTS)
    clauses, terms = parse_filter(body.filter, GRAMMAR), [parse_order(each, GRAMMAR) for each in body.order_by]
    places = {place.experiment.id: place for place in _places(call)}
    own = paging.scope_of(call.actor.user.id, *places, body.filter, str(body.run_view_type), *body.order_by)
    rows = _rows(call, places, clauses, terms, own)
    page, more = paging.cut(rows, size, own, body.page_token or None, len(terms) + 2)
    found = _complete(places, page)
    return paging.answer("runs", found, partial(_form, call), own, more=more)


def _places(call: Call[RunSearch, None]) -> list[Place]:
    """The experiments that the caller may read; others have no runs for the caller."""
    if scope.workspace(call):
        scope.in_project(call, lambda _project_id: None)
    places = []
    for experiment_id in dict.fromkeys(call.body.experiment_ids):
        try:
            line, deleted = lookup.find_experiment(call, experiment_id)
        except NotFound:
            continue
        places.append(Place(line.experiment, deleted))
    return places


def _rows(
    call: Call[RunSearch, None], places: dict[str, Place], clauses: list[Clause], terms: list[Term], own: str
) -> list[tuple[paging.Key, str]]:
    """The sort keys of all runs that the filter finds, each with the experiment and the run, in their order."""
    cached = page_cache.find(own) if call.body.page_token else None
    if cached is not None:
        return cached.rows
    budget = Budget()
    tests = [(clause.name, test_of(clause, lambda steps: budget.spend(steps, 1))) for clause in clauses]
    names = [*(clause.name for clause in clauses), *(term.name for term in terms)]
    wanted = _wanted(names, *view_of(call.body.run_view_type, "run_view_type"))
    rows: list[tuple[paging.Key, str]] = []
    for place in places.values():
        value = partial(_value, call, place)
        for row in read_rows(place.experiment, wanted, deleted=place.deleted):
            if all(_holds(row, name, test, value) for name, test in tests):
                deleted = "deleted" if row.deleted else "active"
                rows.append((_sort_key(row, terms, value), f"{place.experiment.id} {row.facts.iteration.id} {deleted}"))
    rows.sort()
    page_cache.keep(own, Reading(rows, Known()))
    return rows


def _wanted(names: Sequence[Name], visible: bool, trashed: bool) -> Wanted:
    fields = {"created_date"}
    for name in names:
        fields |= set(_FIELDS[name.key] if name.kind == "attribute" else _OF_TAGS if name.kind == "tag" else ())
    kinds = {_KINDS[name.kind] for name in names if name.kind in _KINDS}
    keys = frozenset(name.key for name in names if name.kind == "parameter")
    inputs = any(name.kind == "dataset" for name in names)
    return Wanted(frozenset(fields), frozenset(kinds), keys, inputs, visible, trashed)


def _holds(
    row: Row, name: Name, test: Callable[[Value | None], bool], value: Callable[[Row, Name], Value | None]
) -> bool:
    if name.kind != "dataset":
        return test(value(row, name))
    return any(test(_of_input(each, name.key)) for each in row.inputs)


def _of_input(used: Input, key: str) -> str:
    found: str = getattr(used, key)
    return found


def _value(call: Call[Any, Any], place: Place, row: Row, name: Name) -> Value | None:
    iteration = row.facts.iteration
    match name.kind:
        case "metric":
            summary = row.facts.summaries.get(name.key)
            return None if summary is None else summary.last
        case "parameter":
            return row.facts.parameters.get(name.key)
        case "tag":
            return mapping.tags_of(iteration).get(name.key)
    return _ATTRIBUTES[name.key](call, place, iteration)


def _ms(time: datetime | None) -> float | None:
    return None if time is None else float(clock.to_milliseconds(time))


_ATTRIBUTES: dict[str, Callable[[Call[Any, Any], Place, Iteration], Value | None]] = {
    "run_id": lambda _call, _place, iteration: iteration.id,
    "run_name": lambda _call, _place, iteration: iteration.name,
    "user_id": lambda _call, _place, iteration: mapping.user_of(iteration),
    "status": lambda _call, _place, iteration: mapping.status_of(iteration),
    "artifact_uri": lambda call, place, iteration: mapping.artifact_uri_of(
        call, iteration, place.experiment.project_id
    ),
    "start_time": lambda _call, _place, iteration: _ms(iteration.created_date),
    "end_time": lambda _call, _place, iteration: _ms(iteration.end_date),
}


def _sort_key(row: Row, terms: Sequence[Term], value: Callable[[Row, Name], Value | None]) -> paging.Key:
    """The terms, then the latest start first, then the id."""
    named = (encode(value(row, term.name), descending=term.descending) for term in terms)
    iteration = row.facts.iteration
    return (*named, encode(iteration.created_date, descending=True), iteration.id)


def _complete(places: dict[str, Place], page: Sequence[tuple[paging.Key, str]]) -> list[tuple[paging.Key, Found]]:
    """The runs of a page as they are now, without those removed meanwhile."""
    wanted: dict[str, dict[str, bool]] = {}
    for _, text in page:
        experiment_id, run_id, state = text.split()
        wanted.setdefault(experiment_id, {})[run_id] = state == "deleted"
    rows = {experiment_id: complete(experiment_id, own) for experiment_id, own in wanted.items()}
    found = []
    for key, text in page:
        experiment_id, run_id, _ = text.split()
        if run_id in rows[experiment_id]:
            found.append((key, Found(rows[experiment_id][run_id], places[experiment_id])))
    return found


def _form(call: Call[Any, Any], found: Found) -> dict[str, Any]:
    return mapping.run(call, found.row, found.place.experiment)
