"""SQL over an export, by DuckDB: each table of the export is a table of the query.

A live project is exported first, without its files, into a folder that is kept: the next query exports only what is
new.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deardiary.files import lock
from deardiary_exchange import manifest
from deardiary_exchange.export import export_project
from deardiary_exchange.folder import Folder, kept_of
from deardiary_exchange.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    import deardiary

    Progress = Callable[[int, int], None]


# DuckDB reads this table itself: pyarrow would read many row groups ahead.
_LARGE = "metrics"


@contextmanager
def connected(folder: Folder) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of DuckDB with the tables of an export. NotAnExport if the folder has none.

    DuckDB reads only the columns and the parts of the files that a query needs.
    """
    import duckdb

    found = manifest.read(folder, needs_files=False)
    with duckdb.connect() as connection:
        for name, schema in TABLES.items():
            paths = manifest.paths_of(found, name)
            if name == _LARGE and _is_readable(folder, paths):
                files = [folder.path(each) for each in paths]
                connection.read_parquet(files, hive_partitioning=False).create_view(name)
            else:
                connection.register(name, folder.dataset(paths, schema) if paths else schema.empty_table())
        yield connection


def _is_readable(folder: Folder, paths: list[str]) -> bool:
    """True if DuckDB itself can read the files; it takes some characters of a path for a pattern."""
    return bool(paths) and folder.is_local and not any(set("*?[]{}") & set(folder.path(each)) for each in paths)


@contextmanager
def exported(client: deardiary.Client, project_id: str, progress: Progress) -> Iterator[Folder]:
    """The project as an export without its files. Another process that queries it at the same time has its own."""
    kept = kept_of("sql", project_id)
    kept.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(kept.with_name(f"{project_id}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with tempfile.TemporaryDirectory(prefix="deardiary-sql-") as own:
            folder = Folder(str(kept if lock(descriptor) else Path(own)))
            export_project(client, project_id, folder, progress=progress, with_files=False)
            yield folder
    finally:
        os.close(descriptor)


def rows_of(result: duckdb.DuckDBPyConnection) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows."""
    return [each[0] for each in result.description or ()], result.fetchall()


def plain(value: Any) -> Any:
    """A value of DuckDB as JSON has it. A decimal number becomes a text, which keeps all digits."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
