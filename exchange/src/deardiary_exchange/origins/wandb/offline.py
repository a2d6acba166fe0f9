"""W&B's runs on this machine: the folders ``offline-run-…`` and ``run-…`` of a folder ``wandb``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deardiary.wire.shapes import IterationStatus
from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import (
    Origin,
    OriginFailed,
    date,
    ended,
    grouped,
    is_exact,
    number,
    texts,
)
from deardiary_exchange.origins.wandb import state as states
from deardiary_exchange.origins.wandb import values
from deardiary_exchange.origins.wandb.artifacts import Artifacts
from deardiary_exchange.origins.wandb.lines import lines_of
from deardiary_exchange.origins.wandb.records import Damaged, records
from deardiary_exchange.runs import Experiment, File, Input, Run, Version

# Files of W&B itself in the folder of a run, whose content is in the record.
_OWN = (
    "output.log",
    "wandb-summary.json",
    "wandb-metadata.json",
    "wandb-history.jsonl",
    "wandb-events.jsonl",
    "config.yaml",
)
_NO_NUMBER = "no number, text, list or media"


class Offline(Origin):
    """The origin ``deardiary import wandb DIR``. A run of several folders, resumed offline, is one."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._parts: dict[str, list[Path]] = {}
        found = folder.glob("run-*.wandb"), folder.glob("*run-*/run-*.wandb"), folder.glob("wandb/*run-*/run-*.wandb")
        # A folder's name has its time. `latest-run` is a link to one of them.
        for path in sorted({each.resolve() for paths in found for each in paths}, key=lambda each: each.parent.name):
            self._parts.setdefault(path.stem.removeprefix("run-"), []).append(path)
        if not self._parts:
            raise OriginFailed(f"{folder} has no runs of W&B: no file *run-*/run-*.wandb")
        self._artifacts = Artifacts()

    def runs(self) -> Iterator[Run]:
        for id_, paths in self._parts.items():
            part = _Reading(paths)
            state = states.state_of(part.records())
            if state.start_ms is None:
                self.not_taken.append(f"run {id_}: {paths[0]} ends before its first record")
                continue
            yield self._run(id_, state, part)

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterator[Version]:
        return self._artifacts.versions()

    def _run(self, id_: str, state: states.State, part: _Reading) -> Run:
        names, key = state.names, f"wandb:{id_}"
        status, end_ms = _end(state)
        user = state.environment.pop("user", names.get("entity", ""))
        labels = {name: names[name] for name in ("entity", "group", "job_type", "sweep", "host") if names.get(name)}
        summary_labels, summary_points = _summary(state)
        environment = {name: names[name] for name in ("git_sha",) if name in names} | state.environment | part.patch()
        return Run(
            key=key,
            experiment=_experiment(names.get("project", ""), state.start_ms),
            name=names.get("name"),
            notes=names.get("notes", ""),
            created_date=date(state.start_ms),
            end_date=date(end_ms),
            status=status,
            error_message=f"exit code {state.exit_code}" if state.exit_code else "",
            parameters=texts({name: value for name, value in state.config.items() if name != "_wandb"}),
            tags=state.tags,
            labels=labels | ({"user": user} if user else {}) | summary_labels,
            environment=environment,
            inputs=[Input(name=name, source_type=kind, context="use_artifact") for name, kind in state.used],
            metrics=lambda: grouped(part.points(summary_points, state)),
            output=lambda: lines_of(part.records()),
            files=part.files(self._artifacts.take(key, state)),
            not_taken=_not_taken(state, part),
        )


class _Reading:
    """The files of one run. Each pass reads them again, so that no pass holds them."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self.damage: list[str] = []
        self.folders = [path.parent / "files" for path in reversed(paths)]

    def records(self) -> Iterator[Any]:
        for path in self._paths:
            try:
                yield from records(path)
            except Damaged as damaged:
                sentence = f"{path.name} is {damaged}: the records after it"
                if sentence not in self.damage:
                    self.damage.append(sentence)

    def points(self, more: dict[str, float], state: states.State) -> Iterator[tuple[str, int, int, float]]:
        samples = 0
        for record in self.records():
            kind = record.WhichOneof("record_type")
            if kind == "history":
                yield from _logged(record.history, state.start_ms or 0)
            elif kind == "stats":
                yield from _sampled(record.stats, samples)
                samples += 1
        for key, point in more.items():
            yield key, state.last_step, state.last_ms, point

    def files(self, artifacts: list[File]) -> Iterator[File]:
        named: set[str] = set()
        alerts = 0
        for record in self.records():
            kind = record.WhichOneof("record_type")
            if kind == "alert":
                said = "\n".join(filter(None, (record.alert.level, record.alert.title, record.alert.text)))
                yield from _media("alerts", alerts, None, said, self.folders)
                alerts += 1
            elif kind == "history":
                step, time_ms, found = states.values_of(record.history)
                for key, value in states.leaves(found):
                    if number(value) is None:
                        named.update(values.paths_of(value))
                        yield from _media(key, step, time_ms, value, self.folders)
        yield from self._saved(named)
        yield from artifacts

    def patch(self) -> dict[str, str]:
        """The uncommitted changes of the run's code."""
        path = values.find("diff.patch", self.folders)
        return {"git_diff": path.read_text("utf-8", "replace")} if path.is_file() else {}

    def _saved(self, named: set[str]) -> Iterator[File]:
        seen = set(named)
        for folder in self.folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and name not in seen and name not in _OWN:
                    seen.add(name)
                    yield File.of_path(name, path, created_date=media.modified(path))


def _logged(history: Any, start_ms: int) -> Iterator[tuple[str, int, int, float]]:
    step, time_ms, found = states.values_of(history)
    for key, value in states.leaves(found):
        point = number(value)
        if point is not None:
            yield key, step, start_ms if time_ms is None else time_ms, point


def _sampled(stats: Any, step: int) -> Iterator[tuple[str, int, int, float]]:
    """The load of the machine, under the names that our client gives it."""
    for item in stats.item:
        point = number(json.loads(item.value_json))
        if point is not None:
            yield f"system/{item.key}", step, states.milliseconds(stats.timestamp), point


def _media(key: str, step: int, time_ms: int | None, value: Any, folders: list[Path]) -> Iterator[File]:
    try:
        yield from values.files_of(key, step, time_ms, value, folders)
    except ValueError as error:
        yield media.refused(f"media/{key}/{step}", str(error))


def _experiment(project: str, created_ms: int | None) -> Experiment:
    return Experiment(key=f"wandb:{project}", name=project or "uncategorized", created_date=date(created_ms))


def _end(state: states.State) -> tuple[IterationStatus, int | None]:
    given = {None: IterationStatus.RUNNING, 0: IterationStatus.SUCCEEDED}
    status = given.get(state.exit_code, IterationStatus.FAILED)
    return ended(status, None, state.last_ms)


def _summary(state: states.State) -> tuple[dict[str, str], dict[str, float]]:
    """Labels and points of a summary: what the history does not say.

    A number is a point of its key, or of ``summary/KEY`` if the key has a curve, as in `deardiary.wandb`.
    """
    labels: dict[str, str] = {}
    points: dict[str, float] = {}
    for key, value in states.leaves({k: v for k, v in state.summary.items() if not k.startswith("_")}):
        if key in state.curves and repr(state.curves[key]) == repr(value):
            continue
        found = number(value)
        if found is not None and not (key in state.curves and number(state.curves[key]) == found):
            points[f"summary/{key}" if key in state.curves else key] = found
        elif isinstance(value, str):
            labels[key] = value
    return labels, points


def _not_taken(state: states.State, part: _Reading) -> list[str]:
    found = list(part.damage)
    for key, value in state.curves.items():
        if number(value) is None and not isinstance(value, (str, list, dict)) and value is not None:
            found.append(f"values of {key!r}: {_NO_NUMBER}")
        elif (
            isinstance(value, dict) and value and value.get("_type") != "histogram" and not list(values.paths_of(value))
        ):
            found.append(f"values of {key!r}: {value.get('_type', 'of an unknown type')}")
        elif number(value) is not None and not is_exact(value):
            found.append(f"the last digits of {key!r}: a point is a float64, which does not hold {value}")
    if state.tensorboard:
        found.append("the event files of TensorBoard that W&B watched: import them with `deardiary import tensorboard`")
    return found
