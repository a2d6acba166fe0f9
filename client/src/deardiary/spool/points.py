"""Conversion of points to lines of a spool, and of lines to the columns of a request.

The speed of the first determines the cost of `log`.
"""

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deardiary.values import Number, as_float, checked_key
from deardiary.wire import limits
from deardiary.wire.form import encode_float
from deardiary.wire.times import format_time, from_milliseconds

_log = logging.getLogger(__name__)

Columns = dict[str, dict[str, list[Any]]]
Row = tuple[str, float | str, int | None, int]  # key, value as in JSON, step, milliseconds since 1970

_PER_LINE = 1000
# The server's limit counts the keys of all processes together.
MAX_KEY_BYTES = limits.MAX_SUMMARIES_BYTES - limits.SUMMARIES_HEAD_BYTES


class PointEncoder:
    """Encodes the points of lines like ``{"at":1700000000000,"step":7,"points":{"loss":0.5,"accuracy":"NaN"}}``.

    If the steps of a line's points differ, "steps" is a list of them.
    """

    def __init__(self) -> None:
        self._quoted: dict[str, str] = {}
        self._skipped: set[str] = set()
        self._room = MAX_KEY_BYTES

    def values(self, metrics: Mapping[str, Number | None]) -> list[str]:
        """Each point as the text of a JSON member. None values are skipped, with one warning per key.

        TypeError or ValueError that names the key for an invalid value, and for more keys than an iteration can hold.
        """
        try:
            items = metrics.items()
        except AttributeError:
            raise TypeError(f"Metrics are numbers by key, {{'loss': 0.5}}, not {type(metrics).__name__}") from None
        known = len(self._quoted)
        try:
            return self._texts(items)
        except (TypeError, ValueError):
            self._forget(known)
            raise

    def _texts(self, items: Iterable[tuple[str, Number | None]]) -> list[str]:
        quoted = self._quoted
        texts = []
        for key, value in items:
            name = quoted.get(key) or self._quote(key)
            if type(value) is float:
                number = value
            elif value is None:
                self._skip(key)
                continue
            else:
                number = as_float(key, value)
            # `x - x` is 0.0 only for finite x; `repr` round-trips every finite float.
            texts.append(f'{name}"{encode_float(number)}"' if number - number else f"{name}{number!r}")
        return texts

    def _skip(self, key: str) -> None:
        if key not in self._skipped:
            self._skipped.add(key)
            _log.warning("The value of %r is None: such values are not recorded", key)

    def _quote(self, key: str) -> str:
        text = f"{json.dumps(checked_key(key))}:"
        size = _size_of(key)
        if size > self._room:
            raise ValueError(f"There is no room for the key {key!r} beside the {len(self._quoted)} of this iteration")
        self._room -= size
        self._quoted[key] = text
        return text

    def _forget(self, known: int) -> None:
        """Forget all but the first ``known`` keys: a call that fails records nothing and uses no room."""
        while len(self._quoted) > known:
            self._room += _size_of(self._quoted.popitem()[0])


def _size_of(key: str) -> int:
    return len(key.encode()) + limits.SUMMARY_RECORD_BYTES


def bodies(texts: list[str], steps: Sequence[int | None], at: int) -> Iterator[tuple[str, int]]:
    """The JSON of each line and its number of points; a line holds at most 1,000."""
    for first in range(0, len(texts), _PER_LINE):
        members, part = texts[first : first + _PER_LINE], steps[first : first + _PER_LINE]
        yield f'{{"at":{at},{_steps(part)},"points":{{{",".join(members)}}}}}', len(members)


def _steps(steps: Sequence[int | None]) -> str:
    first = steps[0]
    if steps.count(first) == len(steps):
        return f'"step":{"null" if first is None else first}'
    return f'"steps":{json.dumps(steps)}'


def rows(entry: Mapping[str, Any]) -> Iterator[Row]:
    """The points of a record, in the order in which they were logged. TypeError if their time is not a number."""
    recorded_ms, points = entry["at"], entry["points"]
    from_milliseconds(recorded_ms)
    steps: Iterable[int | None] = entry["steps"] if "steps" in entry else itertools.repeat(entry["step"])
    for (key, value), step in zip(points.items(), steps, strict=False):
        yield key, value, step, recorded_ms


def columns(points: Iterable[Row]) -> Columns:
    """Points as columns per key, which are several times smaller than a list of points."""
    found: Columns = {}
    texts: dict[int, str] = {}
    for key, value, step, recorded_ms in points:
        column = found.get(key)
        if column is None:
            column = found[key] = {"step": [], "value": [], "recorded_at": []}
        if recorded_ms not in texts:
            texts[recorded_ms] = format_time(from_milliseconds(recorded_ms))
        column["step"].append(step)
        column["value"].append(value)
        column["recorded_at"].append(texts[recorded_ms])
    return found
