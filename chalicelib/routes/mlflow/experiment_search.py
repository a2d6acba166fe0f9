"""The search of experiments: all of the project are read, those in the trash too where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

from chalicelib import clock
from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, paging, scope
from chalicelib.routes.mlflow.experiment import form, tags_of, updated_ms
from chalicelib.routes.mlflow.filters import Grammar, Name, Term, Value, parse_filter, parse_order, test_of
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body
from chalicelib.routes.mlflow.views import view_of
from chalicelib.services import experiment as service
from chalicelib.services.search.budget import Budget
from chalicelib.services.search.order import encode
from deardiary.wire.shapes import Experiment

operations = Operations("/2.0/mlflow")

GRAMMAR = Grammar(
    kinds=("tag", "attribute"),
    numbers=("creation_time", "last_update_time"),
    texts=("name", "experiment_id"),
    lists=("experiment_id",),
    null_kinds=("tag",),
)
Found = tuple[Experiment, bool]


class ExperimentSearch(Body):
    max_results: int | None = None
    filter: str = ""
    order_by: list[str] = []
    view_type: str | int = "ACTIVE_ONLY"
    page_token: str = ""


@operations.post("/experiments/search", body=ExperimentSearch, reads=True)
def search_experiments(call: Call[ExperimentSearch, None]) -> Answer[dict[str, Any]]:
    body = call.body
    size = paging.check_size("max_results", body.max_results, limits.DEFAULT_RESULTS, limits.MAX_RESULTS)
    holds = _filter(body.filter, partial(_value, call))
    terms = [parse_order(each, GRAMMAR) for each in body.order_by]
    visible, trashed = view_of(body.view_type, "view_type")
    if scope.workspace(call) is None:
        # MLflow's server has the default experiment from its start.
        scope.experiment_id_of(call, scope.DEFAULT_ID)
    found = scope.in_project(call, lambda project_id: service.read_all(call.actor, project_id, trashed=trashed))
    wanted = [each for each in found if (trashed if each[1] else visible) and holds(each)]
    rows = sorted(((_sort_key(call, each, terms), each) for each in wanted), key=itemgetter(0))
    text = paging.scope_of(call.actor.user.id, body.filter, str(body.view_type), *body.order_by)
    page, more = paging.cut(rows, size, text, body.page_token or None, len(terms) + 2)
    return paging.answer("experiments", page, lambda each: form(call, *each), text, more=more)


def _filter(text: str, value: Callable[[Found, Name], Value | None]) -> Callable[[Found], bool]:
    budget = Budget()
    clauses = parse_filter(text, GRAMMAR)
    tests = [(each.name, test_of(each, lambda steps: budget.spend(steps, 1))) for each in clauses]
    return lambda found: all(test(value(found, name)) for name, test in tests)


def _value(call: Call[Any, Any], found: Found, name: Name) -> Value | None:
    experiment, _ = found
    if name.kind == "tag":
        return tags_of(experiment).get(name.key)
    values: dict[str, Value] = {
        "name": experiment.name,
        "experiment_id": scope.shown_experiment_id(call, experiment),
        "creation_time": float(clock.to_milliseconds(experiment.created_date)),
        "last_update_time": float(updated_ms(experiment)),
    }
    return values[name.key]


def _sort_key(call: Call[Any, Any], found: Found, terms: list[Term]) -> paging.Key:
    """The terms, then the latest creation first, then the id."""
    named = (encode(_value(call, found, term.name), descending=term.descending) for term in terms)
    created, own_id = encode(found[0].created_date, descending=True), encode(found[0].id, descending=True)
    return (*named, created, own_id)
