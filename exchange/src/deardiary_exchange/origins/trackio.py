"""Runs of Trackio: its folder with a SQLite file for each project, or one such file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from deardiary.media import histogram, table, text
from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import to_milliseconds
from deardiary_exchange.origins import artifacts, media
from deardiary_exchange.origins.database import open_read_only, tables
from deardiary_exchange.origins.origin import Origin, OriginFailed, date, grouped, is_exact, number, texts
from deardiary_exchange.runs import Experiment, File, Input, Model, Run, Version

_RUNS = """
    SELECT run_id, run_name, min(timestamp), max(timestamp) FROM (
        SELECT run_id, run_name, timestamp FROM metrics UNION ALL SELECT run_id, run_name, created_at FROM configs
    ) GROUP BY run_id ORDER BY 3, 1
"""
_VERSIONS = """
    SELECT v.id, a.name, a.type, a.description, v.version, v.manifest, v.metadata, v.producer_run_id, v.created_at
    FROM artifact_versions v JOIN artifacts a ON a.id = v.artifact_id ORDER BY a.name, v.version
"""
_USED = """
    SELECT a.name, a.type, v.version FROM run_artifact_links l JOIN artifact_versions v ON v.id = l.artifact_version_id
    JOIN artifacts a ON a.id = v.artifact_id WHERE l.run_id = ? AND l.direction = 'input' ORDER BY l.id
"""
_LABELS = {"_Username": "user", "_Group": "group"}


class Trackio(Origin):
    """The origin ``deardiary import trackio``."""

    def __init__(self, location: Path) -> None:
        super().__init__()
        paths = sorted(location.glob("*.db")) if location.is_dir() else [location]
        self._projects = [_Project(path) for path in paths]
        if not self._projects:
            raise OriginFailed(f"{location} has no database of Trackio: no file *.db")

    def runs(self) -> Iterator[Run]:
        for project in self._projects:
            yield from project.runs()
            self.not_taken += project.not_taken

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterator[Version]:
        for project in self._projects:
            yield from project.versions()


class _Project:
    def __init__(self, path: Path) -> None:
        self._name, self._folder = path.stem, path.parent
        self._database = open_read_only(path)
        self._tables = tables(self._database)
        if not {"metrics", "configs"} <= self._tables:
            raise OriginFailed(f"{path} is no database of Trackio: it has no tables metrics and configs")
        if "run_id" not in {row[1] for row in self._rows("PRAGMA table_info(metrics)")}:
            raise OriginFailed(f"{path} is of an early version of Trackio: open it once with a newer one")
        self.not_taken: list[str] = []

    def runs(self) -> Iterator[Run]:
        for run_id, name, first, last in list(self._rows(_RUNS)):
            yield self._run(run_id, name, _milliseconds(first), _milliseconds(last))

    def versions(self) -> Iterator[Version]:
        for id_, name, kind, description, number_, _, _, run_id, created in self._artifacts():
            if not run_id:
                self.not_taken.append(f"version {number_} of the artifact {name!r}: it has no run")
                continue
            yield Version(
                key=f"trackio:{self._name}/{name}/{number_}",
                model=Model(name=name, labels={"type": kind}),
                # Trackio counts from 0.
                version=number_ + 1,
                run_key=_key(run_id),
                file_key=f"{_key(run_id)}/artifacts/{name}/{number_ + 1}/{artifacts.MANIFEST}",
                description=description or "",
                aliases=[alias for (alias,) in self._aliases(id_) if alias != "latest"],
                created_date=date(_milliseconds(created)),
            )

    def _run(self, run_id: str, name: str, first_ms: int, last_ms: int) -> Run:
        config = self._config(run_id)
        labels = {label: str(config[key]) for key, label in _LABELS.items() if config.get(key)}
        created = config.get("_Created")
        begun = date(min(first_ms, _milliseconds(created)) if created else first_ms)
        return Run(
            key=_key(run_id),
            experiment=Experiment(key=f"trackio:{self._name}", name=self._name, created_date=begun),
            name=name,
            created_date=begun,
            # Trackio records no end and no failure: a run has ended with its last record until there are more.
            end_date=date(max(last_ms, _milliseconds(created) if created else 0)),
            status=IterationStatus.SUCCEEDED,
            parameters=texts({key: value for key, value in config.items() if not key.startswith("_")}),
            labels=labels,
            inputs=self._inputs(run_id),
            metrics=lambda: grouped(self._points(run_id)),
            files=self._files(run_id),
            not_taken=self._not_taken(run_id),
        )

    def _config(self, run_id: str) -> Mapping[str, Any]:
        found = next(iter(self._rows("SELECT config FROM configs WHERE run_id = ?", run_id)), None)
        config = json.loads(found[0]) if found else {}
        return config if isinstance(config, dict) else {}

    def _points(self, run_id: str) -> Iterator[tuple[str, int, int, float]]:
        for step, time_ms, values in self._history(run_id):
            for key, value in _leaves(values):
                point = number(value)
                if point is not None:
                    yield key, step, time_ms, point
        rows = self._rows("SELECT timestamp, metrics FROM system_metrics WHERE run_id = ? ORDER BY id", run_id)
        for step, (time, values) in enumerate(rows if "system_metrics" in self._tables else ()):
            for key, value in _leaves(json.loads(values)):
                point = number(value)
                if point is not None:
                    yield f"system/{key}", step, _milliseconds(time), point

    def _files(self, run_id: str) -> Iterator[File]:
        for step, time_ms, values in self._history(run_id):
            for key, value in _leaves(values):
                if number(value) is None and value is not None:
                    yield from _media(key, step, time_ms, value, self._folder / "media")
        yield from self._alerts(run_id)
        for _, name, kind, description, version, manifest, metadata, producer, created in self._artifacts():
            if producer == run_id:
                of = date(_milliseconds(created))
                yield from self._artifact(name, kind, description, version, json.loads(manifest), metadata, of)

    def _alerts(self, run_id: str) -> Iterator[File]:
        if "alerts" not in self._tables:
            return
        rows = self._rows("SELECT timestamp, level, title, text FROM alerts WHERE run_id = ? ORDER BY id", run_id)
        for count, (time, *said) in enumerate(rows):
            words = "\n".join(filter(None, said))
            yield media.encoded("alerts", count, _milliseconds(time), ".txt", partial(text.encode_text, words))

    def _artifact(
        self,
        name: str,
        kind: str,
        description: str,
        version: int,
        manifest: list[dict[str, Any]],
        metadata: str,
        created: datetime | None,
    ) -> Iterator[File]:
        prefix = f"artifacts/{name}/{version + 1}"
        blobs = self._folder / "artifacts" / self._name / "blobs" / "sha256"
        stored = [each for each in manifest if "digest" in each and not each.get("uri")]
        for each in stored:
            yield File(
                name=f"{prefix}/{each['path']}",
                open=partial((blobs / each["digest"][:2] / each["digest"]).open, "rb"),
                path=blobs / each["digest"][:2] / each["digest"],
                created_date=created,
            )
        references = {str(each.get("path")): str(each["uri"]) for each in manifest if each.get("uri")}
        content = artifacts.manifest_of(name, kind, metadata, [each["path"] for each in stored], references)
        yield artifacts.in_memory(f"{prefix}/{artifacts.MANIFEST}", content, created, description or "")

    def _inputs(self, run_id: str) -> list[Input]:
        if "run_artifact_links" not in self._tables:
            return []
        return [
            Input(name=f"{name}:v{version}", source_type=kind, context="use_artifact")
            for name, kind, version in self._rows(_USED, run_id)
        ]

    def _not_taken(self, run_id: str) -> list[str]:
        found: dict[str, None] = {}
        for _, _, values in self._history(run_id):
            for key, value in _leaves(values):
                if number(value) is not None and not is_exact(value):
                    found[f"the last digits of {key!r}: a point is a float64, which does not hold {value}"] = None
                elif isinstance(value, dict) and not _is_known(value):
                    found[f"values of {key!r}: those of {value.get('_type', 'an unknown kind')} are not kept"] = None
        if "traces" in self._tables:
            ((count,),) = self._rows("SELECT count(*) FROM traces WHERE run_id = ?", run_id)
            if count:
                found[f"{count} traces of language models"] = None
        return list(found)

    def _history(self, run_id: str) -> Iterator[tuple[int, int, Any]]:
        rows = self._rows("SELECT step, timestamp, metrics FROM metrics WHERE run_id = ? ORDER BY id", run_id)
        for step, time, values in rows:
            yield step, _milliseconds(time), json.loads(values)

    def _artifacts(self) -> Iterable[Any]:
        return self._rows(_VERSIONS) if "artifact_versions" in self._tables else ()

    def _aliases(self, version_id: int) -> Iterable[Any]:
        statement = "SELECT alias FROM artifact_aliases WHERE artifact_version_id = ? ORDER BY alias"
        return self._rows(statement, version_id)

    def _rows(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._database.execute(statement, values)


def _key(run_id: str) -> str:
    return f"trackio:{run_id}"


def _milliseconds(time: str) -> int:
    found = datetime.fromisoformat(time)
    return to_milliseconds(found if found.tzinfo else found.replace(tzinfo=timezone.utc))


def _leaves(values: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values with their keys joined by dots; media stay whole."""
    for key, value in values.items():
        if isinstance(value, dict) and value and "_type" not in value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _is_known(value: Mapping[str, Any]) -> bool:
    return "file_path" in value or value.get("_type") in ("trackio.table", "trackio.histogram") or not value


def _media(key: str, step: int, time_ms: int, value: Any, folder: Path) -> Iterator[File]:
    try:
        yield from _files_of(key, step, time_ms, value, folder)
    except ValueError as error:
        yield media.refused(f"media/{key}/{step}", str(error))


def _files_of(key: str, step: int, time_ms: int, value: Any, folder: Path) -> Iterator[File]:
    if isinstance(value, str):
        yield media.encoded(key, step, time_ms, ".txt", partial(text.encode_text, value))
    elif isinstance(value, list):
        yield from _several(key, step, time_ms, value, folder)
    elif value.get("_type") == "trackio.table":
        yield media.encoded(key, step, time_ms, ".csv", partial(table.encode, value["_value"]))
    elif value.get("_type") == "trackio.histogram":
        encode = partial(histogram.encode, counts=value["values"], edges=value["bins"])
        yield media.encoded(key, step, time_ms, ".json", encode)
    elif "file_path" in value:
        caption = str(value.get("caption") or "")
        yield media.stored(key, step, time_ms, folder / value["file_path"], caption=caption)


def _several(key: str, step: int, time_ms: int, values: list[Any], folder: Path) -> Iterator[File]:
    if not all(isinstance(each, dict) and "file_path" in each for each in values):
        yield media.encoded(key, step, time_ms, ".json", partial(text.encode_json, values))
        return
    for index, each in enumerate(values):
        yield media.stored(
            key, step, time_ms, folder / each["file_path"], index=index, caption=str(each.get("caption") or "")
        )
