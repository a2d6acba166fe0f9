"""The iterations of a project: experiment by experiment, or all of them in one order.

Without `order_by` a page reads experiment after experiment, oldest first, until it is full. After
MAX_EXPERIMENTS_A_PAGE experiments it ends early, with a cursor. With `order_by` every page reads all iterations of the
project, which may have at most MAX_EXPERIMENTS_IN_ORDER experiments.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from chalicelib import ids
from chalicelib.errors import InvalidPayload
from chalicelib.paging import bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.search import query
from chalicelib.services.search.budget import Budget
from chalicelib.services.search.facts import Facts, Known
from chalicelib.services.search.order import SortKey
from chalicelib.services.search.query import Found, Question, Search
from chalicelib.storage import experiment as experiments
from chalicelib.storage.reads import projection

MAX_EXPERIMENTS_A_PAGE = 20
MAX_EXPERIMENTS_IN_ORDER = 200


def list_iterations_of_project(actor: Actor, project_id: str, search: Search, limit: int, cursor: str | None) -> Found:
    """Like `list_iterations_of_experiment`. Also InvalidPayload for an order over too many experiments."""
    access.project(actor, project_id, Need.READ)
    question = query.question_of(search)
    scope = ids.hash_texts(project_id, search.parent_iteration_id or "", search.filter, search.order_by)
    if question.terms:
        return _page_in_order(project_id, search, question, limit, cursor, scope)
    return _page_by_experiment(project_id, search, question, limit, cursor, scope)


def _page_by_experiment(
    project_id: str, search: Search, question: Question, limit: int, cursor: str | None, scope: str
) -> Found:
    """A cursor holds the cursor of the list of experiments, an experiment, and the cursor in its list of iterations."""
    start, experiment_id, inside = _position(cursor, scope, 3) if cursor else ("", "", "")
    found: list[Facts] = []
    budget = Budget()
    listed = experiments.list_experiments_of_project(project_id, MAX_EXPERIMENTS_A_PAGE, start or None, None)
    for experiment in listed.data:
        if experiment.id < experiment_id:
            continue
        own = inside if experiment.id == experiment_id else ""
        if len(found) == limit:
            return Found(found, encode_cursor(scope, start, experiment.id, own))
        page = query.page_of(experiment.id, search, question, limit - len(found), own or None, budget)
        found += page.data
        if page.next_cursor:
            return Found(found, encode_cursor(scope, start, experiment.id, page.next_cursor))
    return Found(found, encode_cursor(scope, listed.next_cursor, "", "") if listed.next_cursor else None)


def _page_in_order(
    project_id: str, search: Search, question: Question, limit: int, cursor: str | None, scope: str
) -> Found:
    after: SortKey = tuple(_position(cursor, scope, len(question.terms) + 1)) if cursor else ()
    rows: list[tuple[SortKey, str]] = []
    budget = Budget()
    for experiment_id in _experiment_ids(project_id):
        rows += ((key, experiment_id) for key, _ in query.find_rows(experiment_id, search, question, budget))
    rows.sort()
    left = rows[bisect_right(rows, after, key=lambda row: row[0]) :]
    next_cursor = encode_cursor(scope, *left[limit - 1][0]) if len(left) > limit else None
    return Found(_facts_of(left[:limit], search), next_cursor, len(rows))


def _experiment_ids(project_id: str) -> Iterator[str]:
    page = experiments.list_experiments_of_project(project_id, MAX_EXPERIMENTS_IN_ORDER, None, None)
    if page.next_cursor:
        raise InvalidPayload(
            f"The project has more than {MAX_EXPERIMENTS_IN_ORDER} experiments, too many for one order: leave order_by "
            "out, or list the iterations of an experiment",
            field="order_by",
        )
    return (each.id for each in page.data)


def _facts_of(rows: list[tuple[SortKey, str]], search: Search) -> list[Facts]:
    """Read the current iterations, in the order of the rows. Omit those deleted meanwhile."""
    wanted: dict[str, list[str]] = {}
    for key, experiment_id in rows:
        wanted.setdefault(experiment_id, []).append(key[-1])
    found = {
        facts.iteration.id: facts
        for experiment_id, iteration_ids in wanted.items()
        for facts in query.with_included(
            experiment_id,
            projection.find_iterations(experiment_id, iteration_ids, consistent=search.consistent),
            search,
            Known(),
        )
    }
    return [found[key[-1]] for key, _ in rows if key[-1] in found]


def _position(cursor: str, scope: str, length: int) -> list[str]:
    of, *position = decode_cursor(cursor, 1 + length)
    if of != scope:
        raise bad_cursor()
    return position
