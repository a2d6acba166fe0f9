"""Which columns of a block hold the values of some keys, and these values by row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from chalicelib.storage.blocks.content import (
    PARTS,
    Index,
    field_column,
    field_values,
    metric_column,
    number_of_rest,
    parameter_column,
    rest_column,
)

# The stored value of a column by its name.
Read = Callable[[str], Any]
PARAMETERS, METRICS = "parameters", "metrics"


class LeftOut(Exception):
    """A column is too large for an item: the iterations themselves must be read."""


def columns_of(index: Index, kind: str, keys: Collection[str] | None, parts: Sequence[str] = ()) -> set[str]:
    """The names of the columns that hold these keys (None: all keys) and, of metrics, these parts."""
    single = index.keys[kind] if keys is None else index.keys[kind].intersection(keys)
    names = {name for key in single for name in _singles(kind, key, parts)}
    names |= {rest_column(kind, number) for number in _rests(index, kind, keys)}
    return checked(index, names)


def checked(index: Index, names: set[str]) -> set[str]:
    """The names. LeftOut if the block has no such column because it would be too large."""
    if index.left_out & names:
        raise LeftOut
    return names


def values_of(
    index: Index, kind: str, keys: Collection[str] | None, parts: Sequence[str], read: Read
) -> dict[str, list[Sequence[Any]]]:
    """The values of all rows by key, a sequence for each part (of parameters one). A key without values is absent."""
    single = index.keys[kind] if keys is None else index.keys[kind].intersection(keys)
    found = {key: [read(name) for name in _singles(kind, key, parts)] for key in sorted(single)}
    for number in _rests(index, kind, keys):
        for key, rows in read(rest_column(kind, number)).items():
            if keys is None or key in keys:
                found[key] = _spread(rows, parts, len(index.ids))
    return found


def field_of(index: Index, name: str, read: Read) -> list[Any]:
    return field_values(name, read(field_column(name)), index.ids)


def _singles(kind: str, key: str, parts: Sequence[str]) -> list[str]:
    return [metric_column(part, key) for part in parts] if kind == METRICS else [parameter_column(key)]


def _rests(index: Index, kind: str, keys: Collection[str] | None) -> Collection[int]:
    count = index.rests[kind]
    if keys is None or not count:
        return range(count)
    return {number_of_rest(key, count) for key in keys if key not in index.keys[kind]}


def _spread(rows: Sequence[Sequence[Any]], parts: Sequence[str], count: int) -> list[Sequence[Any]]:
    """The columns of a key in a rest. Its rows are their number, then the value or all parts."""
    positions = [1 + PARTS.index(part) for part in parts] or [1]
    columns: list[list[Any]] = [[None] * count for _ in positions]
    for row in rows:
        for column, position in zip(columns, positions, strict=True):
            column[row[0]] = row[position]
    return list(columns)
