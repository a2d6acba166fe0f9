"""The iterations of an experiment: filtered, ordered, with the owned things to include.

Without filter and order a page is read in the order of the table. With either, each reading covers every iteration of
the experiment (or every child of the parent), and adds one Query for each kind that is named.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration


@dataclass(frozen=True, slots=True)
class Search:
    """The query of a list of iterations, as sent. A blank filter or order means none."""

    filter: str = ""
    order_by: str = ""
    include: frozenset[Kind] = frozenset()
    parent_iteration_id: str | None = None
    # Of a table of columns: the wanted fields, and the wanted parameters, or all. It is read without consistency.
    fields: frozenset[str] | None = None
    parameters: frozenset[str] = frozenset()

    @property
    def consistent(self) -> bool:
        return self.fields is None


@dataclass(frozen=True, slots=True)
class Found(Page[Facts]):
    """A page of a search, and the number of all iterations found; None if the search did not read all of them."""

    total: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    condition: Condition | None
    terms: tuple[Term, ...]

    def names(self) -> list[Name]:
        return [*(names_in(self.condition) if self.condition else ()), *(term.name for term in self.terms)]


def list_iterations_of_experiment(
    actor: Actor, experiment_id: str, search: Search, limit: int, cursor: str | None
) -> Found:
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
) -> Found:
    parent_id = search.parent_iteration_id
    # The parent may be deleted, or in another experiment, which the caller may not be allowed to read.
    if parent_id is not None and storage.find_iteration(experiment_id, parent_id) is None:
        return Found([], None)
    if question.condition is None and not question.terms:
        return _page_as_stored(experiment_id, search, limit, cursor)
    return _page_of_found(experiment_id, search, question, limit, cursor, budget)


def _page_as_stored(experiment_id: str, search: Search, limit: int, cursor: str | None) -> Found:
    if search.parent_iteration_id is None and search.fields is not None:
        page = projection.page_of_iterations(experiment_id, search.fields, limit, cursor)
    elif search.parent_iteration_id is None:
        page = storage.list_iterations_of_experiment(experiment_id, limit, cursor)
    else:
        page = storage.list_children(experiment_id, search.parent_iteration_id, limit, cursor)
    return Found(with_included(experiment_id, page.data, search, Known()), page.next_cursor)


def _page_of_found(
    experiment_id: str, search: Search, question: Question, limit: int, cursor: str | None, budget: Budget
) -> Found:
    """A cursor holds the sort key of the last returned row: a change to one row does not move any other.

    Read the iterations again for each page, to omit those deleted meanwhile.
    """
    scope = ids.hash_texts(experiment_id, search.parent_iteration_id or "", search.filter, search.order_by)
    after = _position(cursor, scope, len(question.terms) + 1)
    kept = _key_of_reading(scope, search)
    cached = page_cache.find(kept) if cursor else None
    reading, fresh = (cached, {}) if cached else _read(experiment_id, search, question, budget)
    left = reading.rows[bisect_right(reading.rows, after, key=itemgetter(0)) :]
    page = _iterations(experiment_id, [iteration_id for _, iteration_id in left[:limit]], search, fresh)
    if fresh and limits.MAX_PAGE_ITEMS < limit < len(left):
        # The next pages are large too: one reading of what they include costs less than one for each of them.
        reading = replace(reading, known=_read_included(experiment_id, list(fresh.values()), search, reading.known))
    found, total = with_included(experiment_id, page, search, reading.known), len(reading.rows)
    if len(left) <= limit:
        return Found(found, None, total)
    page_cache.keep(kept, reading)
    return Found(found, encode_cursor(scope, *left[limit - 1][0]), total)


def _key_of_reading(scope: str, search: Search) -> str:
    """The key of a reading in the cache: it holds the included kinds of this search only."""
    kinds = " ".join(sorted(kind.value for kind in search.include))
    return ids.hash_texts(scope, kinds, str(search.consistent), *sorted(search.parameters))


def _iterations(
    experiment_id: str, wanted: Sequence[str], search: Search, fresh: Mapping[str, Iteration]
) -> list[Iteration]:
    """The iterations as they are now. Just read for a table of columns, they have the fields that it shows."""
    if fresh and search.fields is not None:
        return [fresh[each] for each in wanted]
    return projection.find_iterations(experiment_id, wanted, consistent=search.consistent)


def _read(
    experiment_id: str, search: Search, question: Question, budget: Budget
) -> tuple[Reading, dict[str, Iteration]]:
    found, known = find(experiment_id, search, question, budget)
    rows = sorted((sort_key(question.terms, facts), facts.iteration.id) for facts in found)
    return Reading(rows, known), {facts.iteration.id: facts.iteration for facts in found}


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
    fields = {name.key for name in names if name.kind is None} | (search.fields or frozenset())
    fields |= {"labels" for name in names if name.kind is Kind.LABELS}
    iterations = projection.read_iterations(
        experiment_id, search.parent_iteration_id, fields, consistent=search.consistent
    )
    kinds = {name.kind for name in names if name.kind}
    keys = {name.key for name in names if name.kind is Kind.PARAMETERS} | search.parameters
    every = Kind.PARAMETERS in search.include and not search.parameters
    known = read(experiment_id, iterations, kinds, keys=None if every else keys, consistent=search.consistent)
    holds = predicate(question.condition, budget) if question.condition else lambda _: True
    found = [facts for facts in map(known.of, iterations) if holds(facts)]
    return found, known


def with_included(experiment_id: str, iterations: Sequence[Iteration], search: Search, known: Known) -> list[Facts]:
    shown = storage.without_hidden_parents(iterations)
    known = _read_included(experiment_id, shown, search, known)
    return [known.of(iteration) for iteration in shown]


def _read_included(experiment_id: str, iterations: Sequence[Iteration], search: Search, known: Known) -> Known:
    keys = search.parameters or None
    return read(experiment_id, iterations, search.include, keys=keys, known=known, consistent=search.consistent)
