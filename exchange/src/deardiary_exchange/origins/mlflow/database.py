"""MLflow's record in a SQLite file, by its tables: MLflow itself is 600 MB, and would migrate the file first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deardiary_exchange.origins.database import open_read_only, tables
from deardiary_exchange.origins.mlflow import artifacts
from deardiary_exchange.origins.mlflow.form import (
    RegisteredModel,
    StoredExperiment,
    StoredFile,
    StoredModel,
    StoredRun,
    StoredVersion,
    dataset,
    infinite,
)
from deardiary_exchange.origins.origin import OriginFailed
from deardiary_exchange.runs import Input

_RUNS = """
    SELECT run_uuid, name, status, start_time, end_time, user_id, artifact_uri FROM runs
    WHERE experiment_id = ? AND lifecycle_stage = 'active' ORDER BY start_time, run_uuid
"""
_DATASETS = """
    SELECT inputs.input_uuid, name, digest, dataset_source, dataset_source_type, dataset_schema, dataset_profile
    FROM inputs JOIN datasets ON source_id = dataset_uuid
    WHERE destination_id = ? AND source_type = 'DATASET' AND destination_type = 'RUN' ORDER BY inputs.input_uuid
"""
_VERSIONS = """
    SELECT version, creation_time, run_id, source, current_stage, description FROM model_versions
    WHERE name = ? AND current_stage <> 'Deleted_Internal' ORDER BY version
"""
_MODELS = """
    SELECT model_id, name, artifact_location FROM logged_models
    WHERE source_run_id = ? AND lifecycle_stage = 'active' ORDER BY creation_timestamp_ms, model_id
"""


class SqliteStore:
    """``artifacts``: the folder that has the artifacts now, if they are not where the database says."""

    def __init__(self, path: Path, artifacts_folder: Path | None = None) -> None:
        self._database = open_read_only(path)
        self._roots = artifacts.roots(path.parent, artifacts_folder)
        self._tables = tables(self._database)
        if not {"experiments", "runs", "metrics"} <= self._tables:
            raise OriginFailed(f"{path} is no database of MLflow: it has no tables experiments, runs and metrics")
        self.note: Callable[[str], object] = len  # the origin sets its own

    def experiments(self) -> Iterator[StoredExperiment]:
        created = "creation_time" if "creation_time" in self._columns("experiments") else "NULL"
        statement = f"SELECT experiment_id, name, artifact_location, lifecycle_stage, {created} FROM experiments"  # noqa: S608
        for id_, name, location, stage, created_ms in self._rows(f"{statement} ORDER BY experiment_id"):
            if stage != "active":
                self.note(f"experiment {name!r}: it is deleted")
                continue
            tags = dict(self._rows("SELECT key, value FROM experiment_tags WHERE experiment_id = ?", id_))
            yield StoredExperiment(str(id_), name, tags, created_ms, location or "")

    def runs(self, experiment: StoredExperiment) -> Iterator[StoredRun]:
        self._note_deleted(experiment)
        for id_, name, status, start_ms, end_ms, user, uri in self._rows(_RUNS, int(experiment.id)):
            yield StoredRun(
                id=id_,
                experiment_id=experiment.id,
                name=name or "",
                status=status,
                start_ms=start_ms or 0,
                end_ms=end_ms,
                user=user or "",
                artifact_uri=uri or "",
                params=self._pairs("params", id_),
                tags=self._pairs("tags", id_),
                datasets=list(self._datasets(id_)),
            )

    def points(self, run: StoredRun) -> Iterator[tuple[str, int, int, float]]:
        rows = self._rows(
            "SELECT key, step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key, step, timestamp",
            run.id,
        )
        for key, step, time_ms, value, is_nan in rows:
            yield key, step, time_ms, float("nan") if is_nan else infinite(value)

    def last_ms(self, run: StoredRun) -> int | None:
        ((last_ms,),) = self._rows("SELECT max(timestamp) FROM metrics WHERE run_uuid = ?", run.id)
        return None if last_ms is None else int(last_ms)

    def files(self, run: StoredRun) -> Iterator[StoredFile]:
        return artifacts.files(run.artifact_uri, self._roots)

    def logged_models(self, run: StoredRun) -> Iterator[StoredModel]:
        for id_, name, location in self._rows(_MODELS, run.id) if "logged_models" in self._tables else ():
            yield StoredModel(id_, name, functools.partial(artifacts.files, location, self._roots))

    def versions(self) -> Iterator[StoredVersion | RegisteredModel]:
        if "model_versions" not in self._tables:
            return
        for name, description, created_ms in self._rows(
            "SELECT name, description, creation_time FROM registered_models"
        ):
            tags = dict(self._rows("SELECT key, value FROM registered_model_tags WHERE name = ?", name))
            model = RegisteredModel(name, description or "", tags, created_ms)
            found = list(self._versions_of(model))
            yield from found
            if not found:
                yield model

    def _versions_of(self, model: RegisteredModel) -> Iterator[StoredVersion]:
        for version, created_ms, run_id, source, stage, description in self._rows(_VERSIONS, model.name):
            statement = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"
            tags = dict(self._rows(statement, model.name, version))
            aliases = self._aliases(model.name, version)
            yield StoredVersion(
                model, version, created_ms, run_id, source or "", stage, description or "", tags, aliases
            )

    def _aliases(self, name: str, version: int) -> Sequence[str]:
        if "registered_model_aliases" not in self._tables:
            return ()
        statement = "SELECT alias FROM registered_model_aliases WHERE name = ? AND version = ? ORDER BY alias"
        return [alias for (alias,) in self._rows(statement, name, version)]

    def _datasets(self, run_id: str) -> Iterator[Input]:
        if "datasets" not in self._tables:
            return
        for input_id, name, digest, source, source_type, schema, profile in self._rows(_DATASETS, run_id):
            tags = dict(self._rows("SELECT name, value FROM input_tags WHERE input_uuid = ?", input_id))
            yield dataset(name, digest, source, source_type, {"schema": schema, "profile": profile}, tags)

    def _note_deleted(self, experiment: StoredExperiment) -> None:
        statement = "SELECT count(*) FROM runs WHERE experiment_id = ? AND lifecycle_stage <> 'active'"
        ((count,),) = self._rows(statement, int(experiment.id))
        if count:
            self.note(f"deleted runs of the experiment {experiment.name!r}: {count}")

    def _pairs(self, table: str, run_id: str) -> dict[str, str]:
        return dict(self._rows(f"SELECT key, coalesce(value, '') FROM {table} WHERE run_uuid = ? ORDER BY key", run_id))  # noqa: S608

    def _columns(self, table: str) -> set[str]:
        return {row[1] for row in self._rows(f"PRAGMA table_info({table})")}

    def _rows(self, statement: str, *values: Any) -> Iterable[Any]:
        return self._database.execute(statement, values)
