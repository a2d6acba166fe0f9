"""A table of iterations as columns: each field, parameter and metric is a list with an entry for each row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from chalicelib.routes.http.answer import TooManyRows
from deardiary.wire.form import encode_float, to_json
from deardiary.wire.shapes import Iteration

if TYPE_CHECKING:
    from typing import TypeAlias

    from chalicelib.services.search.facts import Facts

    FieldName: TypeAlias = str
    FieldColumns: TypeAlias = dict[str, list[Any]]
else:
    _HINTS = {name: hint for name, hint in get_type_hints(Iteration).items() if name != "id"}
    FieldName = Literal[tuple(_HINTS)]
    FieldColumns = make_dataclass(
        "FieldColumns", [(name, list[hint], field(default_factory=list)) for name, hint in _HINTS.items()]
    )

Part = Literal["first", "last", "min", "max", "count", "last_step"]
# Of a table in memory; with each a null, it is ten times as long as an answer can be.
MAX_CELLS = 10_000_000
FIELDS = tuple(each.name for each in fields(Iteration) if each.name != "id")


@dataclass(frozen=True, slots=True)
class SummaryColumns:
    """The wanted parts of the summaries of one metric. null: the iteration has no such metric."""

    first: list[float | None] = field(default_factory=list)
    last: list[float | None] = field(default_factory=list)
    min: list[float | None] = field(default_factory=list)
    max: list[float | None] = field(default_factory=list)
    count: list[int | None] = field(default_factory=list)
    last_step: list[int | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class IterationColumns:
    """The columns of a table; every list is as long as ``ids``. A kind that was not asked for is left out."""

    fields: FieldColumns
    parameters: dict[str, list[str | None]] = field(default_factory=dict)
    metrics: dict[str, SummaryColumns] = field(default_factory=dict)
    tags: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class IterationTable:
    """A page of a list as columns. ``total``: the number of iterations that a filter or an order found."""

    ids: list[str]
    columns: IterationColumns
    next_cursor: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted columns. Without names, the keys of the rows, `most_keys` of a kind; with None none of that kind."""

    fields: Sequence[str]
    parameters: Sequence[str] | None
    metrics: Sequence[str] | None
    parts: Sequence[str]
    tags: bool
    most_keys: int | None = None


def columns_of(rows: Sequence[Facts], wanted: Wanted) -> dict[str, Any]:
    """The JSON form of `IterationColumns`."""
    columns: dict[str, Any] = {
        "fields": {name: [to_json(getattr(each.iteration, name)) for each in rows] for name in wanted.fields}
    }
    if wanted.parameters is not None:
        keys = wanted.parameters or _keys((each.parameters for each in rows), wanted.most_keys)
        _check_size(rows, keys)
        columns["parameters"] = {key: [each.parameters.get(key) for each in rows] for key in keys}
    if wanted.metrics is not None:
        keys = wanted.metrics or _keys((each.summaries for each in rows), wanted.most_keys)
        _check_size(rows, keys)
        columns["metrics"] = {key: _metric(rows, key, wanted.parts) for key in keys}
    if wanted.tags:
        columns["tags"] = [each.tags for each in rows]
    return columns


def _check_size(rows: Sequence[Facts], keys: Sequence[str]) -> None:
    """TooManyRows if each row has keys of its own: their nulls would fill the memory of the server."""
    if len(rows) > 1 and len(rows) * len(keys) > MAX_CELLS:
        raise TooManyRows(max(1, min(len(rows) - 1, MAX_CELLS // len(keys))))


def _keys(owned: Iterable[Iterable[str]], most: int | None) -> list[str]:
    """The keys in use, in order; the `most` that most rows have."""
    counts = Counter(key for keys in owned for key in keys)
    return sorted(sorted(counts, key=lambda key: (-counts[key], key))[:most])


def _metric(rows: Sequence[Facts], key: str, parts: Sequence[str]) -> dict[str, list[Any]]:
    summaries = [each.summaries.get(key) for each in rows]
    return {part: [None if each is None else _number(getattr(each, part)) for each in summaries] for part in parts}


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else encode_float(value)
