"""Iterations."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.errors import InvalidPayload
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, IdKey, Name, PageQuery, Text, Time, changes, past_date
from chalicelib.services import iteration as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire import limits
from deardiary.wire.form import encode_float, to_json
from deardiary.wire.shapes import Iteration, IterationOverview, IterationStatus

if TYPE_CHECKING:
    from chalicelib.services.search.ast import Kind
    from chalicelib.services.search.facts import Facts
    from chalicelib.services.search.query import Search

routes = Routes(__name__)

Version = Annotated[str, Meta(max_length=limits.MAX_VERSION_CHARACTERS)]
EntryPoint = Annotated[str, Meta(max_length=limits.MAX_ENTRYPOINT_CHARACTERS)]


class NewIteration(Body):
    name: Name | None = None
    notes: Text = ""
    parent_iteration_id: Id | None = None
    id_key: IdKey | None = None
    created_date: Time | None = None


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


class IterationsQuery(PageQuery):
    filter: Annotated[str, Meta(description='Such as: metrics.loss < 0.3 and status = "FAILED"')] = ""
    order_by: Annotated[str, Meta(description="Such as: metrics.accuracy desc, created_date")] = ""
    include: Annotated[str, Meta(description="A list of parameters, metrics and tags, separated by commas")] = ""
    parent_iteration_id: Id | None = None


@routes.get("/experiments/{experiment_id}/iterations", query=IterationsQuery)
def list_iterations(call: Call[None, IterationsQuery], experiment_id: str) -> Answer[Page[IterationOverview]]:
    # Search is a tenth of the server; most cold starts do not need it.
    from chalicelib.services.search.query import list_iterations_of_experiment

    query, search = call.query, _search(call.query)
    return _overviews(
        list_iterations_of_experiment(call.actor, experiment_id, search, query.limit, query.cursor), search
    )


@routes.get("/projects/{project_id}/iterations", query=IterationsQuery)
def list_iterations_of_project(call: Call[None, IterationsQuery], project_id: str) -> Answer[Page[IterationOverview]]:
    from chalicelib.services.search import project

    query, search = call.query, _search(call.query)
    page = project.list_iterations_of_project(call.actor, project_id, search, query.limit, query.cursor)
    return _overviews(page, search)


def _search(query: IterationsQuery) -> Search:
    from chalicelib.services.search.query import Search

    return Search(query.filter, query.order_by, _kinds(query.include), query.parent_iteration_id)


def _overviews(page: Page[Facts], search: Search) -> Answer[Page[IterationOverview]]:
    names = {kind.value for kind in search.include}
    return Answer(200, raw={"data": [_row(each, names) for each in page.data], "next_cursor": page.next_cursor})


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
    )
    return created(iteration, new=new)


@routes.get("/iterations/{iteration_id}")
def get_iteration(call: Call[None, None], iteration_id: str) -> Answer[Iteration]:
    return ok(service.get_iteration(call.actor, iteration_id))


@routes.patch("/iterations/{iteration_id}", body=IterationPatch)
def update_iteration(call: Call[IterationPatch, None], iteration_id: str) -> Answer[Iteration]:
    patch = service.IterationChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_iteration(call.actor, iteration_id, patch))


@routes.delete("/iterations/{iteration_id}")
def delete_iteration(call: Call[None, None], iteration_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_iteration(call.actor, iteration_id))


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


def _row(facts: Facts, include: Collection[str]) -> dict[str, Any]:
    """The JSON form of an `IterationOverview`, without the shape: a table of runs has tens of thousands of numbers."""
    row: dict[str, Any] = to_json(facts.iteration)
    if "parameters" in include:
        row["parameters"] = dict(sorted(facts.parameters.items()))
    if "metrics" in include:
        row["metrics"] = {key: _summary(numbers) for key, numbers in facts.summaries.items()}
    if "tags" in include:
        row["tags"] = facts.tags
    return row


def _summary(numbers: Sequence[Any]) -> _Summary:
    """Convert the nine numbers of a stored summary."""
    first, last, low, high, count, _, _, last_step, _ = numbers
    if not math.isfinite(first + last + low + high):
        each = [encode_float(number) for number in numbers[:4]]
        return _Summary(each[0], each[1], each[2], each[3], count, last_step)
    return _Summary(first, last, low, high, count, last_step)
