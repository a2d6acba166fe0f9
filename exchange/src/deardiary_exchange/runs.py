"""Runs of any origin, in the form in which `deardiary_exchange.load` brings them into a server.

An importer yields a `Run` for each run of its origin, a parent before its children:

    def runs_of(folder: Path) -> Iterator[Run]:
        experiment = Experiment(key="3", name="sweep")
        yield Run(
            key="origin:0af5c2",                       # unique and the same at every import
            experiment=experiment,
            name="quiet-heron",
            created_date=started, end_date=ended, status=IterationStatus.SUCCEEDED,
            parameters={"lr": "0.01"}, tags=["baseline"], labels={"user": "ada"},
            metrics=lambda: points_of(path),           # is called only if the points are needed
            files=[File.of_path("model.bin", path)],
            not_taken=["3 system metrics: their times are missing"],
        )

Everything that may be large is a function without arguments that returns an iterator: the loader calls it when it
needs the data, at most once for each load. Times of points are milliseconds since 1970. A text that the server would
refuse, such as a parameter with 7,000 characters, is left out by the loader, which reports it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import numpy

from deardiary.wire.columns import Columns
from deardiary.wire.shapes import ExperimentStatus, IterationStatus, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = [
    "Columns",
    "Experiment",
    "ExperimentStatus",
    "File",
    "Input",
    "IterationStatus",
    "Line",
    "Model",
    "Points",
    "Run",
    "Stage",
    "Unreadable",
    "Version",
    "points",
    "points_of_arrays",
]


class Unreadable(Exception):
    """A run, or a part of it, cannot be read now. The load reports it as failed, and goes on with the next run."""


class Points(NamedTuple):
    """Points of one metric, of any number; a metric may have several of these. See `points` to make one of lists."""

    key: str
    columns: Columns


class Line(NamedTuple):
    """A printed line without its line end. ``time`` is in milliseconds since 1970."""

    stream: Literal["stdout", "stderr"]
    text: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment of the target project, found by its ``key`` (its id at the origin), then by its name.

    A name of several experiments of the origin names one experiment here. ``status`` and ``end_date`` are set after
    the last run; None leaves them.
    """

    key: str
    name: str
    description: str = ""
    created_date: datetime | None = None
    end_date: datetime | None = None
    status: ExperimentStatus | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a run. ``open`` opens its bytes; it is called only if the project does not have them.

    ``content_hash`` (SHA-256 in hex) and ``size_bytes`` save the loader one reading. ``path`` is the file itself if it
    is on this machine. ``key`` names the file among all files of a load; without one it is the run's key, a slash and
    the name. Two files of one name need a ``key``.
    """

    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None
    size_bytes: int | None = None
    content_hash: str | None = None
    description: str = ""
    content_type: str | None = None
    created_date: datetime | None = None
    key: str = ""

    @classmethod
    def of_path(cls, name: str, path: Path, *, created_date: datetime | None = None, description: str = "") -> File:
        def opened() -> BinaryIO:
            return path.open("rb")

        return cls(name=name, open=opened, path=path, created_date=created_date, description=description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What a run has read.

    ``file_key`` is the key of a `File` of this load, ``version_key`` that of a `Version`. They may come later.
    """

    kind: Literal["dataset", "resource", "model"] = "dataset"
    name: str = ""
    digest: str = ""
    source: str = ""
    source_type: str = ""
    context: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    file_key: str | None = None
    version_key: str | None = None


def _no_points() -> Iterator[Points]:
    return iter(())


def _no_lines() -> Iterator[Line]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, which becomes an iteration. ``key`` names it among all runs of all origins, the same at every import.

    ``parent_key`` is the ``key`` of a run that was yielded earlier. A run without ``end_date`` stays RUNNING; a later
    load brings what is new in it. ``environment`` has the arguments of `client.iterations.set_snapshot`.
    ``not_taken`` has sentences for the report: what the importer had to leave out.

    ``whole`` returns the run again with what is dear to read: metrics, output, files, parameters, inputs, environment,
    more labels and ``not_taken``. It is called only if the iteration is not yet as the run is.
    """

    key: str
    experiment: Experiment
    name: str | None = None
    notes: str = ""
    parent_key: str | None = None
    created_date: datetime | None = None
    end_date: datetime | None = None
    status: IterationStatus = IterationStatus.RUNNING
    error_message: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str | bool] = field(default_factory=dict)
    inputs: Sequence[Input] = ()
    metrics: Callable[[], Iterable[Points]] = _no_points
    output: Callable[[], Iterable[Line]] = _no_lines
    files: Iterable[File] = ()
    not_taken: Sequence[str] = ()
    whole: Callable[[], Run] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the target project, found by its name."""

    name: str
    description: str = ""
    created_date: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A model version. Yield the versions of a model in the order of their numbers, after all runs.

    The loader keeps the numbers: it creates and deletes a version for each number that the origin does not have.
    ``run_key`` is the run that it came from, and ``file_key`` the key of its `File`. ``aliases`` name this version
    afterwards.
    """

    key: str
    model: Model
    version: int
    run_key: str
    file_key: str | None = None
    stage: Stage = Stage.NO_STAGE
    description: str = ""
    source: str = ""
    aliases: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    created_date: datetime | None = None


def points(key: str, steps: Iterable[int], times_ms: Iterable[int], values: Iterable[float]) -> Points:
    """Points from three lists of equal length. For numpy arrays use `points_of_arrays`, which is faster."""
    return Points(key, Columns(array("q", steps), array("q", times_ms), array("d", values)))


def points_of_arrays(key: str, steps: Any, times_ms: Any, values: Any) -> Points:
    """Points from three arrays of numpy, of equal length."""
    columns = Columns.empty()
    columns.steps.frombytes(numpy.ascontiguousarray(steps, dtype="<i8").tobytes())
    columns.times.frombytes(numpy.ascontiguousarray(times_ms, dtype="<i8").tobytes())
    columns.values.frombytes(numpy.ascontiguousarray(values, dtype="<f8").tobytes())
    return Points(key, columns)
