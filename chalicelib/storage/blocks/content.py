"""The columns of a block by their names, from its iterations.

    index                   the ids of the iterations, and which columns there are
    fields.NAME             a field of the iterations; a name that follows from the id is null, a time is in µs
    tags                    their tags
    parameters.KEY          values of a parameter that at least one iteration in twenty has
    metrics.PART.KEY        a part of the summaries of such a metric
    rest.KIND.NUMBER        the other keys of a kind with their rows and values, in items by a checksum of the key

A column that is too large for an item is left out, and the index says so: its readers read the iterations.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any, NamedTuple

from chalicelib import clock
from chalicelib.storage.blocks import codec
from chalicelib.storage.points.summary import Summary
from deardiary.wire.names import name_of
from deardiary.wire.shapes import Iteration, IterationStatus

INDEX, TAGS = "index", "tags"
PARTS = ("first", "last", "min", "max", "count", "last_step")
FIELDS = tuple(field.name for field in fields(Iteration) if field.name not in ("id", "experiment_id"))
_TIMES = ("created_date", "end_date")
_COUNTS = ("count", "last_step")
_ONE_IN = 20
# An item has at most 400 KB.
_MOST_BYTES = 350_000
# Of a rest, so that its item stays small: values of a key in a row.
_VALUES_IN_A_REST = 4000


class Row(NamedTuple):
    """An iteration with everything that a table can show of it."""

    iteration: Iteration
    parameters: Mapping[str, str]
    summaries: Mapping[str, Summary]
    tags: Sequence[str]


@dataclass(frozen=True)
class Index:
    """The rows of a block, and the keys that have a column, by kind. `rests`: the number of items of the other keys."""

    ids: Sequence[str]
    keys: Mapping[str, frozenset[str]]
    rests: Mapping[str, int]
    left_out: frozenset[str]

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The row of each iteration."""
        return {iteration_id: row for row, iteration_id in enumerate(self.ids)}


def index_of(value: Mapping[str, Any]) -> Index:
    """The index from its JSON value."""
    keys = {kind: frozenset(some) for kind, some in value["keys"].items()}
    return Index(value["ids"], keys, value["rests"], frozenset(value["left_out"]))


def field_column(name: str) -> str:
    return f"fields.{name}"


def parameter_column(key: str) -> str:
    return f"parameters.{key}"


def metric_column(part: str, key: str) -> str:
    return f"metrics.{part}.{key}"


def rest_column(kind: str, number: int) -> str:
    return f"rest.{kind}.{number}"


def number_of_rest(key: str, rests: int) -> int:
    return zlib.crc32(key.encode()) % rests


def field_values(name: str, stored: Sequence[Any], ids: Sequence[str]) -> list[Any]:
    """The values of a field as in the iterations' shapes."""
    if name == "name":
        return [each or name_of(own_id) for each, own_id in zip(stored, ids, strict=True)]
    if name == "status_id":
        return list(map(IterationStatus, stored))
    if name in _TIMES:
        return [None if each is None else clock.EPOCH + timedelta(microseconds=each) for each in stored]
    return list(stored)


def encode_block(rows: Sequence[Row]) -> dict[str, bytes]:
    """The columns of a block by name."""
    columns = dict(_fields(rows))
    columns[TAGS] = codec.encode_json([list(row.tags) for row in rows])
    parameters, metrics = [row.parameters for row in rows], [row.summaries for row in rows]
    keys = {"parameters": _frequent(parameters), "metrics": _frequent(metrics)}
    for key in keys["parameters"]:
        columns[parameter_column(key)] = codec.encode_json([each.get(key) for each in parameters])
    for key in keys["metrics"]:
        columns.update(_metric(key, metrics))
    rests = {"parameters": _rest(parameters, keys["parameters"]), "metrics": _rest(metrics, keys["metrics"])}
    for kind, items in rests.items():
        columns |= {rest_column(kind, number): codec.encode_json(each) for number, each in enumerate(items)}
    left_out = sorted(name for name, data in columns.items() if len(data) > _MOST_BYTES)
    index = {
        "ids": [row.iteration.id for row in rows],
        "keys": keys,
        "rests": {kind: len(items) for kind, items in rests.items()},
        "left_out": left_out,
    }
    columns[INDEX] = codec.encode_json(index)
    return {name: data for name, data in columns.items() if name not in left_out}


def _fields(rows: Sequence[Row]) -> Iterator[tuple[str, bytes]]:
    for name in FIELDS:
        values = [getattr(row.iteration, name) for row in rows]
        if name in _TIMES:
            yield field_column(name), codec.encode_integers(list(map(_microseconds, values)))
        elif name == "status_id":
            yield field_column(name), codec.encode_integers(list(map(int, values)))
        elif name == "name":
            own = [None if row.iteration.name == name_of(row.iteration.id) else row.iteration.name for row in rows]
            yield field_column(name), codec.encode_json(own)
        else:
            yield field_column(name), codec.encode_json(values)


def _microseconds(time: datetime | None) -> int | None:
    return None if time is None else (time.astimezone(timezone.utc) - clock.EPOCH) // timedelta(microseconds=1)


def _frequent(owned: Sequence[Iterable[str]]) -> list[str]:
    counts = Counter(key for keys in owned for key in keys)
    return sorted(key for key, count in counts.items() if count * _ONE_IN >= len(owned))


def _metric(key: str, metrics: Sequence[Mapping[str, Summary]]) -> Iterator[tuple[str, bytes]]:
    summaries = [each.get(key) for each in metrics]
    for part in PARTS:
        values = [None if each is None else getattr(each, part) for each in summaries]
        encode = codec.encode_integers if part in _COUNTS else codec.encode_floats
        yield metric_column(part, key), encode(values)


def _rest(owned: Sequence[Mapping[str, Any]], without: Iterable[str]) -> list[dict[str, list[list[Any]]]]:
    """The other keys, each with its rows and their values: the text of a parameter, or the parts of a summary."""
    single, values = frozenset(without), dict[str, list[list[Any]]]()
    for row, mapping in enumerate(owned):
        for key in mapping.keys() - single:
            value = mapping[key]
            parts = [value] if isinstance(value, str) else [getattr(value, part) for part in PARTS]
            values.setdefault(key, []).append([row, *parts])
    count = -(-sum(map(len, values.values())) // _VALUES_IN_A_REST)
    items: list[dict[str, list[list[Any]]]] = [{} for _ in range(count)]
    for key, rows in values.items():
        items[number_of_rest(key, count)][key] = rows
    return items
