"""Runs of GoodSeed: its folder with a SQLite file for each run, or one such file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from deardiary.media import text
from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import to_milliseconds
from deardiary_exchange.origins import media
from deardiary_exchange.origins.database import open_read_only, tables
from deardiary_exchange.origins.origin import Origin, OriginFailed, date, ended, grouped
from deardiary_exchange.origins.steps import Steps
from deardiary_exchange.runs import Experiment, File, Line, Run

_STATUSES = {"finished": IterationStatus.SUCCEEDED, "failed": IterationStatus.FAILED, "stopped": IterationStatus.KILLED}
_SYS, _MONITORING = "sys/", "monitoring/"
_POINTS = """
    SELECT path, step, y, ts FROM metric_points JOIN metric_series ON series_id = id ORDER BY id, step
"""
_TEXTS = """
    SELECT path, step, value, ts FROM string_points JOIN string_series ON series_id = id ORDER BY ts, step, id
"""


class GoodSeed(Origin):
    """The origin ``deardiary import goodseed``."""

    def __init__(self, location: Path, step_factor: int = 1) -> None:
        super().__init__()
        self._factor = step_factor
        self._paths = sorted(location.rglob("*.sqlite")) if location.is_dir() else [location]
        if not self._paths:
            raise OriginFailed(f"{location} has no runs of GoodSeed: no file *.sqlite")

    def runs(self) -> Iterator[Run]:
        for path in self._paths:
            database = _Database(path)
            if not {"run_meta", "configs", "metric_points"} <= database.tables():
                needed = "run_meta, configs and metric_points"
                raise OriginFailed(f"{path} is no run of GoodSeed: it has no tables {needed}")
            yield _run(database, Steps(self._factor))


class _Database:
    """The file of one run. It is open only while it is read: a project may have thousands of runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def execute(self, statement: str) -> Iterator[Any]:
        with closing(open_read_only(self._path)) as database:
            yield from database.execute(statement)

    def tables(self) -> set[str]:
        with closing(open_read_only(self._path)) as database:
            return tables(database)


def _run(database: _Database, steps: Steps) -> Run:
    meta = dict(database.execute("SELECT key, value FROM run_meta"))
    config = {
        path: (kind, value) for path, kind, value in database.execute("SELECT path, type_tag, value FROM configs")
    }
    created_ms = _milliseconds(meta["created_at"])
    closed = meta.get("closed_at")
    last_ms = max(_last_ms(database), created_ms)
    status = _STATUSES.get(meta.get("status", ""), IterationStatus.RUNNING)
    status, end_ms = ended(status, _milliseconds(closed) if closed else None, last_ms)
    project = meta.get("project", "default")
    # A key of the monitoring has the random name of a process.
    own = {path: value for path, value in config.items() if not path.startswith((_SYS, _MONITORING))}
    return Run(
        key=f"goodseed:{project}/{meta['run_id']}",
        experiment=Experiment(key=f"goodseed:{project}", name=project, created_date=date(created_ms)),
        name=meta.get("name") or meta["run_id"],
        notes=config.get(f"{_SYS}description", ("", ""))[1] or "",
        created_date=date(created_ms),
        end_date=date(end_ms),
        status=status,
        error_message=_traceback(database),
        parameters={path: _text(*value) for path, value in own.items() if value[0] != "string_set"},
        tags=_strings(config.get(f"{_SYS}tags")),
        labels={path: ", ".join(_strings(value)) for path, value in own.items() if value[0] == "string_set"}
        | {"goodseed.run_id": meta["run_id"]},
        metrics=lambda: grouped(_points(database, steps)),
        output=lambda: _lines(database),
        files=_texts(database, steps),
        not_taken=steps.lost(
            database.execute("SELECT path, step FROM metric_points JOIN metric_series ON series_id = id")
        ),
    )


def _points(database: _Database, steps: Steps) -> Iterator[tuple[str, int, int, float]]:
    for path, step, value, seconds in database.execute(_POINTS):
        yield _shown(path), steps.whole(step), seconds * 1000, value


def _shown(path: str) -> str:
    """The load of the machine under our name for it: ``monitoring/PROCESS/cpu`` is ``system/cpu``."""
    return f"system/{path.split('/', 2)[2]}" if path.startswith(_MONITORING) and path.count("/") > 1 else path


def _texts(database: _Database, steps: Steps) -> Iterator[File]:
    for path, step, value, seconds in database.execute(_TEXTS):
        if path.startswith(_MONITORING):
            continue
        try:
            yield media.encoded(path, steps.whole(step), seconds * 1000, ".txt", partial(text.encode_text, value))
        except ValueError as error:
            yield media.refused(f"media/{path}/{step}", str(error))


def _lines(database: _Database) -> Iterator[Line]:
    for path, _, value, seconds in database.execute(_TEXTS):
        stream = path.rpartition("/")[2]
        if path.startswith(_MONITORING) and stream in ("stdout", "stderr"):
            for line in value.splitlines() or [""]:
                yield Line("stderr" if stream == "stderr" else "stdout", line, seconds * 1000)


def _traceback(database: _Database) -> str:
    found = [
        value
        for path, _, value, _ in database.execute(_TEXTS)
        if path.startswith(_MONITORING) and path.endswith("/traceback")
    ]
    return "".join(found)


def _last_ms(database: _Database) -> int:
    rows = database.execute("SELECT max(ts) FROM metric_points UNION ALL SELECT max(ts) FROM string_points")
    return max((seconds or 0) * 1000 for (seconds,) in rows)


def _strings(value: Any) -> list[str]:
    return [str(each) for each in json.loads(value[1])] if value else []


def _text(kind: str, value: str) -> str:
    """The value as the text of a parameter, as our client would log it."""
    given = {"null": "None", "bool": "True" if value == "true" else "False"}
    return given.get(kind, value)


def _milliseconds(time: str) -> int:
    found = datetime.fromisoformat(time)
    return to_milliseconds(found if found.tzinfo else found.replace(tzinfo=timezone.utc))
