"""MLflow's record in a folder ``mlruns``, by its files: MLflow itself has closed this store, and is 600 MB."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deardiary_exchange.origins.mlflow import artifacts
from deardiary_exchange.origins.mlflow.form import (
    RegisteredModel,
    StoredExperiment,
    StoredFile,
    StoredModel,
    StoredRun,
    StoredVersion,
    dataset,
)
from deardiary_exchange.origins.origin import OriginFailed
from deardiary_exchange.runs import Input

_META = "meta.yaml"
# The numbers of MLflow's messages, in which its files have the states of runs.
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_TRASH, _MODELS = ".trash", "models"


class FolderStore:
    """``artifacts_folder``: the folder that has the artifacts now, if they are not where the record says."""

    def __init__(self, folder: Path, artifacts_folder: Path | None = None) -> None:
        self._folder = folder
        self._roots = artifacts.roots(folder, artifacts_folder)
        if not any(folder.glob(f"*/{_META}")):
            raise OriginFailed(f"{folder} is no folder of MLflow: no folder in it has a file {_META}")
        self.note: Callable[[str], object] = len  # the origin sets its own

    def experiments(self) -> Iterator[StoredExperiment]:
        trash = sum(1 for _ in self._folder.glob(f"{_TRASH}/*/{_META}"))
        if trash:
            self.note(f"deleted experiments: {trash}")
        for path in _folders(self._folder):
            if path.name in (_MODELS, _TRASH):
                continue
            meta = _meta(path)
            if meta.get("lifecycle_stage") != "active":
                self.note(f"experiment {meta['name']!r}: it is deleted")
                continue
            yield StoredExperiment(path.name, str(meta["name"]), _texts(path / "tags"), meta.get("creation_time"))

    def runs(self, experiment: StoredExperiment) -> Iterator[StoredRun]:
        folder = self._folder / experiment.id
        found, deleted = [], 0
        for path in _folders(folder):
            meta = _meta(path)
            if "run_id" not in meta and "run_uuid" not in meta:
                continue
            if meta.get("lifecycle_stage") == "active":
                found.append((meta["start_time"] or 0, path))
            else:
                deleted += 1
        if deleted:
            self.note(f"deleted runs of the experiment {experiment.name!r}: {deleted}")
        for _, path in sorted(found):
            yield self._run(path, experiment)

    def points(self, run: StoredRun) -> Iterator[tuple[str, int, int, float]]:
        folder = self._folder / run.experiment_id / run.id / "metrics"
        for key, path in _files(folder):
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    time_ms, value, *step = line.split()
                    # Older versions wrote no step. Newer ones add the model and the dataset of an evaluation.
                    yield key, int(step[0]) if step else 0, _milliseconds(time_ms), float(value)

    def last_ms(self, run: StoredRun) -> int | None:
        return max((time_ms for _, _, time_ms, _ in self.points(run)), default=None)

    def files(self, run: StoredRun) -> Iterator[StoredFile]:
        return artifacts.files(run.artifact_uri, [self._folder / run.experiment_id, *self._roots])

    def logged_models(self, run: StoredRun) -> Iterator[StoredModel]:
        for path in _folders(self._folder / run.experiment_id / _MODELS):
            meta = _meta(path)
            if meta.get("source_run_id") == run.id and meta.get("lifecycle_stage", "active") == "active":
                files = functools.partial(artifacts.files, str(meta["artifact_location"]), self._roots)
                yield StoredModel(str(meta["model_id"]), str(meta["name"]), files)

    def versions(self) -> Iterator[StoredVersion | RegisteredModel]:
        for path in _folders(self._folder / _MODELS):
            meta = _meta(path)
            model = RegisteredModel(
                str(meta["name"]), meta.get("description") or "", _texts(path / "tags"), meta.get("creation_timestamp")
            )
            found = sorted(_versions_of(model, path), key=lambda each: each.version)
            yield from found
            if not found:
                yield model

    def _run(self, path: Path, experiment: StoredExperiment) -> StoredRun:
        meta = _meta(path)
        status = meta["status"]
        return StoredRun(
            id=path.name,
            experiment_id=experiment.id,
            name=meta.get("run_name") or meta.get("name") or "",
            status=_STATUSES.get(status, "RUNNING") if isinstance(status, int) else str(status),
            start_ms=meta["start_time"] or 0,
            end_ms=meta.get("end_time"),
            user=meta.get("user_id") or "",
            artifact_uri=meta.get("artifact_uri") or str(path / "artifacts"),
            params=_texts(path / "params"),
            tags=_texts(path / "tags"),
            datasets=list(self._datasets(path)),
        )

    def _datasets(self, path: Path) -> Iterator[Input]:
        for used in _folders(path / "inputs"):
            link = _meta(used)
            if link.get("source_type") != "DATASET":
                continue
            meta = _meta(path.parent / "datasets" / str(link["source_id"]))
            more = {name: meta.get(name) or "" for name in ("schema", "profile")}
            tags = {str(key): str(value) for key, value in (link.get("tags") or {}).items()}
            yield dataset(meta["name"], meta["digest"], meta["source"], meta["source_type"], more, tags)


def _versions_of(model: RegisteredModel, folder: Path) -> Iterator[StoredVersion]:
    names = _texts(folder / "aliases")
    for path in _folders(folder):
        meta = _meta(path)
        if meta.get("current_stage") == "Deleted_Internal":
            continue
        number = int(meta["version"])
        yield StoredVersion(
            model,
            number,
            meta.get("creation_timestamp"),
            meta.get("run_id"),
            meta.get("source") or "",
            meta.get("current_stage"),
            meta.get("description") or "",
            _texts(path / "tags"),
            sorted(alias for alias, version in names.items() if version.strip() == str(number)),
        )


def _folders(folder: Path) -> list[Path]:
    """The folders in it that have a description."""
    return sorted(path.parent for path in folder.glob(f"*/{_META}"))


def _meta(folder: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise OriginFailed("A folder of MLflow needs: pip install pyyaml") from None
    with (folder / _META).open(encoding="utf-8") as file:
        found = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return found if isinstance(found, dict) else {}


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below it by their paths, in which a key with a slash has folders."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> dict[str, str]:
    return {key: path.read_text("utf-8") for key, path in _files(folder)}


def _milliseconds(text: str) -> int:
    """Versions before 1.0 wrote seconds."""
    number = int(text)
    return number * 1000 if number < 10**11 else number
