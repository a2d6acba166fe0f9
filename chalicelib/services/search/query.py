"""The iterations of an experiment: filtered, ordered, with the owned things to include.

Without filter and order a page is read in the order of the table. With either, each reading covers every iteration of
the experiment (or every child of the parent), and adds one Query for each kind that is named.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from chalicelib import ids
from chalicelib.paging import Page, bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.lifecycle import pace
from chalicelib.services.search import page_cache
from chalicelib.services.search.ast import Condition, Kind, Name, Term, names_in
from chalicelib.services.search.budget import Budget
from chalicelib.services.search.evaluate import predicate
from chalicelib.services.search.facts import Facts, Known, read
from chalicelib.services.search.order import SortKey, sort_key
from chalicelib.services.search.page_cache import Reading
from chalicelib.services.search.parse import parse_filter, parse_order
from chalicelib.services.search.users import with_ids
from chalicelib.storage import iteration as storage
from chalicelib.storage.reads import projection
from deardiary.wire.shapes import Iteration


@dataclass(frozen=True, slots=True)
class Search:
    """The query of a list of iterations, as sent. A blank filter or order means none."""

    filter: str = ""
    order_by: str = ""
    include: frozenset[Kind] = frozenset()
    parent_iteration_id: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    condition: Condition | None
    terms: tuple[Term, ...]

    def names(self) -> list[Name]:
        return [*(names_in(self.condition) if self.condition else ()), *(term.name for term in self.terms)]


def list_iterations_of_experiment(
    actor: Actor, experiment_id: str, search: Search, limit: int, cursor: str | None
) -> Page[Facts]:
    """One page of the iterations found. InvalidPayload, with the column, if filter or order do not parse."""
    pace.watch_experiment(access.experiment(actor, experiment_id, Need.READ))
    return page_of(experiment_id, search, question_of(search), limit, cursor, Budget())


def question_of(search: Search) -> Question:
    """Parse filter and order, and find the users they name. InvalidPayload, with the column, if they do not parse."""
    return Question(
        with_ids(parse_filter(search.filter)) if search.filter.strip() else None,
        parse_order(search.order_by) if search.order_by.strip() else (),
    )


def page_of(
    experiment_id: str, search: Search, question: Question, limit: int, cursor: str | None, budget: Budget
) -> Page[Facts]:
    if question.condition is None and not question.terms:
        return _page_as_stored(experiment_id, search, limit, cursor)
    return _page_of_found(experiment_id, search, question, limit, cursor, budget)


def _page_as_stored(experiment_id: str, search: Search, limit: int, cursor: str | None) -> Page[Facts]:
    if search.parent_iteration_id is None:
        page = storage.list_iterations_of_experiment(experiment_id, limit, cursor)
    elif storage.find_iteration(experiment_id, search.parent_iteration_id) is None:
        # The parent belongs to another experiment, which the caller may not be allowed to read: return no children.
        return Page([], None)
    else:
        page = storage.list_children(experiment_id, search.parent_iteration_id, limit, cursor)
    return Page(with_included(experiment_id, page.data, search, Known()), page.next_cursor)


def _page_of_found(
    experiment_id: str, search: Search, question: Question, limit: int, cursor: str | None, budget: Budget
) -> Page[Facts]:
    """A cursor holds the sort key of the last returned row: a change to one row does not move any other.

    Read the iterations again for each page, to omit those deleted meanwhile.
    """
    scope = ids.hash_texts(experiment_id, search.parent_iteration_id or "", search.filter, search.order_by)
    after = _position(cursor, scope, len(question.terms) + 1)
    kept = scope + ids.hash_text(" ".join(sorted(kind.value for kind in search.include)))
    reading = (page_cache.find(kept) if cursor else None) or _read(experiment_id, search, question, budget)
    left = reading.rows[bisect_right(reading.rows, after, key=itemgetter(0)) :]
    page = projection.find_iterations(experiment_id, [iteration_id for _, iteration_id in left[:limit]])
    if len(left) <= limit:
        return Page(with_included(experiment_id, page, search, reading.known), None)
    page_cache.keep(kept, reading)
    return Page(with_included(experiment_id, page, search, reading.known), encode_cursor(scope, *left[limit - 1][0]))


def _read(experiment_id: str, search: Search, question: Question, budget: Budget) -> Reading:
    found, known = find(experiment_id, search, question, budget)
    rows = sorted((sort_key(question.terms, facts), facts.iteration.id) for facts in found)
    return Reading(rows, known)


def _position(cursor: str | None, scope: str, length: int) -> SortKey:
    if cursor is None:
        return ()
    of, *position = decode_cursor(cursor, 1 + length)
    if of != scope:
        raise bad_cursor()
    return tuple(position)


def find(experiment_id: str, search: Search, question: Question, budget: Budget) -> tuple[list[Facts], Known]:
    """The iterations for which the condition holds, and the owned things read for it, which can be included."""
    names = question.names()
    fields = {name.key for name in names if name.kind is None}
    iterations = projection.read_iterations(experiment_id, search.parent_iteration_id, fields)
    kinds = {name.kind for name in names if name.kind}
    keys = {name.key for name in names if name.kind is Kind.PARAMETERS}
    known = read(experiment_id, iterations, kinds, keys=None if Kind.PARAMETERS in search.include else keys)
    holds = predicate(question.condition, budget) if question.condition else lambda _: True
    found = [facts for facts in map(known.of, iterations) if holds(facts)]
    return found, known


def with_included(experiment_id: str, iterations: Sequence[Iteration], search: Search, known: Known) -> list[Facts]:
    known = read(experiment_id, iterations, search.include, known=known)
    return [known.of(iteration) for iteration in iterations]
