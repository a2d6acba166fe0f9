"""The sequences of one run of Aim: what was tracked under one name and context."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from deardiary.nested import flat
from deardiary_exchange.origins.aim.store import Blob, Custom, Part, Store, number, parts, tree
from deardiary_exchange.origins.origin import is_exact
from deardiary_exchange.origins.origin import number as as_number

SYSTEM = "__system__"
POINTS, LINES = ("float", "float64", "int", "bool"), ("aim.log_line", "aim.log_record")


class Sequence(NamedTuple):
    """``key``: the name of the metric or of the files here. ``start``: the path of the values in the store."""

    key: str
    kind: str
    start: tuple[Part, ...]
    has_steps: bool


class Value(NamedTuple):
    """``content``: a number, text, list, dict or `Custom`."""

    step: int
    time_ms: int
    content: Any


def sequences(run: str, traces: Mapping[Part, Any], contexts: Mapping[Part, Any]) -> list[Sequence]:
    """The sequences of a run, each with a key of its own."""
    found: dict[str, Sequence] = {}
    for context in sorted(traces, key=str):
        for name, trace in sorted(traces[context].items()):
            key = key_of(str(name), contexts.get(context) or {})
            if key in found:
                key = f"{key}/context={context}"
            version = trace.get("version", 1)
            start = ("seqs", *(() if version == 1 else (f"v{version}",)), "chunks", run, context, name)
            found[key] = Sequence(key, trace.get("dtype", "float"), start, version != 1)
    return list(found.values())


def key_of(name: str, context: Mapping[str, Any]) -> str:
    """``loss`` in the context ``{"subset": "val"}`` is ``loss/subset=val``."""
    if name.startswith(SYSTEM):
        name = f"system/{name.removeprefix(SYSTEM)}"
    return "/".join([name, *(f"{key}={value}" for key, value in sorted(flat(context).items()))])


def points(store: Store, sequence: Sequence) -> Iterator[tuple[str, int, int, float]]:
    """The points of a metric, in the order of Aim's keys, which is not that of the steps; and those of its epochs."""
    names = ("val", "time", "epoch", "step")
    columns = (_column(store, sequence, name, index) for index, name in enumerate(names))
    # A process that was killed may have written some of the values.
    for key, cells in groupby(heapq.merge(*columns, key=itemgetter(0)), key=itemgetter(0)):
        row = {names[index]: value for _, index, value in cells}
        step = row.get("step") if sequence.has_steps else number(key)
        value = as_number(row.get("val"))
        if value is None or not isinstance(step, int):
            continue
        time_ms = _milliseconds(row.get("time"))
        yield sequence.key, step, time_ms, value
        if isinstance(row.get("epoch"), int):
            yield f"{sequence.key}/epoch", step, time_ms, row["epoch"]


def has_inexact(store: Store, sequence: Sequence) -> bool:
    return sequence.kind == "int" and not all(is_exact(value) for _, _, value in _column(store, sequence, "val", 0))


def values(store: Store, sequence: Sequence) -> Iterator[Value]:
    """The values that are no numbers, in the order of their steps; large ones are `Blob`."""
    items = ((parts(key), value) for key, value in store.raw(*sequence.start, "val") if key)
    for step, below in groupby(items, key=lambda item: item[0][0]):
        time_ms = _milliseconds(store.value(*sequence.start, "time", step))
        yield Value(int(step), time_ms, tree((path[1:], value) for path, value in below))


def last_ms(store: Store, sequence: Sequence) -> int:
    return max((_milliseconds(value) for _, _, value in _column(store, sequence, "time", 0)), default=0)


def text_of(value: Any) -> str:
    """The words of a line of the terminal, or of a record of the log."""
    fields = value.fields if isinstance(value, Custom) else {}
    if isinstance(fields.get("data"), Blob):
        return str(fields["data"].read())
    extra = fields.get("extra_args")
    return str(fields.get("message", "")) + (f" {json.dumps(extra, default=str)}" if extra else "")


def _column(store: Store, sequence: Sequence, name: str, index: int) -> Iterator[tuple[bytes, int, Any]]:
    return ((key, index, value) for key, value in store.raw(*sequence.start, name) if key)


def _milliseconds(seconds: Any) -> int:
    return round(seconds * 1000) if isinstance(seconds, (int, float)) else 0
