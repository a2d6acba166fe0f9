"""Everything of a project, read from its server: rows of the tables of an export."""

from __future__ import annotations

import dataclasses
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow

from deardiary_exchange import history
from deardiary_exchange.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import deardiary
    from deardiary.wire.shapes import Input, IterationOverview, MetricSummary, OutputLine, OutputPage, Snapshot
    from deardiary_exchange.on_disk import Rows

# An iteration with more points is not read ahead, and not held in memory.
_MOST_POINTS = 500_000
Row = dict[str, Any]


class Content(NamedTuple):
    """What a server has of one iteration beside its overview; the points of a large iteration come later."""

    snapshot: Snapshot
    inputs: list[Input]
    output: OutputPage
    points: pyarrow.Table | None


def row_of(table: str, shape: Any, **more: Any) -> Row:
    """The row of an object: its fields by name, an enum as its word."""
    fields = {each.name: getattr(shape, each.name) for each in dataclasses.fields(shape)} | more
    words = {name.removesuffix("_id"): value.name for name, value in fields.items() if isinstance(value, IntEnum)}
    fields |= words
    return {name: fields.get(name) for name in TABLES[table].names}


def label_rows(owner: str, owner_id: str, labels: Mapping[str, str]) -> Iterator[Row]:
    for key, value in labels.items():
        yield {"owner": owner, "owner_id": owner_id, "key": key, "value": value}


def tag_rows(owner: str, owner_id: str, tags: Iterable[str]) -> Iterator[Row]:
    for value in tags:
        yield {"owner": owner, "owner_id": owner_id, "value": value}


def points_in(metrics: Mapping[str, MetricSummary]) -> int:
    return sum(each.count for each in metrics.values())


def content_of(client: deardiary.Client, iteration: IterationOverview) -> Content:
    """Read an iteration; its points only if they are not too many to be held beside those of others."""
    metrics = iteration.metrics or {}
    is_small = 0 < points_in(metrics) <= _MOST_POINTS
    return Content(
        client.iterations.snapshot(iteration.id),
        list(client.inputs.list(iteration.id)),
        client.iterations.output_page(iteration.id),
        points_table(client, iteration.id) if is_small else None,
    )


def point_tables(client: deardiary.Client, iteration: IterationOverview, content: Content) -> Iterator[pyarrow.Table]:
    """The points of an iteration, metric by metric; those of a large one in windows of steps, from the disk."""
    if content.points is not None:
        yield content.points
    elif iteration.metrics:
        with history.read(client, iteration.id) as points:
            for key in sorted(points.names()):
                for rows in history.in_order(points, key):
                    yield _window(iteration.id, key, rows)


def points_table(client: deardiary.Client, iteration_id: str) -> pyarrow.Table:
    """Points as the table of an export; the columns are those that the client has decoded, not copied."""
    table = client.metrics.to_dataframe(iteration_id, backend="arrow")
    return table.add_column(0, "iteration_id", _repeated(iteration_id, table.num_rows)).cast(TABLES["metrics"])


def _window(iteration_id: str, key: str, rows: Rows) -> pyarrow.Table:
    steps, times, bits = rows
    count = len(steps)
    columns = [_repeated(iteration_id, count), _repeated(key, count), steps, bits.view("f8"), times.view("M8[ms]")]
    found = map(pyarrow.array, columns)
    return pyarrow.Table.from_arrays([*found], names=TABLES["metrics"].names).cast(TABLES["metrics"])


def _repeated(word: str, count: int) -> pyarrow.DictionaryArray:
    codes = pyarrow.array(memoryview(bytes(4 * count)).cast("i"), pyarrow.int32())
    return pyarrow.DictionaryArray.from_arrays(codes, pyarrow.array([word]))


def lines_of(client: deardiary.Client, iteration_id: str, first: OutputPage) -> Iterator[OutputLine]:
    """The lines of an output, after its first page page by page."""
    for number, line in enumerate(first.data):
        yield line if number or first.gap is None else dataclasses.replace(line, gap=first.gap)
    if first.next_cursor is not None:
        yield from client.iterations.output(iteration_id, after=first.next_cursor)


def line_rows(iteration_id: str, lines: Iterable[OutputLine]) -> Iterator[Row]:
    for number, line in enumerate(lines):
        yield {
            "iteration_id": iteration_id,
            "line": number,
            "stream": line.stream,
            "text": line.text,
            "recorded_at": line.recorded_at,
            "gap_lines": line.gap and line.gap.lines,
            "gap_bytes": line.gap and line.gap.bytes,
        }
