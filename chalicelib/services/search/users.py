"""Usernames in a filter: `created_by = "alice"` compares with the id of alice, for iterations store ids."""

from __future__ import annotations

from chalicelib.errors import InvalidPayload
from chalicelib.limits import MAX_USERNAME_CHARACTERS
from chalicelib.services.search.ast import AllOf, AnyOf, Comparison, Condition, Name, Not, comparisons_in
from chalicelib.services.search.values import NULLS, USER
from chalicelib.storage import user

# One batch of reads for all names of a filter: each needs two keys at most.
MAX_NAMES = 50


def with_ids(condition: Condition, *, may_name: bool = True) -> Condition:
    """Compare with the id of each user whose name is given, and with the text itself. One batch of reads at most.

    InvalidPayload unless the reader `may_name` users: what a filter finds would confirm a name.
    """
    ours = [each for each in comparisons_in(condition) if each.name.type is USER and each.comparator not in NULLS]
    if ours and not may_name:
        message = f"filter, column {ours[0].column}: a shared link does not name users"
        raise InvalidPayload(message, field="filter", column=ours[0].column)
    names = {str(value) for each in ours for value in each.values if len(str(value)) <= MAX_USERNAME_CHARACTERS}
    if len(names) > MAX_NAMES:
        message = f"filter, column {ours[0].column}: a filter names at most {MAX_NAMES} users"
        raise InvalidPayload(message, field="filter", column=ours[0].column)
    return _with_ids(condition, user.find_user_ids(names)) if names else condition


def _with_ids(condition: Condition, ids: dict[str, str]) -> Condition:
    match condition:
        case Not():
            return Not(_with_ids(condition.condition, ids))
        case AllOf():
            return AllOf(tuple(_with_ids(each, ids) for each in condition.conditions))
        case AnyOf():
            return AnyOf(tuple(_with_ids(each, ids) for each in condition.conditions))
        case Comparison(name=Name(type=kind)) if kind is USER and condition.values:
            return _compared(condition, ids)
    return condition


def _compared(comparison: Comparison, ids: dict[str, str]) -> Condition:
    values = tuple(dict.fromkeys(each for value in comparison.values for each in (value, ids.get(str(value), value))))
    is_one = Comparison(comparison.name, "in", values, comparison.column)
    if comparison.comparator != "!=":
        return is_one
    # Like any comparison, != is false without a value.
    return AllOf((Comparison(comparison.name, NULLS[1], (), comparison.column), Not(is_one)))
