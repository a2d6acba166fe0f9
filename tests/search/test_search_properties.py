"""Properties of every filter, pattern and order."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidPayload
from chalicelib.services.search.ast import (
    ATTRIBUTES,
    MAPS,
    PARTS,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Kind,
    Name,
    Not,
    Term,
)
from chalicelib.services.search.evaluate import predicate
from chalicelib.services.search.like import Like
from chalicelib.services.search.order import sort_key
from chalicelib.services.search.parse import parse_filter, parse_order
from chalicelib.services.search.scanner import MAX_CHARACTERS
from chalicelib.services.search.values import NULLS, PATTERNS
from tests.search.subjects import facts, ordered, summary

# The machine may be busy.
unhurried = settings(deadline=None)


@unhurried
@given(st.text(alphabet="ab%_\\\n", max_size=8), st.text(alphabet="ab%_\\\n", max_size=8))
def test_a_pattern_matches_what_its_definition_says(pattern: str, text: str) -> None:
    def matches(tokens: str, rest: str) -> bool:
        if not tokens:
            return not rest
        if tokens[0] == "%":
            return matches(tokens[1:], rest) or (bool(rest) and matches(tokens, rest[1:]))
        escaped = tokens[0] == "\\" and tokens[1:2] in ("%", "_", "\\")
        wanted, after = (tokens[1], tokens[2:]) if escaped and tokens[1:] else (tokens[0], tokens[1:])
        fits = rest[:1] == wanted or (wanted == "_" and not escaped)
        return bool(rest) and fits and matches(after, rest[1:])

    assert Like(pattern).matches(text) == matches(pattern, text)


PIECES = [
    "parameters.",
    "metrics.",
    "labels.",
    "tags",
    "status",
    "and ",
    "or ",
    "not ",
    "in ",
    "like ",
    "(",
    ")",
    ",",
    "=",
    "<",
]
PIECES += [
    "is ",
    "null ",
    "contains ",
    "NaN ",
    "-Infinity",
    "'",
    '"',
    "`",
    "\\",
    ".min",
    "1e5",
    "-",
    "true ",
    "2026-01-31",
    " ",
    "x",
    "desc",
]


def column_of_error(parse: Callable[[str], Any], text: str) -> int:
    """The column of the error; 1 without one."""
    try:
        parse(text)
    except InvalidPayload as error:
        return int(error.details["column"])
    return 1


@unhurried
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_any_text_parses_or_is_refused_with_a_column(text: str) -> None:
    for parse in (parse_filter, parse_order):
        assert 1 <= column_of_error(parse, text) <= len(text) + 1


def names() -> st.SearchStrategy[Name]:
    keys = st.text(st.characters(exclude_categories=["Cs"]))
    return st.one_of(
        st.sampled_from([Name(None, field) for field, _ in ATTRIBUTES.values()]),
        st.builds(Name, st.sampled_from(MAPS), keys),
        st.builds(Name, st.just(Kind.METRICS), keys, st.sampled_from(PARTS)),
    )


LITERALS = {
    "a number": st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False)),
    "a text": st.text(st.characters(exclude_categories=["Cs"])),
    "a username": st.text(st.characters(exclude_categories=["Cs"])),
    "a time": st.datetimes(timezones=st.just(timezone.utc)),
    "a status": st.integers(1, 4),
    "true or": st.booleans(),
}


def comparisons() -> st.SearchStrategy[Condition]:
    def literals(name: Name, comparator: str) -> st.SearchStrategy[Condition]:
        if comparator in NULLS:
            return st.just(Comparison(name, comparator, ()))
        kind = "a text" if comparator in PATTERNS else name.type.expected
        value = next(strategy for start, strategy in LITERALS.items() if kind.startswith(start))
        several = st.lists(value, min_size=1, max_size=3 if comparator == "in" else 1).map(tuple)
        return st.builds(Comparison, st.just(name), st.just(comparator), several)

    return (
        st.one_of(names(), st.just(Name(Kind.TAGS)))
        .flatmap(lambda name: st.tuples(st.just(name), st.sampled_from([*name.type.comparators, *NULLS])))
        .flatmap(lambda pair: literals(*pair))
    )


def conditions() -> st.SearchStrategy[Condition]:
    def larger(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(Not, inner), st.builds(AllOf, several), st.builds(AnyOf, several))

    return st.recursive(comparisons(), larger, max_leaves=5)


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


def printed(condition: Condition) -> str:
    match condition:
        case Not():
            return f"not ({printed(condition.condition)})"
        case AllOf():
            return " and ".join(f"({printed(each)})" for each in condition.conditions)
        case AnyOf():
            return " or ".join(f"({printed(each)})" for each in condition.conditions)
        case Comparison():
            values = [printed_value(value) for value in condition.values]
            literal = f"({', '.join(values)})" if condition.comparator == "in" else "".join(values)
            return f"{printed_name(condition.name)} {condition.comparator} {literal}"


def printed_value(value: Any) -> str:
    if isinstance(value, (str, datetime)):
        return quote(value if isinstance(value, str) else value.isoformat())
    return str(value).lower()


def printed_name(name: Name) -> str:
    if name.kind is None:
        return name.key
    if name.kind is Kind.TAGS:
        return "tags"
    return f"{name.kind.value}.{quote(name.key)}" + (f".{name.part}" if name.part else "")


@unhurried
@given(conditions())
def test_a_printed_filter_parses_to_itself(condition: Condition) -> None:
    text = printed(condition)
    if len(text) <= MAX_CHARACTERS:
        assert parse_filter(text) == condition


@unhurried
@given(st.lists(names(), min_size=1, max_size=3), st.booleans())
def test_a_printed_order_parses_to_itself(some: list[Name], descending: bool) -> None:
    text = ", ".join(printed_name(name) + (" desc" if descending else "") for name in some)
    if len(text) <= MAX_CHARACTERS:
        assert parse_order(text) == tuple(Term(name, descending) for name in some)


@unhurried
@given(st.lists(st.one_of(st.none(), st.floats(), st.text(st.characters(exclude_categories=["Cs"])))), st.booleans())
def test_the_order_is_that_of_the_values(values: list[float | str | None], descending: bool) -> None:
    """Numbers, NaN and texts as metrics and notes."""
    some = [
        facts(id=f"{at:03}", summaries={} if not isinstance(value, float) else {"m": summary(value)}, notes=str(value))
        for at, value in enumerate(values)
    ]
    down = " desc" if descending else ""
    given_order = ordered(f"metrics.m{down}", *some)
    assert given_order == ordered(f"metrics.m{down}", *reversed(some))
    numbers = [value for value in values if isinstance(value, float) and not math.isnan(value)]
    read = [values[int(each)] for each in given_order]
    assert read[: len(numbers)] == sorted(numbers, reverse=descending)
    texts = [some[int(each)].iteration.notes for each in ordered(f"notes{down}", *some)]
    assert [text[:60] for text in texts] == sorted((str(value)[:60] for value in values), reverse=descending)


VALUES = st.one_of(st.none(), st.sampled_from(["", "1", "1.0", "nan", "x", "xy%"]), st.text(max_size=4))


@unhurried
@given(VALUES, conditions(), st.booleans())
def test_a_label_is_compared_and_ordered_like_a_parameter(value: str | None, condition: Condition, down: bool) -> None:
    own = {} if value is None else {"k": value}
    one, other = facts(parameters=own), facts(labels=own)
    wanted, given_condition = _of_key(condition, Kind.PARAMETERS), _of_key(condition, Kind.LABELS)
    assert predicate(given_condition)(other) == predicate(wanted)(one)
    terms = [(Term(Name(kind, "k"), down),) for kind in MAPS]
    assert sort_key(terms[1], other) == sort_key(terms[0], one)


def _of_key(condition: Condition, kind: Kind) -> Condition:
    """The same condition, with every parameter or label as the key "k" of this kind; other comparisons stay."""
    match condition:
        case Not():
            return Not(_of_key(condition.condition, kind))
        case AllOf():
            return AllOf(tuple(_of_key(each, kind) for each in condition.conditions))
        case AnyOf():
            return AnyOf(tuple(_of_key(each, kind) for each in condition.conditions))
    return replace(condition, name=Name(kind, "k")) if condition.name.kind in MAPS else condition
