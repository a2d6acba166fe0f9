"""Iterations."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.errors import InvalidPayload
from chalicelib.limits import MAX_VERSION_CHARACTERS
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import (
    Body,
    DeletionQuery,
    Id,
    IdKey,
    Key,
    LabelChanges,
    Labels,
    Name,
    PageQuery,
    Tags,
    Text,
    Time,
    changes,
    past_date,
)
from chalicelib.routes.http.table import FIELDS, FieldName, IterationTable, Part, Wanted, columns_of
from chalicelib.services import iteration as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire import limits
from deardiary.wire.form import encode_float, to_json
from deardiary.wire.shapes import Iteration, IterationOverview, IterationStatus

if TYPE_CHECKING:
    from chalicelib.services.search.ast import Kind
    from chalicelib.services.search.facts import Facts
    from chalicelib.services.search.query import Found, Search

routes = Routes(__name__)

Version = Annotated[str, Meta(max_length=MAX_VERSION_CHARACTERS)]
EntryPoint = Annotated[str, Meta(max_length=limits.MAX_ENTRYPOINT_CHARACTERS)]


class NewIteration(Body):
    name: Name | None = None
    notes: Text = ""
    parent_iteration_id: Id | None = None
    id_key: IdKey | None = None
    created_date: Time | None = None
    labels: Labels = {}
    tags: Tags = []


class IterationPatch(Body):
    name: Name | UnsetType = UNSET
    notes: Text | UnsetType = UNSET
    end_date: Time | UnsetType | None = UNSET
    status_id: IterationStatus | UnsetType = UNSET
    error_message: Text | UnsetType = UNSET
    parent_iteration_id: Id | UnsetType | None = UNSET
    python_version: Version | UnsetType = UNSET
    julia_version: Version | UnsetType = UNSET
    git_sha: Version | UnsetType = UNSET
    git_dirty: bool | UnsetType = UNSET
    entrypoint: EntryPoint | UnsetType = UNSET
    labels: LabelChanges | UnsetType = UNSET


class IterationsQuery(PageQuery):
    limit: Annotated[
        int, Meta(ge=1, le=limits.MAX_TABLE_ITEMS, description=f"Rows: at most {limits.MAX_PAGE_ITEMS}")
    ] = 50
    filter: Annotated[str, Meta(description='Such as: metrics.loss < 0.3 and status = "FAILED"')] = ""
    order_by: Annotated[str, Meta(description="Such as: metrics.accuracy desc, created_date")] = ""
    include: Annotated[str, Meta(description="A list of parameters, metrics, tags and labels, separated by commas")] = (
        ""
    )
    parent_iteration_id: Id | None = None
    format: Literal["rows", "columns"] = "rows"
    # Of a table of columns.
    fields: list[FieldName] = []
    parameters: list[Key] = []
    metrics: list[Key] = []
    parts: Annotated[list[Part], Meta(description="Of each metric; by default the last value")] = []
    most_keys: (
        Annotated[int, Meta(ge=1, description="Of parameters and metrics without names, those that most rows have")]
        | None
    ) = None

    def __post_init__(self) -> None:
        if self.format == "columns":
            return
        if self.limit > limits.MAX_PAGE_ITEMS:
            raise InvalidPayload(f"Expected at most {limits.MAX_PAGE_ITEMS} without format=columns", field="limit")
        for name in ("fields", "parameters", "metrics", "parts", "most_keys"):
            if getattr(self, name):
                raise InvalidPayload(f"{name} needs format=columns", field=name)


@dataclass(frozen=True, slots=True)
class IterationPage:
    """A page of a list. ``total``: the number of iterations that a filter or an order found."""

    data: list[IterationOverview]
    next_cursor: str | None
    total: int | None = None


@routes.get("/experiments/{experiment_id}/iterations", query=IterationsQuery)
def list_iterations(call: Call[None, IterationsQuery], experiment_id: str) -> Answer[IterationPage | IterationTable]:
    # Search is a tenth of the server; most cold starts do not need it.
    from chalicelib.services.search.query import list_iterations_of_experiment

    query, search = call.query, _search(call.query)
    page = list_iterations_of_experiment(call.actor, experiment_id, search, query.limit, query.cursor)
    return _answer(page, query, search)


@routes.get("/projects/{project_id}/iterations", query=IterationsQuery)
def list_iterations_of_project(
    call: Call[None, IterationsQuery], project_id: str
) -> Answer[IterationPage | IterationTable]:
    from chalicelib.services.search import project

    query, search = call.query, _search(call.query)
    page = project.list_iterations_of_project(call.actor, project_id, search, query.limit, query.cursor)
    return _answer(page, query, search)


def _search(query: IterationsQuery) -> Search:
    from chalicelib.services.search.query import Search

    if query.format == "rows":
        return Search(query.filter, query.order_by, _kinds(query.include), query.parent_iteration_id)
    return Search(
        query.filter,
        query.order_by,
        _kinds_of_columns(query),
        query.parent_iteration_id,
        frozenset(_fields(query)),
        frozenset(query.parameters),
        frozenset(query.metrics),
        frozenset(query.parts or ["last"]),
    )


def _names_columns(query: IterationsQuery) -> bool:
    """True if a table has only the columns that the query names; else it has all of them."""
    return bool(query.fields or query.parameters or query.metrics or query.include.strip())


def _fields(query: IterationsQuery) -> Sequence[str]:
    if not _names_columns(query):
        return FIELDS
    included = [name for name in map(str.strip, query.include.split(",")) if name in FIELDS]
    return list(dict.fromkeys([*query.fields, *included]))


def _kinds_of_columns(query: IterationsQuery) -> frozenset[Kind]:
    """The kinds that the query includes, or whose keys it names."""
    from chalicelib.services.search.ast import Kind

    if not _names_columns(query):
        return frozenset(Kind)
    return _kinds(query.include) | {kind for kind in (Kind.PARAMETERS, Kind.METRICS) if getattr(query, kind.value)}


def _answer(page: Found, query: IterationsQuery, search: Search) -> Answer[IterationPage | IterationTable]:
    names = {kind.value for kind in search.include}
    rest = {"next_cursor": page.next_cursor} | ({} if page.total is None else {"total": page.total})
    if query.format == "rows":
        return Answer(200, raw={"data": [overview(each, names) for each in page.data], **rest})
    wanted = Wanted(
        fields=_fields(query),
        parameters=list(dict.fromkeys(query.parameters)) if "parameters" in names else None,
        metrics=list(dict.fromkeys(query.metrics)) if "metrics" in names else None,
        parts=query.parts or ["last"],
        tags="tags" in names,
        most_keys=query.most_keys,
    )
    ids = [each.iteration.id for each in page.data]
    return Answer(200, raw={"ids": ids, "columns": columns_of(page.data, wanted), **rest})


@routes.post("/experiments/{experiment_id}/iterations", body=NewIteration)
def create_iteration(call: Call[NewIteration, None], experiment_id: str) -> Answer[Iteration]:
    iteration, new = service.create_iteration(
        call.actor,
        experiment_id,
        name=call.body.name or "",
        notes=call.body.notes,
        parent_iteration_id=call.body.parent_iteration_id,
        id_key=call.body.id_key,
        created_date=past_date(call.body.created_date),
        labels=call.body.labels,
        tags=call.body.tags,
    )
    return created(iteration, new=new)


@routes.get("/iterations/{iteration_id}")
def get_iteration(call: Call[None, None], iteration_id: str) -> Answer[Iteration]:
    return ok(service.get_iteration(call.actor, iteration_id))


@routes.patch("/iterations/{iteration_id}", body=IterationPatch)
def update_iteration(call: Call[IterationPatch, None], iteration_id: str) -> Answer[Iteration]:
    patch = service.IterationChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_iteration(call.actor, iteration_id, patch))


@routes.delete("/iterations/{iteration_id}", query=DeletionQuery)
def delete_iteration(call: Call[None, DeletionQuery], iteration_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_iteration(call.actor, iteration_id, purge=call.query.purge))


@routes.get("/iterations/{iteration_id}/children", query=PageQuery)
def list_children(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[Iteration]]:
    return listed(service.list_children(call.actor, iteration_id, call.query.limit, call.query.cursor))


def _kinds(include: str) -> frozenset[Kind]:
    """Parse a list such as `parameters,tags`; a blank text is an empty list."""
    from chalicelib.services.search.ast import Kind

    names = [name.strip() for name in include.split(",")] if include.strip() else []
    try:
        return frozenset(map(Kind, names))
    except ValueError:
        known = ", ".join(kind.value for kind in Kind)
        raise InvalidPayload(f"include is a list of {known}, separated by commas", field="include") from None


class _Summary(Struct, gc=False):
    """A `MetricSummary` in its JSON form: NaN and the infinities are texts."""

    first: Any
    last: Any
    min: Any
    max: Any
    count: int
    last_step: int


def overview(facts: Facts, include: Collection[str]) -> dict[str, Any]:
    """The JSON form of an `IterationOverview`, without the shape: a table of runs has tens of thousands of numbers."""
    row: dict[str, Any] = to_json(facts.iteration)
    if "parameters" in include:
        row["parameters"] = dict(sorted(facts.parameters.items()))
    if "metrics" in include:
        row["metrics"] = metrics_of(facts.summaries)
    if "tags" in include:
        row["tags"] = facts.tags
    return row


def metrics_of(summaries: Mapping[str, Sequence[Any]]) -> dict[str, _Summary]:
    """The JSON form of the summaries of an iteration, by key."""
    return {key: _summary(numbers) for key, numbers in summaries.items()}


def _summary(numbers: Sequence[Any]) -> _Summary:
    """Convert the nine numbers of a stored summary."""
    first, last, low, high, count, _, _, last_step, _ = numbers
    if not math.isfinite(first + last + low + high):
        each = [encode_float(number) for number in numbers[:4]]
        return _Summary(each[0], each[1], each[2], each[3], count, last_step)
    return _Summary(first, last, low, high, count, last_step)
