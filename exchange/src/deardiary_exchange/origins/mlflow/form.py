"""MLflow's runs in the form of ours. docs/decisions/0014-mlflow-mapping.md has the same mapping for its clients."""

from __future__ import annotations

import sys
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from deardiary.wire.shapes import IterationStatus, Stage
from deardiary_exchange.origins import media
from deardiary_exchange.origins.origin import Origin, date, ended, grouped, parents_first
from deardiary_exchange.runs import Experiment, File, Input, Model, Run, Version

NAME, NOTE, PARENT, USER = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId", "mlflow.user"
COMMIT, SOURCE = "mlflow.source.git.commit", "mlflow.source.name"
CONTEXT = "mlflow.data.context"

_STATUSES = {
    "FINISHED": IterationStatus.SUCCEEDED,
    "FAILED": IterationStatus.FAILED,
    "KILLED": IterationStatus.KILLED,
}
_STAGES = {"Staging": Stage.STAGING, "Production": Stage.PRODUCTION, "Archived": Stage.ARCHIVED}
_DESCRIPTION, _DEFAULT = "MLmodel", "0"


class StoredExperiment(NamedTuple):
    id: str
    name: str
    tags: Mapping[str, str] = {}
    created_ms: int | None = None
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    id: str
    experiment_id: str
    name: str
    status: str
    start_ms: int
    end_ms: int | None = None
    user: str = ""
    artifact_uri: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[Input] = ()
    not_taken: Sequence[str] = ()


class StoredFile(NamedTuple):
    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None


class StoredModel(NamedTuple):
    """A logged model of MLflow 3, whose files are not among those of its run."""

    id: str
    name: str
    files: Callable[[], Iterable[StoredFile]]


class RegisteredModel(NamedTuple):
    name: str
    description: str = ""
    tags: Mapping[str, str] = {}
    created_ms: int | None = None


class StoredVersion(NamedTuple):
    model: RegisteredModel
    version: int
    created_ms: int | None
    run_id: str | None
    source: str
    stage: str | None = None
    description: str = ""
    tags: Mapping[str, str] = {}
    aliases: Sequence[str] = ()


class Store(Protocol):
    """MLflow's record, in a folder, a database or a server."""

    note: Callable[[str], object]

    def experiments(self) -> Iterable[StoredExperiment]: ...
    def runs(self, experiment: StoredExperiment) -> Iterable[StoredRun]:
        """The runs that are not deleted, in the order of their start."""

    def points(self, run: StoredRun) -> Iterable[tuple[str, int, int, float]]: ...
    def last_ms(self, run: StoredRun) -> int | None: ...
    def files(self, run: StoredRun) -> Iterable[StoredFile]:
        """OSError, with a sentence on what can be done, if they cannot be read from here."""

    def logged_models(self, run: StoredRun) -> Iterable[StoredModel]:
        """The models that this run has logged."""

    def versions(self) -> Iterable[StoredVersion | RegisteredModel]:
        """Model by model, the versions in the order of their numbers; of a model without versions the model."""


class Mlflow(Origin):
    """The origin ``deardiary import mlflow``."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        store.note = self.note
        self._in_registry: set[str] = set()
        # Of the runs that a model version names: the paths of their files, and the folders of logged models by id.
        self._paths: dict[str, list[str]] = {}
        self._folders: dict[str, str] = {}

    def experiments(self) -> Iterator[Experiment]:
        """All but the one that MLflow itself creates."""
        return (_experiment(each) for each in self._store.experiments() if each.id != _DEFAULT)

    def models(self) -> Iterator[Model]:
        return (_model(each) for each in self._store.versions() if isinstance(each, RegisteredModel))

    def runs(self) -> Iterator[Run]:
        versions = (each for each in self._store.versions() if isinstance(each, StoredVersion))
        self._in_registry = {each.run_id for each in versions if each.run_id}
        for experiment in self._store.experiments():
            runs = self._store.runs(experiment)
            for run in parents_first(runs, lambda each: each.id, lambda each: each.tags.get(PARENT)):
                yield self._run(run, experiment)

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterator[Version]:
        for each in self._store.versions():
            if isinstance(each, RegisteredModel):
                continue
            iteration = iteration_id(key_of(each.run_id)) if each.run_id else None
            if each.run_id and iteration:
                yield self._version(each, each.run_id, iteration)
                continue
            reason = f"its run {each.run_id} was not taken" if each.run_id else "it has no run"
            self.note(f"version {each.version} of the model {each.model.name!r}: {reason}")

    def _run(self, stored: StoredRun, experiment: StoredExperiment) -> Run:
        tags = dict(stored.tags)
        name, notes, parent = (tags.pop(key, "") for key in (NAME, NOTE, PARENT))
        if stored.user:
            tags.setdefault(USER, stored.user)
        state = _STATUSES.get(stored.status, IterationStatus.RUNNING)
        last_ms = (None if stored.end_ms else self._store.last_ms(stored)) or stored.start_ms
        status, end_ms = ended(state, stored.end_ms, last_ms)
        files, not_taken = self._files(stored)
        return Run(
            key=key_of(stored.id),
            experiment=_experiment(experiment),
            name=name or stored.name or None,
            notes=notes,
            parent_key=key_of(parent) if parent else None,
            created_date=date(stored.start_ms),
            end_date=date(end_ms),
            status=status,
            parameters=stored.params,
            labels=tags,
            environment={
                name: tags[key] for name, key in (("git_sha", COMMIT), ("entrypoint", SOURCE)) if tags.get(key)
            },
            inputs=stored.datasets,
            metrics=lambda: grouped(self._store.points(stored)),
            files=files,
            not_taken=(*stored.not_taken, *not_taken),
        )

    def _files(self, stored: StoredRun) -> tuple[list[File], list[str]]:
        files: list[File] = []
        not_taken: list[str] = []
        try:
            files += [_file(each.name, each) for each in self._store.files(stored)]
        except OSError as error:
            not_taken.append(f"artifacts in {stored.artifact_uri}: {error}")
        taken = {each.name.partition("/")[0] for each in files}
        for model in self._store.logged_models(stored):
            folder = model.name if model.name not in taken else f"{model.name}/{model.id}"
            taken.add(model.name)
            self._folders[model.id] = folder
            try:
                files += [_file(f"{folder}/{each.name}", each) for each in model.files()]
            except OSError as error:
                not_taken.append(f"the files of the logged model {model.id} ({model.name}): {error}")
        if stored.id in self._in_registry:
            self._paths[stored.id] = [each.name for each in files]
        return files, not_taken

    def _version(self, stored: StoredVersion, run_id: str, iteration_id: str) -> Version:
        folder = self._folders.get(stored.source.removeprefix("models:/")) or _path_in_run(stored.source)
        inside = [path for path in self._paths.get(run_id, ()) if path == folder or path.startswith(f"{folder}/")]
        main = _main_file(inside)
        return Version(
            key=f"mlflow:{stored.model.name}/{stored.version}",
            model=_model(stored.model),
            version=stored.version,
            run_key=key_of(run_id),
            file_key=f"{key_of(run_id)}/{main}" if main else None,
            stage=_STAGES.get(stored.stage or "", Stage.NO_STAGE),
            description=stored.description,
            # MLflow's clients load the model from here.
            source=f"runs:/{iteration_id}/{folder}" if inside else stored.source,
            aliases=stored.aliases,
            labels=stored.tags,
            created_date=date(stored.created_ms),
        )


def key_of(run_id: str) -> str:
    return f"mlflow:{run_id}"


def dataset(
    name: str, digest: str, source: str, source_type: str, more: Mapping[str, str], tags: Mapping[str, str]
) -> Input:
    """``more`` are schema and profile, which become labels."""
    labels = {key: value for key, value in tags.items() if key != CONTEXT} | {k: v for k, v in more.items() if v}
    return Input(
        name=name, digest=digest, source=source, source_type=source_type, context=tags.get(CONTEXT, ""), labels=labels
    )


def infinite(value: float) -> float:
    """A stored value: MLflow's database has no infinity, so MLflow writes the largest float for it."""
    return value if abs(value) < sys.float_info.max else value * 2


def path_of(uri: str) -> str | None:
    """The path of a URI that names a file of a machine; None for other schemes."""
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme == "file":
        return urllib.parse.unquote(parts.path)
    return uri if len(parts.scheme) < 2 else None


def _file(name: str, stored: StoredFile) -> File:
    created = media.modified(stored.path) if stored.path else None
    return File(name=name, open=stored.open, path=stored.path, created_date=created)


def _experiment(stored: StoredExperiment) -> Experiment:
    labels = {key: value for key, value in stored.tags.items() if key != NOTE}
    return Experiment(
        key=f"mlflow:{stored.id}",
        name=stored.name,
        description=stored.tags.get(NOTE, ""),
        created_date=date(stored.created_ms),
        labels=labels,
    )


def _model(stored: RegisteredModel) -> Model:
    return Model(
        name=stored.name,
        description=stored.description,
        labels=stored.tags,
        created_date=date(stored.created_ms),
    )


def _path_in_run(source: str) -> str:
    """The path of a model below the artifacts of its run: of ``runs:/RUN/model``, ``…/RUN/artifacts/model``."""
    if source.startswith("runs:/"):
        return source.split("/", 2)[2]
    return source.rpartition("/artifacts/")[2].strip("/")


def _main_file(paths: Sequence[str]) -> str | None:
    """A version names one file: the only one, or MLflow's description, whose folder has the others."""
    if len(paths) == 1:
        return paths[0]
    return next((path for path in paths if path.rpartition("/")[2] == _DESCRIPTION), None)
