"""Runs of TensorBoard: each folder of a log directory that has event files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deardiary.wire.shapes import IterationStatus
from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import Origin, OriginFailed, date, grouped, parents_first
from deardiary_exchange.origins.tensorboard import values
from deardiary_exchange.origins.tensorboard.events import Damaged, Position, events, hparams_class
from deardiary_exchange.runs import Experiment, File, Run

_FILES = "*tfevents*"
_SESSION = {2: IterationStatus.FAILED}
_HPARAMS, _GRAPH, _VERSION = "hparams", "graph_def", "file_version"
_PROFILE = ".profile-empty"


class TensorBoard(Origin):
    """The origin ``deardiary import tensorboard LOGDIR``. A run's name is the path of its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder.resolve()
        self._files: dict[Path, list[Path]] = {}
        for path in sorted(self._folder.rglob(_FILES)):
            if path.is_file() and not path.name.endswith(_PROFILE):
                self._files.setdefault(path.parent, []).append(path)
        if not self._files:
            raise OriginFailed(f"{folder} has no event files: no file {_FILES}")

    def runs(self) -> Iterator[Run]:
        for folder in parents_first(sorted(self._files), str, self._parent_of):
            yield self._run(folder)

    def _parent_of(self, folder: Path) -> str | None:
        """The nearest run above it: the writer of ``add_scalars`` and ``add_hparams`` has folders below its own."""
        return next((str(above) for above in folder.parents if above in self._files), None)

    def _run(self, folder: Path) -> Run:
        reading = _Reading(self._files[folder])
        reading.scan()
        name = folder.relative_to(self._folder).as_posix()
        key, parent = self._key(folder), self._parent_of(folder)
        return Run(
            key=key,
            experiment=Experiment(
                key=f"tensorboard:{self._folder.name}", name=self._folder.name, created_date=date(reading.first_ms)
            ),
            name=self._folder.name if name == "." else name,
            parent_key=self._key(Path(parent)) if parent else None,
            created_date=date(reading.first_ms),
            # Event files have no end, so that a run has ended with its last event until there are more.
            end_date=date(reading.last_ms or reading.first_ms),
            status=reading.status,
            parameters=reading.parameters,
            metrics=lambda: grouped(reading.points()),
            files=reading.media(),
            not_taken=reading.not_taken(),
        )

    def _key(self, folder: Path) -> str:
        """The first file names the time and the machine: runs of one name in two log directories are two."""
        return f"tensorboard:{self._files[folder][0].name}/{folder.relative_to(self._folder).as_posix()}"


class _Reading:
    """The event files of one run. Each pass reads them again, so that no pass holds them."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._damage: dict[str, None] = {}
        self._refused: dict[str, str] = {}
        self._plugins: dict[str, str] = {}  # by tag: only its first value says it
        self.parameters: dict[str, str] = {}
        self.status = IterationStatus.SUCCEEDED
        self.first_ms: int | None = None
        self.last_ms = 0

    def scan(self) -> None:
        for _, event in self._events():
            time_ms = round(event.wall_time * 1000)
            self.first_ms = time_ms if self.first_ms is None else min(self.first_ms, time_ms)
            if event.WhichOneof("what") != _VERSION:  # the first of each file
                self.last_ms = max(self.last_ms, time_ms)
            if event.WhichOneof("what") == _GRAPH:
                self._refused["the graph"] = "it is not kept"
            for value in event.summary.value:
                self._inspect(value)

    def points(self) -> Iterator[tuple[str, int, int, float]]:
        for _, event in self._events():
            for value in event.summary.value:
                point = values.scalar(value, self._plugins.get(value.tag, ""))
                if point is not None:
                    yield value.tag, event.step, round(event.wall_time * 1000), point

    def media(self) -> Iterator[File]:
        for position, event in self._events():
            for index, value in enumerate(event.summary.value):
                found = values.media(value, self._plugins.get(value.tag, ""))
                if found is None:
                    continue
                at = Position(position.path, position.offset, index)
                try:
                    yield from values.files(value, event.step, round(event.wall_time * 1000), found, at)
                except ValueError as error:
                    yield media.refused(f"media/{value.tag}/{event.step}", str(error))

    def not_taken(self) -> list[str]:
        return [*self._damage, *(f"{what}: {why}" for what, why in self._refused.items())]

    def _inspect(self, value: Any) -> None:
        if value.metadata.plugin_data.plugin_name:
            self._plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
        plugin = self._plugins.get(value.tag, "")
        if plugin == _HPARAMS:
            self._take_hparams(value.metadata.plugin_data.content)
        elif values.scalar(value, plugin) is None and values.media(value, plugin) is None:
            self._refused[f"values of {value.tag!r}"] = (
                f"those of the plugin {plugin or 'of an unknown name'!r} are not kept"
            )

    def _take_hparams(self, content: bytes) -> None:
        found = hparams_class().FromString(content)
        for each in found.session_start_info.hparams:
            kind = each.value.WhichOneof("kind")
            self.parameters[each.key] = str(getattr(each.value, kind)) if kind != "null_value" else "None"
        if found.WhichOneof("data") == "session_end_info":
            self.status = _SESSION.get(found.session_end_info.status, IterationStatus.SUCCEEDED)

    def _events(self) -> Iterator[tuple[Position, Any]]:
        for path in self._paths:
            try:
                for offset, event in events(path):
                    yield Position(path, offset, 0), event
            except Damaged as damaged:
                self._damage[str(damaged)] = None
