"""Many iterations as columns: a dict of lists, which pandas and others accept as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from deardiary.api import Api
from deardiary.wire.form import decode_float, decoders
from deardiary.wire.limits import MAX_TABLE_ITEMS
from deardiary.wire.shapes import Iteration

Backend = Literal["pandas", "polars", "arrow"]

_COUNTED = ("count", "last_step")
_PARTS = ("first", "last", "min", "max", *_COUNTED)


class Table(dict[str, list[Any]]):
    """A dict of lists of the same length, which a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from deardiary.wire import html

        return html.table(list(self), list(islice(zip(*self.values(), strict=False), html.MOST_ROWS)), self.rows)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.values()), ()))


class _Page(NamedTuple):
    rows: int
    columns: dict[str, list[Any]]
    next_cursor: str | None


def read_columns(api: Api, path: str, asked: Sequence[tuple[str, str]]) -> Table:
    """Read all pages of a list as columns. A row without the value of a column has None there."""
    table = Table()
    read = 0
    query = first = [*asked, ("format", "columns"), ("limit", str(MAX_TABLE_ITEMS))]
    while True:
        page = api.get_as(_page_of, f"{path}?{urlencode(query)}")
        for name in dict.fromkeys([*table, *page.columns]):
            column = table.setdefault(name, [None] * read)
            column += page.columns.get(name) or [None] * page.rows
        read += page.rows
        if page.next_cursor is None:
            return table
        query = [*first, ("cursor", page.next_cursor)]


def _page_of(answer: Any) -> _Page:
    ids = answer["ids"]
    columns = {"id": ids, **dict(_columns_of(answer["columns"]))}
    if any(len(values) != len(ids) for values in columns.values()):
        raise ValueError("columns of different length")
    return _Page(len(ids), columns, answer["next_cursor"])


def _columns_of(columns: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    known = decoders(Iteration)
    for name, values in columns["fields"].items():
        yield name, _decoded(values, known.get(name))
    for key, values in columns.get("parameters", {}).items():
        yield f"parameters.{key}", values
    for key, parts in columns.get("metrics", {}).items():
        for part, values in parts.items():
            yield _name_of(key, part), _decoded(values, None if part in _COUNTED else decode_float)
    if "tags" in columns:
        yield "tags", columns["tags"]


def _name_of(key: str, part: str) -> str:
    """The name as in a filter: the last value has the bare name, and a key that ends like a part stands in quotes."""
    quoted = f'"{key}"' if key.rpartition(".")[2] in _PARTS and "." in key else key
    return f"metrics.{quoted}" if part == "last" else f"metrics.{quoted}.{part}"


def _decoded(values: list[Any], decode: Callable[[Any], Any] | None) -> list[Any]:
    return values if decode is None else [None if each is None else decode(each) for each in values]
