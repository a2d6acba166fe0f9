"""W&B's runs on this machine: the folders ``offline-run-…`` and ``run-…`` of a folder ``wandb``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import Origin, OriginFailed, date, ended
from deardiary_exchange.origins.wandb import state as states
from deardiary_exchange.origins.wandb.artifacts import Artifacts
from deardiary_exchange.origins.wandb.form import Alert, Reading, Row, Sample, run_of, status_of
from deardiary_exchange.origins.wandb.lines import lines_of
from deardiary_exchange.origins.wandb.records import Damaged, records
from deardiary_exchange.runs import File, Line, Run, Version


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
            reading = _Files(paths)
            state = states.state_of(reading.records())
            if state.start_ms is None:
                self.not_taken.append(f"run {id_}: {paths[0]} ends before its first record")
                continue
            yield self._run(f"wandb:{id_}", state, reading)

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterator[Version]:
        return self._artifacts.versions()

    def _run(self, key: str, state: states.State, reading: _Files) -> Run:
        status, end_ms = ended(status_of(state.exit_code), None, state.last_ms)
        return run_of(
            key,
            state,
            reading,
            self._artifacts.take(key, state),
            end_date=date(end_ms),
            status=status,
            error_message=f"exit code {state.exit_code}" if state.exit_code else "",
        )


class _Files(Reading):
    """The files of one run."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__()
        self._paths = paths
        self._folders = [path.parent / "files" for path in reversed(paths)]

    def records(self) -> Iterator[Any]:
        for path in self._paths:
            try:
                yield from records(path)
            except Damaged as damaged:
                sentence = f"{path.name} is {damaged}: the records after it"
                if sentence not in self.damage:
                    self.damage.append(sentence)

    def entries(self) -> Iterator[Row | Sample | Alert]:
        for record in self.records():
            kind = record.WhichOneof("record_type")
            if kind == "history":
                yield Row(*states.values_of(record.history))
            elif kind == "stats":
                found = {item.key: json.loads(item.value_json) for item in record.stats.item}
                yield Sample(states.milliseconds(record.stats.timestamp), found)
            elif kind == "alert":
                alert = record.alert
                yield Alert("\n".join(filter(None, (alert.level, alert.title, alert.text))))

    def lines(self) -> Iterator[Line]:
        return lines_of(self.records())

    def path_of(self, name: str) -> Path:
        """In the newest of the folders that has it."""
        return next((path for folder in self._folders if (path := folder / name).is_file()), self._folders[0] / name)

    def saved(self, taken: set[str]) -> Iterator[File]:
        seen = set(taken)
        for folder in self._folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and name not in seen:
                    seen.add(name)
                    yield File.of_path(name, path, created_date=media.modified(path))
