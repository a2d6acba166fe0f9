"""Filters and orders of MLflow's searches: comparisons joined by AND, and terms such as `metrics.loss DESC`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.routes.mlflow.errors import refuse
from chalicelib.services.search.like import Like, Spend

Value = float | str

_NUMBERS = ("=", "!=", "<", "<=", ">", ">=")
_TEXTS = ("=", "!=", "LIKE", "ILIKE")
_LISTS = ("IN", "NOT IN")
_NULLS = ("IS NULL", "IS NOT NULL")
_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NAMES = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("parameter", "parameters", "param", "params"), "parameter"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}
_QUOTED_KEY = r"`[^`]*`|\"[^\"]*\""
_NAME = re.compile(rf"(?:(`?\w+`?)\s*\.\s*)?({_QUOTED_KEY}|\w[\w.]*)")
_COMPARATOR = re.compile(
    r"\s*(!=|<>|<=|>=|=|<|>|(?:IS\s+NOT\s+NULL|IS\s+NULL|NOT\s+IN|IN|I?LIKE|RLIKE)\b)\s*", re.IGNORECASE
)
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|[^\s]+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LIST = re.compile(r"\(\s*(?:'[^']*'|\"[^\"]*\")(?:\s*,\s*(?:'[^']*'|\"[^\"]*\"))*\s*,?\s*\)")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
_TERM = re.compile(rf"\s*((?:`?\w+`?\s*\.\s*)?(?:{_QUOTED_KEY}|\w[\w.]*))(?:\s+(\w+))?\s*")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a search compares: kinds of names, and the attributes by type. `lists`: those that IN accepts."""

    kinds: Collection[str]
    numbers: Collection[str]
    texts: Collection[str]
    lists: Collection[str] = ()
    null_kinds: Collection[str] = ("tag", "parameter")
    order_kinds: Collection[str] = ("attribute",)
    aliases: Mapping[str, str] | None = None


class Name(NamedTuple):
    kind: str
    key: str


class Clause(NamedTuple):
    """A comparison. `value` is None after IS NULL and IS NOT NULL."""

    name: Name
    comparator: str
    value: Value | tuple[str, ...] | None


class Term(NamedTuple):
    name: Name
    descending: bool


def parse_filter(text: str, grammar: Grammar) -> list[Clause]:
    """InvalidPayload for a filter that does not parse."""
    clauses: list[Clause] = []
    index, text = 0, text.strip()
    while index < len(text):
        if clauses:
            joined = _AND.match(text, index)
            if joined is None:
                refuse(f"Invalid clause(s) in filter string: '{text[index:].strip()}'", "filter")
            index = joined.end()
        clause, index = _clause(text, index, grammar)
        clauses.append(clause)
    return clauses


def parse_order(text: str, grammar: Grammar) -> Term:
    """InvalidPayload for a term that does not parse."""
    found = _TERM.fullmatch(text)
    if found is None:
        refuse(f"Invalid order_by clause '{text}'. Could not be parsed.", "order_by")
    direction = (found[2] or "asc").lower()
    if direction not in ("asc", "desc"):
        refuse(f"Invalid ordering key in order_by clause '{text}'.", "order_by")
    name = _name(found[1], grammar)
    if name.kind not in grammar.order_kinds:
        refuse(f"Invalid order_by entity type '{name.kind}'", "order_by")
    return Term(name, direction == "desc")


def test_of(clause: Clause, spend: Spend) -> Callable[[Value | None], bool]:
    """A test of the values of this name. A missing value passes IS NULL only; NaN compares as IEEE 754 says."""
    if clause.comparator in _NULLS:
        wanted = clause.comparator == "IS NULL"
        return lambda value: (value is None) is wanted
    compare = _comparison(clause, spend)

    def test(value: Value | None) -> bool:
        spend(1)
        return value is not None and compare(value)

    return test


def _comparison(clause: Clause, spend: Spend) -> Callable[[Value], bool]:
    comparator, wanted = clause.comparator, clause.value
    if isinstance(wanted, tuple):
        members, is_in = frozenset(wanted), comparator == "IN"
        return lambda value: (value in members) is is_in
    if comparator in ("LIKE", "ILIKE"):
        # MLflow's LIKE has no escapes.
        pattern = str(wanted).replace("\\", "\\\\")
        if comparator == "LIKE":
            like = Like(pattern)
            return lambda value: like.matches(str(value), spend)
        folded = Like(pattern.lower())
        return lambda value: folded.matches(str(value).lower(), spend)
    compare = _COMPARE[comparator]
    return lambda value: wanted is not None and compare(value, wanted)


def _clause(text: str, start: int, grammar: Grammar) -> tuple[Clause, int]:
    named = _NAME.match(text, start)
    if named is None:
        refuse(f"Invalid clause(s) in filter string: '{text[start:]}'", "filter")
    compared = _COMPARATOR.match(text, named.end())
    if compared is None:
        refuse(f"Invalid clause(s) in filter string: '{text[start:]}'", "filter")
    name = _name(named[0], grammar)
    comparator = " ".join(compared[1].upper().split())
    comparator = "!=" if comparator == "<>" else comparator
    if comparator in _NULLS:
        return Clause(name, _check_null(name, comparator, grammar), None), compared.end(1)
    value = _VALUE.match(text, compared.end())
    if value is None:
        refuse(f"Invalid clause(s) in filter string: '{text[start:]}'", "filter")
    _check_comparator(name, comparator, grammar)
    return Clause(name, comparator, _value(name, comparator, value[0], grammar)), value.end()


def _name(text: str, grammar: Grammar) -> Name:
    found = _NAME.fullmatch(text.strip())
    if found is None:
        refuse(f"Invalid identifier {text!r}.", "filter")
    given, key = (found[1] or "attribute").strip("`"), found[2]
    kind = _NAMES.get(given)
    if kind is None or kind not in grammar.kinds:
        refuse(f"Invalid entity type '{given}'. Valid values are {sorted(grammar.kinds)}", "filter")
    key = key[1:-1] if key[0] in '`"' else key
    key = (grammar.aliases or {}).get(key, key)
    if kind == "attribute" and key not in (*grammar.numbers, *grammar.texts):
        valid = sorted((*grammar.numbers, *grammar.texts))
        refuse(f"Invalid attribute key '{key}' specified. Valid keys are '{valid}'", "filter")
    if kind == "dataset" and key not in ("name", "digest", "context"):
        refuse(f"Invalid dataset key '{key}' specified. Valid keys are 'name', 'digest', 'context'", "filter")
    return Name(kind, key)


def _is_number(name: Name, grammar: Grammar) -> bool:
    return name.kind == "metric" or (name.kind == "attribute" and name.key in grammar.numbers)


def _takes_lists(name: Name, grammar: Grammar) -> bool:
    return name.kind == "dataset" or (name.kind == "attribute" and name.key in grammar.lists)


def _check_null(name: Name, comparator: str, grammar: Grammar) -> str:
    if name.kind not in grammar.null_kinds:
        refuse(f"IS NULL / IS NOT NULL is only supported for tags and params, not for '{name.kind}' '{name.key}'")
    return comparator


def _check_comparator(name: Name, comparator: str, grammar: Grammar) -> None:
    valid = _NUMBERS if _is_number(name, grammar) else _TEXTS
    if comparator in _LISTS and name.kind in ("attribute", "dataset") and valid is _TEXTS:
        if not _takes_lists(name, grammar):
            refuse(
                f"Only {sorted(grammar.lists)} attributes support comparison with a list of quoted string values.",
                "filter",
            )
        return
    if comparator not in valid:
        refuse(f"Invalid comparator '{comparator}' not one of '{list(valid)}'", "filter")


def _value(name: Name, comparator: str, text: str, grammar: Grammar) -> Value | tuple[str, ...]:
    if comparator in _LISTS:
        if not _LIST.fullmatch(text):
            refuse(
                "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed"
                " list.",
                "filter",
            )
        return tuple(one or other for one, other in _TEXT.findall(text))
    if _is_number(name, grammar):
        if not _NUMBER.fullmatch(text):
            what = "metric" if name.kind == "metric" else f"numeric attribute: {name.key}"
            refuse(f"Expected numeric value type for {what}. Found {text}", "filter")
        return float(text)
    found = _TEXT.fullmatch(text)
    if found is None:
        if _NUMBER.fullmatch(text):
            refuse(
                f"Expected a quoted string value for {name.kind} (e.g. 'my-value'). Got value {text}",
                "filter",
            )
        refuse(
            "Parameter value is either not quoted or unidentified quote types used for string value"
            f" {text}. Use either single or double quotes.",
            "filter",
        )
    return found[1] if found[1] is not None else found[2]
