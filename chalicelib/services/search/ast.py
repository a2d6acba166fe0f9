"""Syntax trees of filters and orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from chalicelib.services.search import values
from chalicelib.services.search.values import Type, Value


class Kind(Enum):
    """Kinds of things that an iteration owns, as filters and `include` name them."""

    PARAMETERS = "parameters"
    METRICS = "metrics"
    TAGS = "tags"
    LABELS = "labels"


# Texts by key, which may be numbers.
MAPS = (Kind.PARAMETERS, Kind.LABELS)


# The iteration's own fields, by their names in a filter.
ATTRIBUTES: dict[str, tuple[str, Type]] = {
    "id": ("id", values.TEXT),
    "status": ("status_id", values.STATUS),
    "status_id": ("status_id", values.STATUS),
    "name": ("name", values.TEXT),
    "notes": ("notes", values.TEXT),
    "created_by": ("created_by", values.USER),
    "created_date": ("created_date", values.TIME),
    "end_date": ("end_date", values.TIME),
    "parent_iteration_id": ("parent_iteration_id", values.TEXT),
    "error_message": ("error_message", values.TEXT),
    "python_version": ("python_version", values.TEXT),
    "julia_version": ("julia_version", values.TEXT),
    "git_sha": ("git_sha", values.TEXT),
    "git_dirty": ("git_dirty", values.FLAG),
    "entrypoint": ("entrypoint", values.TEXT),
}
PARTS = ("first", "last", "min", "max", "count", "last_step")


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute (no kind; key is the field), a parameter or label, a part of a summary, or the tags (no key)."""

    kind: Kind | None
    key: str = ""
    part: str = ""

    @property
    def type(self) -> Type:
        match self.kind:
            case Kind.PARAMETERS | Kind.LABELS:
                return values.NUMBER_OR_TEXT
            case Kind.METRICS:
                return values.NUMBER
            case Kind.TAGS:
                return values.TAG
            case None:
                return ATTRIBUTES[self.key][1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A name compared with one value; with several after `in`, with none after `is null` and `is not null`."""

    name: Name
    comparator: str
    values: tuple[Value, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Condition, ...]


Condition = Comparison | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order."""

    name: Name
    descending: bool = False


def comparisons_in(condition: Condition) -> Iterator[Comparison]:
    match condition:
        case Comparison():
            yield condition
        case Not():
            yield from comparisons_in(condition.condition)
        case AllOf() | AnyOf():
            for each in condition.conditions:
                yield from comparisons_in(each)


def names_in(condition: Condition) -> Iterator[Name]:
    return (each.name for each in comparisons_in(condition))
