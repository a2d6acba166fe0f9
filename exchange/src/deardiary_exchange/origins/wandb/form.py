"""A W&B run as a run of ours, alike whether its files or its server are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from deardiary.wire.shapes import IterationStatus
from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import date, grouped, is_exact, number, texts
from deardiary_exchange.origins.wandb import state as states
from deardiary_exchange.origins.wandb import values
from deardiary_exchange.runs import Experiment, File, Input, Line, Run

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


class Row(NamedTuple):
    """A row of the history. ``values`` may be nested."""

    step: int
    time_ms: int | None
    values: dict[str, Any]


class Sample(NamedTuple):
    """The load of the machine at one time."""

    time_ms: int
    values: dict[str, Any]


class Alert(NamedTuple):
    text: str


class Reading(ABC):
    """Reads the parts of one run. Each pass reads them again, so that no pass holds them."""

    def __init__(self) -> None:
        self.damage: list[str] = []

    @abstractmethod
    def entries(self) -> Iterator[Row | Sample | Alert]:
        """History, load and alerts; each of these kinds in its order."""

    @abstractmethod
    def lines(self) -> Iterator[Line]:
        """What the run printed."""

    @abstractmethod
    def saved(self, taken: set[str]) -> Iterator[File]:
        """Each file of the run whose name is not in ``taken``."""

    @abstractmethod
    def path_of(self, name: str) -> Path:
        """The path of a file of the run on this machine. OSError if it cannot be had."""

    def release(self, path: Path | None) -> None:  # noqa: B027 - most keep their files
        """Free a file that has been taken."""


def run_of(key: str, state: states.State, reading: Reading, artifacts: Iterator[File], **end: Any) -> Run:
    """The run with everything. ``end`` has its end_date, status and error_message."""
    summary_labels, summary_points = _summary(state)
    names = state.names
    environment = {name: names[name] for name in ("git_sha",) if name in names} | state.environment | _patch(reading)
    environment.pop("user", None)
    return Run(
        key=key,
        experiment=experiment_of(state),
        name=names.get("name"),
        notes=names.get("notes", ""),
        created_date=date(state.start_ms),
        parameters=texts({name: value for name, value in state.config.items() if name != "_wandb"}),
        tags=state.tags,
        labels=labels_of(state) | summary_labels,
        environment=environment,
        inputs=[Input(name=name, source_type=kind, context="use_artifact") for name, kind in state.used],
        metrics=lambda: grouped(_points(reading, summary_points, state)),
        output=reading.lines,
        files=_files(reading, artifacts),
        not_taken=_not_taken(state, reading),
        **end,
    )


def experiment_of(state: states.State) -> Experiment:
    project = state.names.get("project", "")
    return Experiment(key=f"wandb:{project}", name=project or "uncategorized", created_date=date(state.start_ms))


def labels_of(state: states.State) -> dict[str, str]:
    """The labels that the summary does not give."""
    names = state.names
    user = state.environment.get("user") or names.get("entity", "")
    shown = ("entity", "group", "job_type", "sweep", "host", "account")
    return {name: names[name] for name in shown if names.get(name)} | ({"user": user} if user else {})


def status_of(exit_code: int | None) -> IterationStatus:
    given = {None: IterationStatus.RUNNING, 0: IterationStatus.SUCCEEDED}
    return given.get(exit_code, IterationStatus.FAILED)


def _points(reading: Reading, more: dict[str, float], state: states.State) -> Iterator[tuple[str, int, int, float]]:
    samples = 0
    for entry in reading.entries():
        if isinstance(entry, Row):
            yield from _logged(entry, state.start_ms or 0)
        elif isinstance(entry, Sample):
            yield from _sampled(entry, samples)
            samples += 1
    for key, point in more.items():
        yield key, state.last_step, state.last_ms, point


def _logged(row: Row, start_ms: int) -> Iterator[tuple[str, int, int, float]]:
    for key, value in states.leaves(row.values):
        point = number(value)
        if point is not None:
            yield key, row.step, start_ms if row.time_ms is None else row.time_ms, point


def _sampled(sample: Sample, step: int) -> Iterator[tuple[str, int, int, float]]:
    """The load of the machine, under the names that our client gives it."""
    for key, value in sample.values.items():
        point = number(value)
        if point is not None:
            yield f"system/{key}", step, sample.time_ms, point


def _files(reading: Reading, artifacts: Iterator[File]) -> Iterator[File]:
    named: set[str] = set()
    for file in _media_and_saved(reading, named):
        yield file
        reading.release(file.path)
    for file in artifacts:
        yield file
        reading.release(file.path)


def _media_and_saved(reading: Reading, named: set[str]) -> Iterator[File]:
    alerts = 0
    for entry in reading.entries():
        if isinstance(entry, Alert):
            yield from _media("alerts", alerts, None, entry.text, reading)
            alerts += 1
        elif isinstance(entry, Row):
            for key, value in states.leaves(entry.values):
                if number(value) is None:
                    named.update(values.paths_of(value))
                    yield from _media(key, entry.step, entry.time_ms, value, reading)
    yield from reading.saved(named | {*_OWN})


def _media(key: str, step: int, time_ms: int | None, value: Any, reading: Reading) -> Iterator[File]:
    try:
        yield from values.files_of(key, step, time_ms, value, reading.path_of)
    except (ValueError, OSError) as error:
        yield media.refused(f"media/{key}/{step}", str(error))


def _patch(reading: Reading) -> dict[str, str]:
    """The uncommitted changes of the run's code."""
    try:
        path = reading.path_of("diff.patch")
        found = {"git_diff": path.read_text("utf-8", "replace")}
    except OSError:
        return {}
    reading.release(path)
    return found


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
        if found is not None and not (key in state.curves and repr(number(state.curves[key])) == repr(found)):
            points[f"summary/{key}" if key in state.curves else key] = found
        elif isinstance(value, str):
            labels[key] = value
    return labels, points


def _not_taken(state: states.State, reading: Reading) -> list[str]:
    found = list(reading.damage)
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
