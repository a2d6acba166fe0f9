"""Searches in memory: rows that pass all comparisons of a filter, in an order, with the keys of their pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from chalicelib.routes.mlflow import filters
from chalicelib.routes.mlflow.errors import refuse
from chalicelib.routes.mlflow.filters import Clause, Grammar, Name, Value
from chalicelib.services.search.budget import Budget

T = TypeVar("T")

# A registered model with this tag is a prompt: searches find it only if they compare the tag.
PROMPT_TAG = "mlflow.prompt.is_prompt"


class Rank(NamedTuple, Generic[T]):
    """What rows are ordered by."""

    value_of: Callable[[T], Value | None]
    descending: bool


class Search(Generic[T]):
    """A filter and an order. `value_of` returns what a name means for a row; `ties` orders rows that are equal."""

    def __init__(
        self,
        filter_text: str,
        order_by: Sequence[str],
        grammar: Grammar,
        ties: Sequence[str],
        value_of: Callable[[T, Name], Value | None],
    ) -> None:
        self._clauses = filters.parse_filter(filter_text, grammar)
        given = [filters.parse_order(each, grammar) for each in order_by]
        names = [each.name for each in given]
        if len(set(names)) < len(names):
            refuse(f"`order_by` contains duplicate fields: {list(order_by)}", "order_by")
        last = [filters.parse_order(each, grammar) for each in ties]
        terms = given + [each for each in last if each.name not in names]
        self._ranks = [Rank(partial(_value, value_of, each.name), each.descending) for each in terms]
        self._tests = [(each.name, test) for each, test in tests_of(self._clauses)]
        self._value_of = value_of

    def names(self, key: str) -> list[str] | None:
        """The only values of this attribute that the filter lets pass; None if it lets any number pass."""
        for each in self._clauses:
            if each.name == Name("attribute", key) and each.comparator == "=":
                return [str(each.value)]
            if each.name == Name("attribute", key) and each.comparator == "IN" and isinstance(each.value, tuple):
                return list(each.value)
        return None

    def asks_for_prompts(self) -> bool:
        wanted = {("=", "true"), ("!=", "false")}
        of_tag = [each for each in self._clauses if each.name == Name("tag", PROMPT_TAG)]
        return any((each.comparator, str(each.value).lower()) in wanted for each in of_tag)

    def rows(self, everything: Iterable[T]) -> list[tuple[tuple[str, ...], T]]:
        """The rows that pass, each with its key."""
        return keyed(in_order([each for each in everything if self._passes(each)], self._ranks))

    def _passes(self, row: T) -> bool:
        return all(test(self._value_of(row, name)) for name, test in self._tests)


def tests_of(clauses: Iterable[Clause]) -> list[tuple[Clause, Callable[[Value | None], bool]]]:
    """Each comparison with its test. They share the limit of work of one request."""
    spend = partial(Budget().spend, column=1)
    return [(each, filters.test_of(each, spend)) for each in clauses]


def in_order(rows: Iterable[T], ranks: Sequence[Rank[T]]) -> list[T]:
    """The rows by the first rank, equal ones by the next. NaN is after numbers, missing last, in both directions."""
    ordered = list(rows)
    for rank in reversed(ranks):
        values = [(rank.value_of(row), row) for row in ordered]
        known = [each for each in values if each[0] is not None and each[0] == each[0]]
        known.sort(key=_first, reverse=rank.descending)
        nan = [each for each in values if each[0] is not None and each[0] != each[0]]
        ordered = [row for _, row in [*known, *nan, *(each for each in values if each[0] is None)]]
    return ordered


def keyed(rows: Iterable[T]) -> list[tuple[tuple[str, ...], T]]:
    """The rows with keys for `paging`: their indexes, because no sort key of MLflow's is unique."""
    return [((f"{index:09}",), row) for index, row in enumerate(rows)]


def is_prompt(labels: Mapping[str, str]) -> bool:
    return labels.get(PROMPT_TAG, "false").lower() == "true"


def tag_of(labels: Mapping[str, str], key: str) -> str | None:
    return labels.get(key, "false" if key == PROMPT_TAG else None)


def _value(value_of: Callable[[T, Name], Value | None], name: Name, row: T) -> Value | None:
    return value_of(row, name)


def _first(pair: tuple[Value | None, object]) -> Value:
    return pair[0] or 0 if not isinstance(pair[0], str) else pair[0]
