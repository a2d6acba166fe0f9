"""Runs of Neptune, as neptune-exporter wrote them: Parquet of one row a value, and files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
from pyarrow import compute, parquet

from deardiary.media import histogram, text
from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import to_milliseconds
from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import Origin, OriginFailed, grouped, parents_first
from deardiary_exchange.origins.steps import Steps
from deardiary_exchange.runs import Experiment, File, Line, Run

_PART = "_part_"
_SYS, _MONITORING = "sys/", "monitoring/"
_COLUMNS = {
    "project_id",
    "run_id",
    "attribute_path",
    "attribute_type",
    "step",
    "timestamp",
    "float_value",
    "file_value",
}
# The column that has the value of each type.
_VALUES = {
    "int": "int_value",
    "float": "float_value",
    "string": "string_value",
    "bool": "bool_value",
    "datetime": "datetime_value",
    "string_set": "string_set_value",
}
_FILES = ("file", "artifact", "file_set")
_KNOWN = (*_VALUES, *_FILES, "float_series", "string_series", "histogram_series", "file_series")
_BATCH = 10_000


class _Stored(NamedTuple):
    """The files of one run, and its values that are no series."""

    parts: list[Path]
    project: str
    id: str
    values: dict[str, Any]

    @property
    def key(self) -> str:
        return f"neptune:{self.project}/{self.id}"

    @property
    def parent_key(self) -> str | None:
        parent = self.values.get("sys/forking/parent")
        return f"neptune:{self.project}/{parent}" if parent else None

    @property
    def started(self) -> datetime | None:
        created: datetime | None = self.values.get("sys/creation_time")
        return created


class Neptune(Origin):
    """The origin ``deardiary import neptune``. ``files``: where neptune-exporter put the files."""

    def __init__(self, folder: Path, files: Path | None = None, step_factor: int = 1) -> None:
        super().__init__()
        data = folder / "data" if (folder / "data").is_dir() else folder
        self._files, self._factor = files or data.parent / "files", step_factor
        self._runs: dict[Path, list[Path]] = {}
        for path in sorted(data.glob(f"*/*{_PART}*.parquet"), key=_part_of):
            self._runs.setdefault(path.with_name(path.name.rpartition(_PART)[0]), []).append(path)
        if not self._runs:
            raise OriginFailed(f"{folder} is no folder of neptune-exporter: no file */*{_PART}0.parquet")

    def runs(self) -> Iterator[Run]:
        never = datetime.min.replace(tzinfo=timezone.utc)
        keys = sorted((_stored(parts).started or never, parts) for parts in self._runs.values())
        stored = (_stored(parts) for _, parts in keys)
        for each in parents_first(stored, lambda one: one.key, lambda one: one.parent_key):
            yield self._run(each)

    def _run(self, stored: _Stored) -> Run:
        values, steps = stored.values, Steps(self._factor)
        failed = bool(values.get("sys/failed"))
        last = values.get("sys/modification_time") or values.get("sys/ping_time") or stored.started
        own = {path: value for path, value in values.items() if not path.startswith(_SYS)}
        name = values.get("sys/name") or stored.id
        labels = {"neptune.id": stored.id}
        if values.get("sys/owner"):
            labels["user"] = str(values["sys/owner"])
        return Run(
            key=stored.key,
            experiment=Experiment(key=f"neptune:{stored.project}", name=stored.project, created_date=stored.started),
            name=str(name),
            notes=str(values.get("sys/description") or ""),
            parent_key=stored.parent_key,
            created_date=stored.started,
            end_date=last,
            status=IterationStatus.FAILED if failed else IterationStatus.SUCCEEDED,
            parameters={path: _text(value) for path, value in own.items() if not isinstance(value, list)},
            tags=[str(tag) for path in ("sys/tags", "sys/group_tags") for tag in values.get(path) or ()],
            labels=labels
            | {path: ", ".join(map(str, value)) for path, value in own.items() if isinstance(value, list)},
            metrics=lambda: grouped(self._points(stored, steps)),
            output=lambda: _lines(stored),
            files=self._stored_files(stored, steps),
            not_taken=[*steps.lost(_steps(stored)), *_unknown(stored)],
        )

    def _points(self, stored: _Stored, steps: Steps) -> Iterator[tuple[str, int, int, float]]:
        for row in _rows(stored.parts, "float_series"):
            if row["float_value"] is not None:
                path = row["attribute_path"]
                shown = f"system/{path.split('/', 2)[-1]}" if path.startswith(_MONITORING) else path
                yield shown, steps.whole(row["step"] or 0), _milliseconds(row["timestamp"], stored), row["float_value"]

    def _stored_files(self, stored: _Stored, steps: Steps) -> Iterator[File]:
        for row in _rows(stored.parts, *_FILES):
            path = self._path_of(row, stored)
            inside = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
            for each in inside:
                below = f"/{each.relative_to(path).as_posix()}" if each != path else _suffix(row, path)
                yield File.of_path(f"{row['attribute_path']}{below}", each, created_date=media.modified(each))
        for row in _rows(stored.parts, "string_series", "histogram_series", "file_series"):
            if not row["attribute_path"].startswith(_MONITORING):
                yield from self._media(
                    row, steps.whole(row["step"] or 0), _milliseconds(row["timestamp"], stored), stored
                )

    def _media(self, row: dict[str, Any], step: int, time_ms: int, stored: _Stored) -> Iterator[File]:
        key = row["attribute_path"]
        try:
            if row["attribute_type"] == "file_series":
                yield media.stored(key, step, time_ms, self._path_of(row, stored))
            elif row["attribute_type"] == "string_series":
                said = row["string_value"] or ""
                yield media.encoded(key, step, time_ms, ".txt", partial(text.encode_text, said))
            else:
                found = row["histogram_value"]
                encode = partial(histogram.encode, counts=found["values"], edges=found["edges"])
                yield media.encoded(key, step, time_ms, ".json", encode)
        except ValueError as error:
            yield media.refused(f"media/{key}/{step}", str(error))

    def _path_of(self, row: dict[str, Any], stored: _Stored) -> Path:
        """Releases differ in whether the path begins with the folder of the project."""
        relative = (row["file_value"] or {}).get("path") or ""
        below = self._files / stored.parts[0].parent.name / relative
        return below if below.exists() else self._files / relative


def _stored(parts: list[Path]) -> _Stored:
    values: dict[str, Any] = {}
    project = run_id = ""
    for row in _rows(parts, *_VALUES):
        project, run_id = row["project_id"], row["run_id"]
        values[row["attribute_path"]] = row[_VALUES[row["attribute_type"]]]
    if not run_id:
        first = next(_rows(parts), {"project_id": "", "run_id": parts[0].name.rpartition(_PART)[0]})
        project, run_id = first["project_id"], first["run_id"]
    return _Stored(parts, project, run_id, values)


def _rows(parts: list[Path], *types: str) -> Iterator[dict[str, Any]]:
    """The rows of these types, or all rows; some at a time."""
    for path in parts:
        try:
            file = parquet.ParquetFile(path)
        except pyarrow.ArrowInvalid as error:
            raise OriginFailed(f"{path} cannot be read: {error}") from None
        if not set(file.schema_arrow.names) >= _COLUMNS:
            raise OriginFailed(f"{path} is not of neptune-exporter: it has no columns {', '.join(sorted(_COLUMNS))}")
        for batch in file.iter_batches(_BATCH):
            wanted = compute.is_in(batch["attribute_type"], pyarrow.array(types)) if types else None
            yield from (batch.filter(wanted) if types else batch).to_pylist()


def _lines(stored: _Stored) -> Iterator[Line]:
    """What the run printed: Neptune has it as series of texts below ``monitoring/``."""
    for row in _rows(stored.parts, "string_series"):
        stream = row["attribute_path"].rpartition("/")[2]
        if row["attribute_path"].startswith(_MONITORING) and stream in ("stdout", "stderr"):
            said = (row["string_value"] or "").rstrip("\n")
            yield Line("stderr" if stream == "stderr" else "stdout", said, _milliseconds(row["timestamp"], stored))


def _steps(stored: _Stored) -> Iterator[tuple[str, Any]]:
    return ((row["attribute_path"], row["step"]) for row in _rows(stored.parts, "float_series"))


def _unknown(stored: _Stored) -> list[str]:
    found = {row["attribute_type"]: row["attribute_path"] for row in _rows(stored.parts)}
    return [f"{path!r}: it is of the type {kind}" for kind, path in found.items() if kind not in _KNOWN]


def _milliseconds(time: datetime | None, stored: _Stored) -> int:
    found = time or stored.started
    return to_milliseconds(found) if found else 0


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _suffix(row: dict[str, Any], path: Path) -> str:
    """A file of Neptune is an attribute without a suffix; the exporter may have kept that of the file."""
    return "" if row["attribute_path"].endswith(path.suffix) else path.suffix


def _part_of(path: Path) -> tuple[str, int]:
    name, _, number = path.stem.rpartition(_PART)
    return str(path.with_name(name)), int(number) if number.isdigit() else 0
