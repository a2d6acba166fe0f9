"""Points and tables as lists, and as data frames of pandas, polars and Arrow. These packages are optional."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple

from deardiary.entities.table import Backend, Table
from deardiary.wire.columns import Columns
from deardiary.wire.times import from_many_milliseconds

Points = dict[str, Columns]
Lists = dict[str, list[Any]]

_PACKAGES = {"pandas": "pandas", "polars": "polars", "arrow": "pyarrow"}


def points_to(backend: Backend) -> Callable[[Points], Any]:
    """The function that converts points. ValueError for another backend, ImportError without its package."""
    package = _package_of(backend)
    return lambda points: _OF_POINTS[backend](package, _joined(points))


def table_to(backend: Backend) -> Callable[[Lists], Any]:
    """The function that converts a table of iterations; the errors are those of `points_to`.

    Each label becomes a column, such as ``labels.team``. Enums become numbers.
    """
    package = _package_of(backend)
    return lambda table: _OF_TABLES[backend](package, _with_labels(table))


def as_lists(points: Points) -> Table:
    joined = _joined(points)
    return Table(
        key=[key for key, count in zip(joined.keys, joined.counts, strict=True) for _ in range(count)],
        step=joined.columns.steps.tolist(),
        value=joined.columns.values.tolist(),
        recorded_at=from_many_milliseconds(joined.columns.times),
    )


class _Joined(NamedTuple):
    """The points of all keys, one key after the other, and the number of points of each."""

    keys: Sequence[str]
    counts: Sequence[int]
    columns: Columns

    def codes(self) -> array[int]:
        """For each point the index of its key (int32)."""
        codes = array("i")
        for index, count in enumerate(self.counts):
            codes.extend(array("i", [index]) * count)
        return codes


def _joined(points: Points) -> _Joined:
    columns = Columns.empty()
    for each in points.values():
        columns.extend(each)
    return _Joined(list(points), [len(each) for each in points.values()], columns)


def _package_of(backend: Backend) -> Any:
    if backend not in _PACKAGES:
        raise ValueError(f"backend is {backend!r}; it can be {', '.join(_PACKAGES)}")
    try:
        return import_module(_PACKAGES[backend])
    except ImportError as error:
        hint = f'pip install "deardiary[{backend}]"'
        raise ImportError(f"A data frame needs {_PACKAGES[backend]}: {hint} ({error})") from None


def _points_to_pandas(pandas: Any, points: _Joined) -> Any:
    numpy = import_module("numpy")
    steps, times, values = (
        numpy.asarray(each) for each in (points.columns.steps, points.columns.times, points.columns.values)
    )
    return pandas.DataFrame(
        {
            "key": pandas.Categorical.from_codes(
                numpy.asarray(points.codes()), pandas.Index(list(points.keys), dtype=str)
            ),
            "step": steps,
            "value": values,
            "recorded_at": pandas.DatetimeIndex(times.view("datetime64[ms]"), tz="UTC"),
        }
    )


def _points_to_polars(polars: Any, points: _Joined) -> Any:
    keys = [
        polars.repeat(key, count, eager=True, dtype=polars.Categorical)
        for key, count in zip(points.keys, points.counts, strict=True)
    ]
    return polars.DataFrame(
        {
            "key": polars.concat(keys) if keys else polars.Series([], dtype=polars.Categorical),
            "step": polars.Series(points.columns.steps, dtype=polars.Int64),
            "value": polars.Series(points.columns.values, dtype=polars.Float64),
            "recorded_at": polars.Series(points.columns.times, dtype=polars.Int64).cast(polars.Datetime("ms", "UTC")),
        }
    )


def _points_to_arrow(arrow: Any, points: _Joined) -> Any:
    def column(kind: Any, words: array[Any]) -> Any:
        return arrow.Array.from_buffers(kind, len(words), [None, arrow.py_buffer(words)])

    keys = arrow.array(points.keys, arrow.string())
    return arrow.table(
        {
            "key": arrow.DictionaryArray.from_arrays(column(arrow.int32(), points.codes()), keys),
            "step": column(arrow.int64(), points.columns.steps),
            "value": column(arrow.float64(), points.columns.values),
            "recorded_at": column(arrow.timestamp("ms", tz="UTC"), points.columns.times),
        }
    )


def _with_labels(table: Lists) -> Lists:
    rows = table.get("labels", [])
    keys = sorted({key for labels in rows for key in labels or ()})
    found = {name: values for name, values in table.items() if name != "labels"}
    return found | {f"labels.{key}": [(labels or {}).get(key) for labels in rows] for key in keys}


def _kind_of(name: str, values: Sequence[Any]) -> str:
    """The kind of a column, from its first value; from its name if it has none, so that a frame has the same types."""
    first = next((each for each in values if each is not None), None)
    for kind, types in _KINDS.items():
        if isinstance(first, types):
            return kind
    if name.startswith("metrics."):
        return "int" if name.endswith((".count", ".last_step")) else "float"
    return "time" if name.endswith("_date") else "text"


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "float": float,
    "bool": bool,
    "int": int,
    "time": datetime,
    "texts": (list, tuple),
    "text": str,
}


def _table_to_pandas(pandas: Any, table: Lists) -> Any:
    def column(name: str, values: list[Any]) -> Any:
        kind, has_none = _kind_of(name, values), None in values
        if kind == "time":
            return pandas.to_datetime(pandas.Series(values, dtype=object), utc=True).dt.as_unit("ms")
        if kind == "int":
            return pandas.Series(_plain(values), dtype="Int64" if has_none or name.startswith("metrics.") else "int64")
        if kind == "text":
            # Without a dtype pandas chooses its own for texts, which depends on its version.
            return pandas.Series(values, dtype=None if any(values) else object)
        types = {"float": "float64", "bool": "boolean" if has_none else "bool", "texts": object}
        return pandas.Series(values, dtype=types[kind])

    return pandas.DataFrame({name: column(name, values) for name, values in table.items()})


def _table_to_polars(polars: Any, table: Lists) -> Any:
    types = {
        "float": polars.Float64,
        "bool": polars.Boolean,
        "int": polars.Int64,
        "text": polars.String,
        "time": polars.Datetime("ms", "UTC"),
        "texts": polars.List(polars.String),
    }
    return polars.DataFrame(
        {name: polars.Series(_plain(values), dtype=types[_kind_of(name, values)]) for name, values in table.items()}
    )


def _table_to_arrow(arrow: Any, table: Lists) -> Any:
    types = {
        "float": arrow.float64(),
        "bool": arrow.bool_(),
        "int": arrow.int64(),
        "text": arrow.string(),
        "time": arrow.timestamp("ms", tz="UTC"),
        "texts": arrow.list_(arrow.string()),
    }
    return arrow.table(
        {name: arrow.array(_plain(values), types[_kind_of(name, values)]) for name, values in table.items()}
    )


def _plain(values: Sequence[Any]) -> list[Any]:
    """The values, with numbers in place of enums."""
    return [
        int(each)
        if isinstance(each, int) and not isinstance(each, bool)
        else list(each)
        if isinstance(each, tuple)
        else each
        for each in values
    ]


_OF_POINTS: Mapping[str, Callable[[Any, _Joined], Any]] = {
    "pandas": _points_to_pandas,
    "polars": _points_to_polars,
    "arrow": _points_to_arrow,
}
_OF_TABLES: Mapping[str, Callable[[Any, Lists], Any]] = {
    "pandas": _table_to_pandas,
    "polars": _table_to_polars,
    "arrow": _table_to_arrow,
}
