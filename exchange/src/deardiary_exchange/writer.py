"""Writes one part of an export: a Parquet file of each table, in row groups of bounded size."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow
from pyarrow import parquet

from deardiary_exchange.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from deardiary_exchange.folder import Folder, Sink

# A row group is written when it has so many rows, or so many bytes of text.
_GROUP_ROWS, _GROUP_BYTES = 128 * 1024, 8 << 20
# Steps and times grow slowly, and values mostly differ: a dictionary of them would be as large as they are.
_ENCODINGS: dict[str, dict[str, Any]] = {
    "metrics": {
        "use_dictionary": ["iteration_id", "key"],
        "column_encoding": {
            "step": "DELTA_BINARY_PACKED",
            "recorded_at": "DELTA_BINARY_PACKED",
            "value": "BYTE_STREAM_SPLIT",
        },
    }
}
_LARGE_TEXTS = ("text", "value", "notes", "project_toml", "manifest_toml", "git_diff", "description", "error_message")


@dataclass(frozen=True, slots=True)
class Written:
    """A file of an export."""

    path: str
    rows: int
    size_bytes: int
    content_hash: str


class TableWriter:
    """Writes rows of one table."""

    def __init__(self, folder: Folder, table: str, path: str) -> None:
        self.path = path
        self._schema = TABLES[table]
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._groups: list[pyarrow.Table] = []
        self._waiting = 0
        self._count = 0
        self._stack = ExitStack()
        self._sink: Sink = self._stack.enter_context(folder.write(path))
        self._writer = self._stack.enter_context(
            parquet.ParquetWriter(
                self._sink, self._schema, compression="zstd", compression_level=1, **_ENCODINGS.get(table, {})
            )
        )

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self._bytes += sum(len(row[name] or "") for name in _LARGE_TEXTS if isinstance(row.get(name), str))
        if len(self._rows) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush_rows()

    def add_table(self, table: pyarrow.Table) -> None:
        """Add a table of this schema; small ones are joined into one row group."""
        self._groups.append(table)
        self._waiting += table.num_rows
        if self._waiting >= _GROUP_ROWS:
            self._flush_tables()

    def finish(self) -> Written:
        self._flush_rows()
        self._flush_tables()
        self._stack.close()
        return Written(self.path, self._count, self._sink.size_bytes, self._sink.content_hash)

    def abort(self, kind: Any, error: Any, traceback: Any) -> None:
        """Leave no file: pass the error to the open file."""
        self._stack.__exit__(kind, error, traceback)

    def _flush_rows(self) -> None:
        if self._rows:
            self._write(pyarrow.Table.from_pylist(self._rows, self._schema))
            self._rows, self._bytes = [], 0

    def _flush_tables(self) -> None:
        if self._groups:
            self._write(pyarrow.concat_tables(self._groups).unify_dictionaries())
            self._groups, self._waiting = [], 0

    def _write(self, table: pyarrow.Table) -> None:
        self._count += table.num_rows
        self._writer.write_table(table, row_group_size=_GROUP_ROWS)


class PartWriter:
    """Writes the files of one part, all tables or some; a file appears when the part is complete."""

    def __init__(self, folder: Folder, part: str, tables: Iterable[str]) -> None:
        self._writers: dict[str, TableWriter] = {}
        try:
            for name in tables:
                self._writers[name] = TableWriter(folder, name, f"{name}/{part}.parquet")
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def __getitem__(self, table: str) -> TableWriter:
        return self._writers[table]

    def finish(self) -> dict[str, Written]:
        return {name: writer.finish() for name, writer in self._writers.items()}

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            for writer in self._writers.values():
                writer.abort(kind, error, traceback)


def write_whole(folder: Folder, table: str, rows: Iterable[dict[str, Any]]) -> Written:
    """Write a table that is one file."""
    writer = TableWriter(folder, table, f"{table}.parquet")
    try:
        for row in rows:
            writer.add(row)
    except BaseException as error:
        writer.abort(type(error), error, error.__traceback__)
        raise
    return writer.finish()
