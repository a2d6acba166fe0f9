"""Projects of DearDiary.jl: its file of DuckDB, or of SQLite before its version 0.9."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from deardiary.wire.shapes import ExperimentStatus, IterationStatus, Stage
from deardiary.wire.times import to_milliseconds
from deardiary_exchange.origins.database import open_read_only
from deardiary_exchange.origins.origin import Origin, OriginFailed, date, ended, grouped, parents_first
from deardiary_exchange.runs import Experiment, File, Model, Run, Version

_SQLITE, _DUCKDB = b"SQLite format 3\0", b"DUCK"
_TABLES = {"user", "project", "experiment", "iteration", "parameter", "metric", "resource"}
_ENVIRONMENT = ("julia_version", "git_sha", "entrypoint", "project_toml", "manifest_toml")
_ROWS = 10_000


class DearDiaryJl(Origin):
    """The origin ``deardiary import deardiary-jl``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._execute = _open(path)
        self._columns = self._columns_of_tables()
        if not self._columns.keys() >= _TABLES:
            raise OriginFailed(f"{path} is no database of DearDiary.jl: it has no tables {', '.join(sorted(_TABLES))}")
        # The default user is created with the database, and cannot be deleted.
        ((self._created,),) = self._execute('SELECT min(created_date) FROM "user"', [])
        self._projects = {row["id"]: row["name"] for row in self._rows("project")}
        # The file of a version belongs to the iteration of the version, every other one to its experiment.
        self._owners: dict[Any, Any] = {}
        for version in self._rows("model_version"):
            if version["resource_id"] is not None:
                self._owners.setdefault(version["resource_id"], version["iteration_id"])

    def experiments(self) -> Iterator[Experiment]:
        return map(self._experiment, self._rows("experiment"))

    def loose_files(self) -> Iterator[tuple[Experiment, File]]:
        for experiment in self._rows("experiment"):
            for resource in self._rows("resource", "experiment_id", experiment["id"], without="data"):
                uri = resource.get("uri") or ""
                if resource["id"] in self._owners:
                    continue
                if uri and not uri.startswith("file:"):
                    self.note(f"file {resource['name']!r}: {_elsewhere(uri)}")
                else:
                    yield self._experiment(experiment), self._file(resource)

    def runs(self) -> Iterator[Run]:
        for experiment in self._rows("experiment"):
            of = self._experiment(experiment)
            rows = self._rows("iteration", "experiment_id", experiment["id"])
            for row in parents_first(rows, lambda each: str(each["id"]), _parent_of):
                yield self._run(row, of)

    def models(self) -> Iterator[Model]:
        return map(_model, self._rows("model"))

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterator[Version]:
        for model in self._rows("model"):
            found = self._rows("model_version", "model_id", model["id"])
            for row in sorted(found, key=lambda each: int(each["version"])):
                yield Version(
                    key=self._key("modelversion", row["id"]),
                    model=_model(model),
                    version=int(row["version"]),
                    run_key=self._key("iteration", row["iteration_id"]),
                    file_key=None if row["resource_id"] is None else self._key("resource", row["resource_id"]),
                    stage=Stage(row["stage_id"]),
                    description=row["description"] or "",
                    created_date=_date(row["created_date"]),
                )

    def _experiment(self, row: dict[str, Any]) -> Experiment:
        project = self._projects.get(row["project_id"], "")
        several = len(self._projects) > 1
        return Experiment(
            key=self._key("experiment", row["id"]),
            name=f"{project}/{row['name']}" if several else row["name"],
            description=row["description"] or "",
            created_date=_date(row["created_date"]),
            end_date=_date(row["end_date"]),
            status=ExperimentStatus(row["status_id"]),
            tags=self._tags("experiment", row["id"]),
        )

    def _run(self, row: dict[str, Any], experiment: Experiment) -> Run:
        created, end = _date(row["created_date"]), _date(row["end_date"])
        given = IterationStatus.SUCCEEDED if end else IterationStatus.RUNNING
        start_ms = to_milliseconds(created) if created else 0
        last_ms = start_ms if end else max(start_ms, self._last_ms(row["id"]))
        status, end_ms = ended(
            IterationStatus(row.get("status_id", given)), to_milliseconds(end) if end else None, last_ms
        )
        parent = _parent_of(row)
        environment: dict[str, str | bool] = {name: row[name] for name in _ENVIRONMENT if row.get(name)}
        return Run(
            key=self._key("iteration", row["id"]),
            experiment=experiment,
            notes=row["notes"] or "",
            parent_key=self._key("iteration", parent) if parent else None,
            created_date=created,
            end_date=date(end_ms),
            status=status,
            error_message=row.get("error_message") or "",
            parameters={each["key"]: each["value"] for each in self._rows("parameter", "iteration_id", row["id"])},
            tags=self._tags("iteration", row["id"]),
            environment=environment | ({"git_dirty": bool(row["git_dirty"])} if environment.get("git_sha") else {}),
            metrics=lambda: grouped(self._points(row["id"])),
            files=self._files_of_versions(row["id"]),
        )

    def _points(self, iteration_id: Any) -> Iterator[tuple[str, int, int, float]]:
        for row in self._rows("metric", "iteration_id", iteration_id):
            recorded = _date(row["recorded_at"])
            yield row["key"], int(row["step"]), to_milliseconds(recorded) if recorded else 0, float(row["value"])

    def _last_ms(self, iteration_id: Any) -> int:
        ((last,),) = self._execute("SELECT max(recorded_at) FROM metric WHERE iteration_id = ?", [iteration_id])
        found = _date(last)
        return to_milliseconds(found) if found else 0

    def _files_of_versions(self, iteration_id: Any) -> Iterator[File]:
        for resource_id, owner in self._owners.items():
            if owner == iteration_id:
                yield from map(self._file, self._rows("resource", "id", resource_id, without="data"))

    def _file(self, row: dict[str, Any]) -> File:
        return File(
            name=row["name"],
            key=self._key("resource", row["id"]),
            open=partial(self._opened, row["id"], row.get("uri") or ""),
            size_bytes=row["size_bytes"] if row.get("content_hash") else None,
            content_hash=row.get("content_hash") or None,
            description=row["description"] or "",
            created_date=_date(row["created_date"]),
        )

    def _opened(self, resource_id: Any, uri: str) -> BinaryIO:
        """OSError if the bytes are neither in the database nor on this machine."""
        if not uri:
            ((content,),) = self._execute("SELECT data FROM resource WHERE id = ?", [resource_id])
            return io.BytesIO(bytes(content or b""))
        parts = urlsplit(uri)
        if parts.scheme != "file":
            raise OSError(_elsewhere(uri))
        return Path(unquote(parts.path)).open("rb")

    def _key(self, kind: str, id_: Any) -> str:
        """Ids of early versions are small numbers, so the date at which the database was created is in each key."""
        return f"deardiary-jl:{self._created}:{kind}:{id_}"

    def _tags(self, owner: str, owner_id: Any) -> list[str]:
        if f"{owner}_tag" not in self._columns:
            return []
        statement = f"SELECT value FROM tag JOIN {owner}_tag ON tag_id = tag.id WHERE {owner}_id = ? ORDER BY tag.id"  # noqa: S608
        return [value for (value,) in self._execute(statement, [owner_id])]

    def _rows(self, table: str, column: str = "", value: Any = None, without: str = "") -> Iterator[dict[str, Any]]:
        """The rows of a table in the order of their creation; those of an owner, if a column is given."""
        if table not in self._columns:
            return
        names = [name for name in self._columns[table] if name != without]
        quoted = ", ".join(f'"{name}"' for name in names)
        given = f' WHERE "{column}" = ?' if column else ""
        order = "created_date, id" if "created_date" in names else "id"
        statement = f'SELECT {quoted} FROM "{table}"{given} ORDER BY {order}'  # noqa: S608
        for row in self._execute(statement, [value] if column else []):
            yield dict(zip(names, row, strict=True))

    def _columns_of_tables(self) -> dict[str, list[str]]:
        tables = [*_TABLES, "tag", "experiment_tag", "iteration_tag", "model", "model_version"]
        found = {
            name: [row[1] for row in self._execute(f"PRAGMA table_info('{name}')", [])] for name in self._existing()
        }
        return {name: found[name] for name in tables if name in found}

    def _existing(self) -> list[str]:
        return [name for (name,) in self._execute("SELECT name FROM sqlite_master WHERE type = 'table'", [])]


def _open(path: Path) -> Callable[[str, list[Any]], Iterable[Any]]:
    """A function that executes a statement of this database. OriginFailed if it is none."""
    if not path.is_file():
        raise OriginFailed(f"There is no file {path}")
    with path.open("rb") as file:
        start = file.read(len(_SQLITE))
    if start == _SQLITE:
        return open_read_only(path).execute
    if start[8:12] != _DUCKDB:
        raise OriginFailed(f"{path} is neither a database of SQLite nor of DuckDB")
    try:
        import duckdb
    except ImportError:
        raise OriginFailed("A file of DuckDB needs: pip install duckdb") from None
    try:
        database = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise OriginFailed(f"{path} cannot be read: {error}") from None
    return partial(_rows_of_duckdb, database)


def _rows_of_duckdb(database: Any, statement: str, values: list[Any]) -> Iterator[Any]:
    """The rows, some at a time: each statement has a cursor of its own."""
    found = database.cursor().execute(statement, values)
    while rows := found.fetchmany(_ROWS):
        yield from rows


def _elsewhere(uri: str) -> str:
    return f"its bytes are at {uri}. Download them, and add the file here"


def _model(row: dict[str, Any]) -> Model:
    return Model(name=row["name"], description=row["description"] or "", created_date=_date(row["created_date"]))


def _parent_of(row: dict[str, Any]) -> str | None:
    parent = row.get("parent_iteration_id")
    return None if parent is None else str(parent)


def _date(text: str | None) -> datetime | None:
    """A date of Julia has no offset: it is taken for UTC, as the server does."""
    if not text:
        return None
    found = datetime.fromisoformat(_six_digits(text))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _six_digits(text: str) -> str:
    """Julia writes as few digits of a second as it needs; Python before 3.11 reads three or six."""
    whole, point, fraction = text.rstrip("Z").partition(".")
    return f"{whole}.{fraction[:6].ljust(6, '0')}" if point else whole
