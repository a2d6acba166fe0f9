"""The iterations of an experiment in its column blocks, for a search and for what a page shows of them.

The blocks hold iterations as they are, but for those marked as changed; the others are read from their own items. An
iteration in a block that is not marked has not changed for minutes: even its own items are then read at half the
price, without consistency.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

from chalicelib.services.search.ast import Kind, Name
from chalicelib.services.search.values import Value
from chalicelib.storage import change
from chalicelib.storage.blocks import column, content, head, lookup
from chalicelib.storage.blocks.content import PARTS, Index
from chalicelib.storage.blocks.head import Block
from chalicelib.storage.blocks.lookup import LeftOut
from chalicelib.storage.points.summary import Summary

_TAGS = Name(Kind.TAGS)
# A page takes a kind from columns if this process lacks at most so many of them for each of its rows.
_FIELD_COLUMNS_A_ROW, _PARAMETER_COLUMNS_A_ROW, _METRIC_COLUMNS_A_ROW, _TAG_COLUMNS_A_ROW = 0.5, 2.0, 0.5, 1.0


class PackedRow:
    """A row of a block, with the columns that the search names. See `Subject`."""

    __slots__ = ("_columns", "_row", "id")

    def __init__(self, own_id: str, columns: Mapping[Name, Sequence[Any]], row: int) -> None:
        self.id, self._columns, self._row = own_id, columns, row

    def value(self, name: Name) -> Value | None:
        value: Value | None = self._columns[name][self._row]
        return value

    @property
    def tags(self) -> Sequence[str]:
        tags: Sequence[str] = self._columns[_TAGS][self._row]
        return tags


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of an experiment as of one moment. `changed`: the iterations that are not as their block has them."""

    experiment_id: str
    blocks: Sequence[Block]
    changed: Collection[str]

    @property
    def last(self) -> str:
        """The last id that the blocks cover."""
        return self.blocks[-1].last

    def read_rows(self, names: Collection[Name]) -> Iterator[PackedRow]:
        """All rows that have not changed, in the order of their ids. LeftOut without one of the columns."""
        indexes = column.read_indexes(self.experiment_id, self.blocks)
        wanted = {
            (block_id, each) for block_id, index in indexes.items() for name in names for each in _needs(index, name)
        }
        found = column.read_columns(self.experiment_id, wanted, indexes)
        for block_id, index in indexes.items():
            columns = {name: _column(index, name, partial(_stored, found, block_id)) for name in names}
            for row, iteration_id in enumerate(index.ids):
                if iteration_id not in self.changed:
                    yield PackedRow(iteration_id, columns, row)

    def ids_apart(self) -> list[str]:
        """The ids in the range of the blocks whose own items must be read."""
        return sorted({*self.changed, *(each for block in self.blocks for each in block.open)})

    def rows_of(self, iteration_ids: Iterable[str]) -> Rows:
        """Those of these iterations that are in blocks, unchanged."""
        lasts = [block.last for block in self.blocks]
        wanted: dict[Block, list[str]] = {}
        for each in iteration_ids:
            position = bisect_left(lasts, each)
            if position < len(lasts) and each not in self.changed:
                wanted.setdefault(self.blocks[position], []).append(each)
        indexes = column.read_indexes(self.experiment_id, wanted)
        rows = {block.id: [each for each in some if each in indexes[block.id].rows] for block, some in wanted.items()}
        return Rows(self.experiment_id, {name: some for name, some in rows.items() if some}, indexes)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of blocks, by block. The methods return None where reading the iterations themselves costs less."""

    experiment_id: str
    by_block: Mapping[str, Sequence[str]]
    indexes: Mapping[str, Index]

    @property
    def ids(self) -> list[str]:
        return [each for some in self.by_block.values() for each in some]

    def fields(self, names: Collection[str]) -> dict[str, dict[str, Any]] | None:
        """These fields of the iterations, by id and name."""
        stored = {content.field_column(name) for name in names}
        found = self._read(lambda index: lookup.checked(index, stored), _FIELD_COLUMNS_A_ROW)
        if found is None:
            return None
        values: dict[str, dict[str, Any]] = {}
        for index, rows, read in self._blocks(found):
            columns = {name: lookup.field_of(index, name, read) for name in names}
            values |= {own_id: {name: columns[name][row] for name in names} for own_id, row in rows}
        return values

    def tags(self) -> dict[str, list[str]] | None:
        found = self._read(lambda index: lookup.checked(index, {content.TAGS}), _TAG_COLUMNS_A_ROW)
        if found is None:
            return None
        return {own_id: read(content.TAGS)[row] for _, rows, read in self._blocks(found) for own_id, row in rows}

    def parameters(self, keys: Collection[str] | None) -> dict[str, dict[str, str]] | None:
        """Their parameters: all, or those with these keys."""
        kind = lookup.PARAMETERS
        found = self._read(lambda index: lookup.columns_of(index, kind, keys), _PARAMETER_COLUMNS_A_ROW)
        if found is None:
            return None
        values: dict[str, dict[str, str]] = {}
        for index, rows, read in self._blocks(found):
            columns = lookup.values_of(index, kind, keys, (), read)
            pairs = [(key, column) for key, (column,) in columns.items()]
            for own_id, row in rows:
                values[own_id] = {key: column[row] for key, column in pairs if column[row] is not None}
        return values

    def summaries(self, keys: Collection[str] | None, parts: Collection[str]) -> dict[str, dict[str, Summary]] | None:
        """Their summaries: of all metrics, or of those with these keys. The other parts are 0."""
        kind, wanted = lookup.METRICS, [part for part in PARTS if part in parts]
        found = self._read(lambda index: lookup.columns_of(index, kind, keys, wanted), _METRIC_COLUMNS_A_ROW)
        if found is None:
            return None
        values: dict[str, dict[str, Summary]] = {own_id: {} for own_id in self.ids}
        for index, rows, read in self._blocks(found):
            for key, columns in lookup.values_of(index, kind, keys, wanted, read).items():
                own = {part: [column[row] for _, row in rows] for part, column in zip(wanted, columns, strict=True)}
                parts_of_all = (own.get(part, repeat(0, len(rows))) for part in Summary._fields)
                for (own_id, _), summary in zip(rows, map(_summary, zip(*parts_of_all, strict=True)), strict=True):
                    if summary[_POSITIONS[wanted[0]]] is not None:
                        values[own_id][key] = summary
        return values

    def _read(
        self, needs: Callable[[Index], Collection[str]], columns_a_row: float
    ) -> dict[tuple[str, str], Any] | None:
        """These columns of each block, by block and name. None if reading the iterations themselves costs less."""
        try:
            wanted = {(name, each) for name in self.by_block for each in needs(self.indexes[name])}
        except LeftOut:
            return None
        if column.count_unread(wanted) > columns_a_row * sum(map(len, self.by_block.values())):
            return None
        return column.read_columns(self.experiment_id, wanted, self.indexes)

    def _blocks(
        self, found: Mapping[tuple[str, str], Any]
    ) -> Iterator[tuple[Index, list[tuple[str, int]], lookup.Read]]:
        """Each block with the positions of its rows and its columns."""
        for block_id, some in self.by_block.items():
            index = self.indexes[block_id]
            yield index, [(each, index.rows[each]) for each in some], partial(_stored, found, block_id)


_POSITIONS = {part: position for position, part in enumerate(Summary._fields)}
# As in `points/summary.py`.
_summary = partial(tuple.__new__, Summary)


def find_blocks(experiment_id: str, *, consistent: bool) -> Blocks | None:
    """The blocks of the experiment, None without any."""
    # Older heads lead to the same iterations for a minute: half the price buys the same.
    found = head.read_head(experiment_id, consistent=False)
    if not found.blocks:
        return None
    stamps = change.read_changed(experiment_id, found.blocks[-1].last, consistent=consistent)
    changed = {each for each, stamp in stamps.items() if not head.is_old_mark(found.marks, each, stamp)}
    return Blocks(experiment_id, found.blocks, changed)


def _stored(found: Mapping[tuple[str, str], Any], block_id: str, name: str) -> Any:
    return found[block_id, name]


def _needs(index: Index, name: Name) -> set[str]:
    """The columns of a block in which the values of the name are."""
    match name.kind:
        case Kind.PARAMETERS:
            return lookup.columns_of(index, lookup.PARAMETERS, {name.key})
        case Kind.METRICS:
            return lookup.columns_of(index, lookup.METRICS, {name.key}, [name.part])
        case Kind.TAGS:
            return lookup.checked(index, {content.TAGS})
        case Kind.LABELS:
            return lookup.checked(index, {content.field_column("labels")})
        case None:
            return set() if name.key == "id" else lookup.checked(index, {content.field_column(name.key)})


def _column(index: Index, name: Name, read: lookup.Read) -> Sequence[Any]:
    """The values of the name, by row."""
    match name.kind:
        case Kind.PARAMETERS | Kind.METRICS:
            kind = lookup.PARAMETERS if name.kind is Kind.PARAMETERS else lookup.METRICS
            parts = [name.part] if name.kind is Kind.METRICS else []
            found = lookup.values_of(index, kind, {name.key}, parts, read)
            return found[name.key][0] if name.key in found else [None] * len(index.ids)
        case Kind.TAGS:
            tags: Sequence[Any] = read(content.TAGS)
            return tags
        case Kind.LABELS:
            return [labels.get(name.key) for labels in lookup.field_of(index, "labels", read)]
        case None:
            return index.ids if name.key == "id" else lookup.field_of(index, name.key, read)
