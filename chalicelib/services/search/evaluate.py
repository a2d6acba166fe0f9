"""Evaluation of conditions on iterations.

Every comparison, != too, is false without a value: no such parameter, label or metric, no end_date yet, or a parameter
that is not a number beside a number literal. `not` inverts that: `not parameters.lr = 1` also finds the iterations
without lr, `parameters.lr != 1` does not. `is null` tests for it: no such parameter, label or metric, an attribute
without a value or with an empty text, no tags.

A parameter or label is compared with a number as a number ("0.010" = 0.01), and with a text in quotes as text. A
comparison of tags holds if one tag fits, but tags != "x" holds if no tag is "x".

Only `= NaN` finds NaN: every other comparison of a NaN value is false, != too. `!= NaN` finds the existing values that
are not NaN. NaN is neither less nor greater than any number (IEEE 754).
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from chalicelib.services.search.ast import MAPS, AllOf, AnyOf, Comparison, Condition, Kind, Name, Not
from chalicelib.services.search.budget import CHARACTERS_A_STEP, Budget
from chalicelib.services.search.like import Like, Spend
from chalicelib.services.search.subject import Subject
from chalicelib.services.search.values import NULLS, Value, to_number

Predicate = Callable[[Subject], bool]
Test = Callable[[Value], bool]
_READ_STEPS = 3  # read a parameter and convert it to a number

_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def predicate(condition: Condition, budget: Budget | None = None) -> Predicate:
    """Compile the condition for many iterations. The predicate raises InvalidPayload when it exceeds the budget."""
    return _predicate(condition, budget or Budget())


def _predicate(condition: Condition, budget: Budget) -> Predicate:
    match condition:
        case AllOf():
            parts = [_predicate(each, budget) for each in condition.conditions]
            return lambda facts: all(holds(facts) for holds in parts)
        case AnyOf():
            parts = [_predicate(each, budget) for each in condition.conditions]
            return lambda facts: any(holds(facts) for holds in parts)
        case Not():
            inner = _predicate(condition.condition, budget)
            return lambda facts: not inner(facts)
        case Comparison():
            return _comparison(condition, lambda steps: budget.spend(steps, condition.column))


def _comparison(comparison: Comparison, spend: Spend) -> Predicate:
    name, comparator = comparison.name, comparison.comparator
    if comparator in NULLS:
        return _null(name, spend, wanted=comparator == NULLS[0])
    if name.kind is Kind.TAGS:
        return _of_tags(comparison, spend)
    numbers = tuple(each for each in comparison.values if not isinstance(each, str))
    if name.kind not in MAPS or not numbers:
        return _of_value(name, _test(comparator, comparison.values, spend), spend)
    texts = tuple(each for each in comparison.values if isinstance(each, str))
    as_number = _of_value(name, _test(comparator, numbers, spend), spend, read=_number)
    as_text = _of_value(name, _test(comparator, texts, spend), spend) if texts else None
    return lambda facts: as_number(facts) or bool(as_text and as_text(facts))


def _null(name: Name, spend: Spend, *, wanted: bool) -> Predicate:
    def holds(facts: Subject) -> bool:
        spend(1)
        if name.kind is Kind.TAGS:
            return (not facts.tags) is wanted
        value = facts.value(name)
        return (value is None or (name.kind is None and value == "")) is wanted

    return holds


def _of_tags(comparison: Comparison, spend: Spend) -> Predicate:
    wants_all = comparison.comparator == "!="
    fits = _test(comparison.comparator, comparison.values, spend)

    def holds(facts: Subject) -> bool:
        spend(1 + len(facts.tags))
        return all(map(fits, facts.tags)) if wants_all else any(map(fits, facts.tags))

    return holds


def _of_value(
    name: Name, fits: Test, spend: Spend, *, read: Callable[[Value], Value | None] | None = None
) -> Predicate:
    steps = _READ_STEPS if read else 1

    def holds(facts: Subject) -> bool:
        spend(steps)
        value = facts.value(name)
        if read and value is not None:
            value = read(value)
        return value is not None and fits(value)

    return holds


def _number(value: Value) -> Value | None:
    return to_number(str(value))


def _test(comparator: str, literals: tuple[Value, ...], spend: Spend) -> Test:
    match comparator:
        case "in":
            return _member(literals, spend)
        case "like":
            pattern = Like(str(literals[0]))
            return lambda value: pattern.matches(str(value), spend)
        case "contains":
            return _containing(str(literals[0]), spend)
    literal, compare = literals[0], _COMPARE[comparator]
    if _is_nan(literal):
        return lambda value: comparator in ("=", "!=") and _is_nan(value) is (comparator == "=")
    return lambda value: not _is_nan(value) and compare(value, literal)


def _member(literals: tuple[Value, ...], spend: Spend) -> Test:
    """Membership by one hash look-up, for any number of values."""
    values, takes_nan = frozenset(literals), any(map(_is_nan, literals))

    def fits(value: Value) -> bool:
        if isinstance(value, str):
            spend(len(value) // CHARACTERS_A_STEP)
        return value in values or (takes_nan and _is_nan(value))

    return fits


def _containing(piece: str, spend: Spend) -> Test:
    def fits(value: Value) -> bool:
        text = str(value)
        spend(len(text) // CHARACTERS_A_STEP)
        return piece in text

    return fits


def _is_nan(value: Value) -> bool:
    return value != value
