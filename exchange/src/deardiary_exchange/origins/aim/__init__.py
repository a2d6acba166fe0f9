"""Runs of Aim: a repository, which is a folder ``.aim``. It stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import to_milliseconds
from deardiary_exchange.origins.aim.reading import Reading
from deardiary_exchange.origins.aim.store import Pool, Store
from deardiary_exchange.origins.database import open_read_only, tables
from deardiary_exchange.origins.origin import Origin, OriginFailed, date, ended, grouped
from deardiary_exchange.runs import Experiment, Run, Unreadable

_RUNS = """
    SELECT run.id, hash, run.name, run.description, run.is_archived, run.created_at, finalized_at, experiment.uuid,
        experiment.name, experiment.description, experiment.created_at, experiment.is_archived
    FROM run LEFT JOIN experiment ON experiment_id = experiment.id ORDER BY run.created_at, run.id
"""
_TAGS = "SELECT name FROM run_tag JOIN tag ON tag_id = tag.id WHERE run_id = ? ORDER BY name"
_NOTES = "SELECT content FROM note WHERE run_id = ? ORDER BY id"
_DEFAULT, _ARCHIVED = "default", "aim.archived"


class _Row(NamedTuple):
    id: int
    hash: str
    name: str | None
    description: str | None
    is_archived: int | None
    created: str | None
    finalized: str | None


class Aim(Origin):
    """The origin ``deardiary import aim``. ``artifacts``: the folder that has the artifacts now."""

    def __init__(self, location: Path, artifacts: Path | None = None) -> None:
        super().__init__()
        self._folder = location / ".aim" if (location / ".aim").is_dir() else location
        self._artifacts = artifacts
        self._database = self._folder / "run_metadata.sqlite"
        if not self._database.is_file():
            raise OriginFailed(f"{location} is no repository of Aim 3: it has no .aim with a file run_metadata.sqlite")
        with closing(open_read_only(self._database)) as database:
            if not {"run", "experiment", "tag", "run_tag", "note"} <= tables(database):
                raise OriginFailed(f"{self._database} is no database of Aim 3: it has no table run")
        self._pool = Pool()

    def experiments(self) -> Iterator[Experiment]:
        """All but the one that Aim itself creates."""
        statement = "SELECT uuid, name, description, created_at, is_archived FROM experiment ORDER BY id"
        return (_experiment(row) for row in self._select(statement) if row[1] != _DEFAULT)

    def runs(self) -> Iterator[Run]:
        for row in self._select(_RUNS):
            try:
                yield self._run(_Row(*row[:7]), _experiment(row[7:]))
            except Unreadable as error:
                self.note(f"run {row[2] or row[1]}: {error}")

    def _run(self, row: _Row, experiment: Experiment) -> Run:
        meta, seqs = (Store(self._pool, self._folder / kind / "chunks" / row.hash) for kind in ("meta", "seqs"))
        reading = Reading(row.hash, meta, seqs)
        created_ms, end_ms = _milliseconds(row.created), reading.end_ms or _milliseconds(row.finalized)
        last = created_ms or 0 if end_ms else max(reading.last_ms(), created_ms or 0)
        # Aim records no failure.
        state = IterationStatus.SUCCEEDED if end_ms else IterationStatus.RUNNING
        status, end_ms = ended(state, end_ms, last)
        words = [row.description, *(content for (content,) in self._select(_NOTES, row.id))]
        return Run(
            key=f"aim:{row.hash}",
            experiment=experiment,
            name=row.name,
            notes="\n\n".join(filter(None, words)),
            created_date=date(created_ms),
            end_date=date(end_ms),
            status=status,
            parameters=reading.parameters,
            tags=[name for (name,) in self._select(_TAGS, row.id)],
            labels={"aim.run_hash": row.hash} | ({_ARCHIVED: "true"} if row.is_archived else {}),
            environment=reading.environment,
            metrics=lambda: grouped(reading.points()),
            output=reading.lines,
            files=reading.files(self._artifacts),
            not_taken=reading.not_taken(),
        )

    def _select(self, statement: str, *given: Any) -> list[Any]:
        with closing(open_read_only(self._database)) as database:
            return database.execute(statement, given).fetchall()


def _experiment(row: tuple[Any, ...]) -> Experiment:
    """Of uuid, name, description, created_at, is_archived. A run may have no experiment."""
    key, name, description, created, is_archived = row
    return Experiment(
        key=f"aim:experiment:{key or _DEFAULT}",
        name=name or _DEFAULT,
        description=description or "",
        created_date=date(_milliseconds(created)),
        labels={_ARCHIVED: "true"} if is_archived else {},
    )


def _milliseconds(time: str | None) -> int | None:
    """Aim's database has times in UTC."""
    return to_milliseconds(datetime.fromisoformat(time).replace(tzinfo=timezone.utc)) if time else None
