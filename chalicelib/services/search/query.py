"""The iterations of an experiment: filtered, ordered, with the owned things to include.

Without filter and order a page is read in the order of the table. With either, each reading covers every iteration of
the experiment (or every child of the parent): most of them in column blocks, if it has some (`blocks.py`), the others
by their own items, with one Query more for each kind that is named.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import itemgetter

from chalicelib import ids
from chalicelib.paging import Page, bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import pace
from chalicelib.services.search import page_cache
from chalicelib.services.search.ast import PARTS, Condition, Kind, Name, Term, names_in
from chalicelib.services.search.blocks import Blocks, find_blocks
from chalicelib.services.search.budget import Budget
from chalicelib.services.search.evaluate import Predicate, predicate
from chalicelib.services.search.facts import Facts, Known, read, read_in_pages, read_of_page
from chalicelib.services.search.order import SortKey, sort_key
from chalicelib.services.search.page_cache import Reading
from chalicelib.services.search.parse import parse_filter, parse_order
from chalicelib.services.search.users import with_ids
from chalicelib.storage import iteration as storage
from chalicelib.storage.blocks import request
from chalicelib.storage.blocks.column import Removed
from chalicelib.storage.blocks.lookup import LeftOut
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
    # The wanted metrics, or all, and the wanted parts of their summaries.
    metrics: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset(PARTS)

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
    question = question_of(search, may_name=actor.reach is None)
    return page_of(experiment_id, search, question, limit, cursor, Budget())


def question_of(search: Search, *, may_name: bool = True) -> Question:
    """Parse filter and order, and find the users they name. InvalidPayload, with the column, if they do not parse.

    With `may_name` a filter may name users.
    """
    return Question(
        with_ids(parse_filter(search.filter), may_name=may_name) if search.filter.strip() else None,
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
    # A smaller page has few rows, next to each other: columns would cost as much.
    is_large = bool(search.include) and len(page.data) > limits.MAX_PAGE_ITEMS
    blocks = find_blocks(experiment_id, consistent=search.consistent) if is_large else None
    if is_large and (blocks is None or page.data[-1].id > blocks.last):
        request.request(experiment_id)
    return Found(with_included(experiment_id, page.data, search, Known(), blocks), page.next_cursor)


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
    blocks = blocks_for(experiment_id, search, question)
    reading, fresh = (cached, {}) if cached else _read(experiment_id, search, question, budget, blocks)
    left = reading.rows[bisect_right(reading.rows, after, key=itemgetter(0)) :]
    page = _iterations(experiment_id, [iteration_id for _, iteration_id in left[:limit]], search, fresh, blocks)
    if fresh and blocks is None and limits.MAX_PAGE_ITEMS < limit < len(left):
        # The next pages are large too: one reading of what they include costs less than one for each of them.
        reading = replace(reading, known=_read_included(experiment_id, list(fresh.values()), search, reading.known))
    found, total = with_included(experiment_id, page, search, reading.known, blocks), len(reading.rows)
    if len(left) <= limit:
        return Found(found, None, total)
    page_cache.keep(kept, reading)
    return Found(found, encode_cursor(scope, *left[limit - 1][0]), total)


def blocks_for(experiment_id: str, search: Search, question: Question) -> Blocks | None:
    """The blocks of the experiment if they can answer the question. A deletion changes the parents of other rows."""
    names_parent = any(name.kind is None and name.key == "parent_iteration_id" for name in question.names())
    if search.parent_iteration_id is not None or names_parent:
        return None
    return find_blocks(experiment_id, consistent=search.consistent)


def _key_of_reading(scope: str, search: Search) -> str:
    """The key of a reading in the cache: it holds the included kinds of this search only."""
    kinds = " ".join(sorted(kind.value for kind in search.include))
    return ids.hash_texts(scope, kinds, str(search.consistent), *sorted(search.parameters))


def _iterations(
    experiment_id: str, wanted: Sequence[str], search: Search, fresh: Mapping[str, Iteration], blocks: Blocks | None
) -> list[Iteration]:
    """The iterations as they are now. Just read for a table of columns, they have the fields that it shows."""
    if search.fields is None:
        fresh = {}
    packed = _packed_iterations(wanted, search, blocks) if blocks else {}
    left = [each for each in wanted if each not in packed and each not in fresh]
    found = {each.id: each for each in projection.find_iterations(experiment_id, left, consistent=search.consistent)}
    known = {**fresh, **packed, **found}
    return [known[each] for each in wanted if each in known]


def _packed_iterations(wanted: Sequence[str], search: Search, blocks: Blocks) -> dict[str, Iteration]:
    """Those that are in blocks, unchanged: all copies of the table agree on them. None if the blocks have gone."""
    try:
        rows = blocks.rows_of(wanted)
        fields = None if search.fields is None else rows.fields(search.fields)
    except Removed:
        return {}
    if fields is not None:
        return {each: projection.iteration_of(blocks.experiment_id, each, given) for each, given in fields.items()}
    found = projection.find_iterations(blocks.experiment_id, rows.ids, consistent=False)
    return {each.id: each for each in found}


def _read(
    experiment_id: str, search: Search, question: Question, budget: Budget, blocks: Blocks | None
) -> tuple[Reading, dict[str, Iteration]]:
    """All rows found, and the iterations that were read for it."""
    packed = _find_in_blocks(question, budget, blocks) if blocks else None
    found, known = (
        find(experiment_id, search, question, budget)
        if blocks is None or packed is None
        else (_find_apart(experiment_id, search, question, budget, blocks), Known())
    )
    rows = [(sort_key(question.terms, facts), facts.id) for facts in found]
    return Reading(sorted(rows + (packed or [])), known), {facts.id: facts.iteration for facts in found}


def _find_in_blocks(question: Question, budget: Budget, blocks: Blocks) -> list[tuple[SortKey, str]] | None:
    """The rows of the blocks for which the condition holds; None if the blocks cannot tell."""
    holds = _holds(question, budget)
    try:
        rows = blocks.read_rows(set(question.names()))
        return [(sort_key(question.terms, row), row.id) for row in rows if holds(row)]
    except (LeftOut, Removed):
        return None


def _find_apart(experiment_id: str, search: Search, question: Question, budget: Budget, blocks: Blocks) -> list[Facts]:
    """The same of the iterations that are in no block, or not as it has them."""
    fields, consistent = _fields(search, question), search.consistent
    iterations = projection.find_iterations(experiment_id, blocks.ids_apart(), fields, consistent=consistent)
    iterations += projection.read_between(experiment_id, blocks.last, None, fields, consistent=consistent)
    if len(iterations) >= request.ENOUGH_ROWS:
        request.request(experiment_id)
    kinds, keys = _kinds_and_keys(search, question)
    known = read_in_pages(experiment_id, iterations, kinds, keys, Known(), consistent=consistent)
    return list(filter(_holds(question, budget), map(known.of, iterations)))


def _position(cursor: str | None, scope: str, length: int) -> SortKey:
    if cursor is None:
        return ()
    of, *position = decode_cursor(cursor, 1 + length)
    if of != scope:
        raise bad_cursor()
    return tuple(position)


def find_rows(experiment_id: str, search: Search, question: Question, budget: Budget) -> list[tuple[SortKey, str]]:
    """Sort keys and ids of the iterations for which the condition holds."""
    reading, _ = _read(experiment_id, search, question, budget, blocks_for(experiment_id, search, question))
    return reading.rows


def find(experiment_id: str, search: Search, question: Question, budget: Budget) -> tuple[list[Facts], Known]:
    """The iterations for which the condition holds, and the owned things read for it, which can be included."""
    iterations = projection.read_iterations(
        experiment_id, search.parent_iteration_id, _fields(search, question), consistent=search.consistent
    )
    if len(iterations) >= request.ENOUGH_ROWS:
        request.request(experiment_id)
    kinds, keys = _kinds_and_keys(search, question)
    known = read(experiment_id, iterations, kinds, keys=keys, consistent=search.consistent)
    return list(filter(_holds(question, budget), map(known.of, iterations))), known


def _holds(question: Question, budget: Budget) -> Predicate:
    return predicate(question.condition, budget) if question.condition else lambda _: True


def _fields(search: Search, question: Question) -> frozenset[str]:
    """The fields of the iterations to read."""
    names = question.names()
    fields = {name.key for name in names if name.kind is None} | (search.fields or frozenset())
    return frozenset(fields | {"labels" for name in names if name.kind is Kind.LABELS})


def _kinds_and_keys(search: Search, question: Question) -> tuple[set[Kind], frozenset[str] | None]:
    """The kinds to read, and the keys of the parameters; None for all."""
    names = question.names()
    keys = {name.key for name in names if name.kind is Kind.PARAMETERS} | search.parameters
    every = Kind.PARAMETERS in search.include and not search.parameters
    return {name.kind for name in names if name.kind}, None if every else frozenset(keys)


def with_included(
    experiment_id: str, iterations: Sequence[Iteration], search: Search, known: Known, blocks: Blocks | None = None
) -> list[Facts]:
    shown = storage.without_hidden_parents(iterations)
    known = _read_included(experiment_id, shown, search, known, blocks)
    return [known.of(iteration) for iteration in shown]


def _read_included(
    experiment_id: str, iterations: Sequence[Iteration], search: Search, known: Known, blocks: Blocks | None = None
) -> Known:
    keys = search.parameters or None
    if blocks is not None and known == Known():
        with suppress(Removed):
            return read_of_page(
                iterations,
                search.include,
                blocks,
                keys=keys,
                metrics=search.metrics or None,
                parts=search.parts,
                consistent=search.consistent,
            )
    return read(experiment_id, iterations, search.include, keys=keys, known=known, consistent=search.consistent)
