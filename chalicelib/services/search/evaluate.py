"""Whether a condition holds for an iteration.

A comparison is false, whatever its comparator, != too, when there is nothing to compare: no such parameter or metric,
no end_date yet, a metric that is NaN, a parameter that is no number against a literal that is one. `not` makes true of
that false: `not parameters.lr = 1` finds the iterations without lr as well, `parameters.lr != 1` does not.

A parameter is compared as a number with a number ("0.010" = 0.01), as text with a text in quotes. Tags are many: a
comparison holds when one of them fits, but tags != "x" holds when none is "x".
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from chalicelib.services.search.facts import Facts
from chalicelib.services.search.like import Like
from chalicelib.services.search.tree import AllOf, AnyOf, Comparison, Condition, Kind, Name, Not
from chalicelib.services.search.values import Value, to_number

Predicate = Callable[[Facts], bool]

_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def predicate(condition: Condition) -> Predicate:
    """The condition, ready for many iterations."""
    match condition:
        case AllOf():
            parts = [predicate(each) for each in condition.conditions]
            return lambda facts: all(holds(facts) for holds in parts)
        case AnyOf():
            parts = [predicate(each) for each in condition.conditions]
            return lambda facts: any(holds(facts) for holds in parts)
        case Not():
            inner = predicate(condition.condition)
            return lambda facts: not inner(facts)
        case Comparison():
            comparator = "=" if condition.comparator == "in" else condition.comparator
            parts = [_comparison(condition.name, comparator, value) for value in condition.values]
            return lambda facts: any(holds(facts) for holds in parts)


def _comparison(name: Name, comparator: str, literal: Value) -> Predicate:
    fits = _test(comparator, literal)
    if name.kind is Kind.TAGS:
        if comparator == "!=":
            return lambda facts: literal not in facts.tags
        return lambda facts: any(fits(value) for value in facts.tags)
    as_number = name.kind is Kind.PARAMETERS and not isinstance(literal, str)

    def holds(facts: Facts) -> bool:
        value = facts.value(name)
        if as_number and value is not None:
            value = to_number(str(value))
        # Only NaN is not itself.
        return value is not None and value == value and fits(value)

    return holds


def _test(comparator: str, literal: Value) -> Callable[[Value], bool]:
    if comparator == "like":
        pattern = Like(str(literal))
        return lambda value: pattern.matches(str(value))
    compare = _COMPARE[comparator]
    return lambda value: compare(value, literal)
