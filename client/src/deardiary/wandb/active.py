"""A run: an iteration with wandb's calls."""

from __future__ import annotations

import fnmatch
import glob
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from deardiary.tracking.iteration import ActiveIteration
from deardiary.values import as_float
from deardiary.wandb import state
from deardiary.wandb.artifact import MANIFEST, Artifact, UsedArtifact
from deardiary.wandb.configuration import Config
from deardiary.wandb.data import Histogram, Image, Plotly, Table, Value
from deardiary.wandb.errors import UsageError
from deardiary.wandb.summaries import Summary
from deardiary.wire.shapes import IterationStatus

_log = logging.getLogger(__name__)


class Run:
    """An iteration that logs all keys at one common step, which counts the calls of `log`."""

    def __init__(self, iteration: ActiveIteration, *, step: int = 0, resumed: bool = False, **names: Any) -> None:
        """``names``: what `init` was given, such as ``group``; they are attributes of the run."""
        self.iteration = iteration
        self.resumed = resumed
        self.config = Config(iteration.log_parameters, iteration.set_labels)
        self.summary = Summary(self.set_summary)
        self._names = names
        self._step = step
        self._step_keys: dict[str, str] = {}  # by pattern
        self._latest: dict[str, float] = {}
        self._ignored: set[str] = set()
        self._artifacts: dict[str, int] = {}
        self._saved: dict[str, str | None] = {}  # bases by pattern
        self._stored: dict[Path, tuple[float, int]] = {}
        self._folder: Path | None = None
        self._hooks: list[Any] = []
        iteration.finish_hooks.add(lambda *_: self._at_end())

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_names"][name]
        except KeyError:
            raise AttributeError(f"A run has no {name!r}") from None

    @property
    def id(self) -> str:
        return self.iteration.id

    @property
    def name(self) -> str:
        return self.iteration.name

    @property
    def url(self) -> str | None:
        return self.iteration.url

    def get_url(self) -> str | None:
        return self.url

    @property
    def step(self) -> int:
        """The step of the next `log`."""
        return self._step

    @property
    def starting_step(self) -> int:
        return self._step

    @property
    def dir(self) -> str:
        """A folder for files of this run: they are stored when it ends."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="deardiary-"))
        return str(self._folder)

    def log(
        self,
        data: Mapping[str, Any] | None = None,
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,
    ) -> None:
        """Record values at ``step``, or else at the run's step, which then grows by one.

        With ``commit=False`` it stays, for the next call to add to it. An earlier step is recorded as well.
        """
        if step is not None:
            self._step = max(self._step, int(step))
        at = self._step if step is None else int(step)
        self._record(dict(_flat(data or {})), at)
        if commit or (commit is None and step is None):
            self._step = max(self._step, at + 1)

    def define_metric(self, name: str, step_metric: str | None = None, **_left_out: Any) -> None:
        """Log the metrics of this name, which may have ``*``, at the steps that the last ``step_metric`` says."""
        if step_metric:
            self._step_keys[name] = step_metric

    def set_summary(self, key: str, value: Any) -> None:
        """Log a number as ``key``, or as ``summary/KEY`` if ``key`` has a curve; a text becomes a label."""
        name = f"summary/{key}" if key in self._latest else key
        number = _number(value)
        if number is not None:
            self.iteration.log({name: number}, self._step)
        elif isinstance(value, str):
            self.iteration.set_label(key, value)
        else:
            self._record({name: value}, self._step)

    def watch(self, models: Any, criterion: Any = None, log: str = "gradients", log_freq: int = 1000, **_: Any) -> None:
        """Log the distribution of each gradient of a PyTorch module at every ``log_freq``-th backward pass."""
        if log not in ("gradients", "all"):
            return
        for model in models if isinstance(models, (list, tuple)) else [models]:
            for name, parameter in getattr(model, "named_parameters", dict)() or ():
                if parameter.requires_grad:
                    self._hooks.append(parameter.register_hook(self._gradient_hook(f"gradients/{name}", log_freq)))

    def unwatch(self, models: Any = None) -> None:
        """Stop watching all modules."""
        while self._hooks:
            self._hooks.pop().remove()

    def save(self, glob_str: str, base_path: str | None = None, policy: str = "live") -> None:
        """Store the files of this pattern now, and those that are new or have changed when the run ends."""
        self._saved[str(glob_str)] = base_path
        self._store(str(glob_str), base_path)

    def restore(self, name: str, root: str | None = None, **_left_out: Any) -> IO[str]:
        """Download a file of this run, and open it. UsageError if there is none."""
        client, known = self.iteration.client, self.iteration
        stored = client.resources.list(known.experiment_id, iteration_id=known.id)
        found = [each for each in stored if each.name == name and each.state == "ready"]
        if not found:
            raise UsageError(f"The run {self.name!r} has no file {name!r}")
        target = Path(root or self.dir, Path(name).name)
        target.unlink(missing_ok=True)
        client.resources.download(found[-1].id, target)
        return target.open()

    def log_artifact(
        self,
        artifact_or_path: Artifact | str,
        name: str | None = None,
        type: str | None = None,
        aliases: Any = None,
        **_left_out: Any,
    ) -> Artifact:
        """Store the files of an artifact as the next version of the model of its name, in the background."""
        artifact = artifact_or_path
        if not isinstance(artifact, Artifact):
            path = Path(artifact)
            artifact = Artifact(name or path.name, type or "unspecified")
            (artifact.add_dir if path.is_dir() else artifact.add_file)(str(path))
        count = self._artifacts[artifact.name] = self._artifacts.get(artifact.name, 0) + 1
        prefix = f"artifacts/{artifact.name}/{count}"
        for stored, path in artifact.files.items():
            self.iteration.log_resource(path, f"{prefix}/{stored}", wait=False)
        with tempfile.TemporaryDirectory() as folder:
            manifest = Path(folder, MANIFEST)
            manifest.write_text(artifact.manifest())
            self.iteration.log_resource(manifest, f"{prefix}/{MANIFEST}", artifact.description, wait=False)
        self.iteration.register_model(artifact.name, f"{prefix}/{MANIFEST}", artifact.description)
        if aliases:
            self._ignore("aliases of log_artifact", "set them with client.models.set_alias")
        return artifact

    def log_model(self, path: str, name: str | None = None, **_left_out: Any) -> Artifact:
        return self.log_artifact(path, name or Path(path).name, "model")

    def use_artifact(self, artifact_or_name: str, type: str | None = None, **_left_out: Any) -> UsedArtifact:
        """Find ``NAME:latest``, ``NAME:v3`` or ``NAME:ALIAS`` in this run's project, and record that the run reads it.

        UsageError if there is none.
        """
        name, _, wanted = artifact_or_name.rpartition("/")[2].partition(":")
        client = self.iteration.client
        project = client.experiments.get(self.iteration.experiment_id).project_id
        model = next(client.models.list(project, name=name), None)
        versions = list(client.modelversions.list(model.id)) if model else []
        if model and wanted not in ("", "latest") and not wanted.removeprefix("v").isdigit():
            versions = [client.models.get_alias(model.id, wanted)]
        elif wanted not in ("", "latest"):
            versions = [each for each in versions if each.version == int(wanted.removeprefix("v"))]
        if not versions:
            raise UsageError(f"There is no artifact {artifact_or_name!r} in this project")
        version = max(versions, key=lambda each: each.version)
        self.iteration.use_model(version)
        return UsedArtifact(client, name, version)

    def use_model(self, name: str) -> str:
        """Download the files of a model; return the path of the file, or of the folder if there are several."""
        folder = Path(self.use_artifact(name).download())
        found = [path for path in folder.rglob("*") if path.is_file()]
        return str(found[0] if len(found) == 1 else folder)

    def log_code(self, *_: Any, **_left_out: Any) -> None:
        """Record the code, as `ActiveIteration.snapshot_environment` does."""
        self.iteration.snapshot_environment()

    def alert(self, title: str, text: str = "", level: Any = None, **_left_out: Any) -> None:
        """Record a message as a text named ``alerts``."""
        self.iteration.log_text("alerts", "\n".join(filter(None, (str(level or ""), title, text))), self._step)

    def mark_preempting(self) -> None:
        """Do nothing: an interrupted iteration is resumed by its id in any case."""

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """End the run: SUCCEEDED, or FAILED with another ``exit_code`` than 0."""
        if exit_code:
            self.iteration.finish(IterationStatus.FAILED, f"exit code {exit_code}")
        else:
            self.iteration.finish()

    def __enter__(self) -> Run:
        self.iteration.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.iteration.__exit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"<Run {self.iteration!r}>"

    def _record(self, values: Mapping[str, Any], step: int) -> None:
        numbers = {key: number for key, value in values.items() if (number := _number(value)) is not None}
        self._latest.update(numbers)
        by_step: dict[int, dict[str, float]] = {}
        for key, number in numbers.items():
            by_step.setdefault(self._step_of(key, step), {})[key] = number
        for at, group in by_step.items():
            self.iteration.log(group, at)
        self.summary.note(dict(numbers))
        for key, value in values.items():
            if key not in numbers and value is not None:
                self._record_other(key, value, self._step_of(key, step))

    def _record_other(self, key: str, value: Any, step: int) -> None:
        if isinstance(value, str):
            self.iteration.log_text(key, value, step)
        elif isinstance(value, (list, tuple)) and value and all(isinstance(each, Image) for each in value):
            images = [each.image for each in value]
            self.iteration.log_image(key, images, step, caption=[each.caption for each in value])
        elif (thing := _as_value(value)) is not None:
            thing.log_into(self.iteration, key, step)
        elif isinstance(value, (list, tuple)):
            self.iteration.log_json(key, value, step)
        else:
            self._ignore(f"{key!r}, {type(value).__name__}", "it is no value that can be logged")

    def _step_of(self, key: str, step: int) -> int:
        patterns = (other for pattern, other in self._step_keys.items() if fnmatch.fnmatchcase(key, pattern))
        value = self._latest.get(next(patterns, ""))
        return int(value) if value is not None and value.is_integer() else step

    def _gradient_hook(self, key: str, every: int) -> Any:
        count = 0

        def hook(gradient: Any) -> None:
            nonlocal count
            if count % every == 0 and not self.iteration.is_over:
                Histogram(gradient).log_into(self.iteration, key, self._step)
            count += 1

        return hook

    def _at_end(self) -> None:
        self.unwatch()
        for pattern, base in self._saved.items():
            self._store(pattern, base)
        if self._folder is not None:
            self._store(str(self._folder / "**"), str(self._folder))
            shutil.rmtree(self._folder, ignore_errors=True)
        if state.run is self:
            state.set_run(None)

    def _store(self, pattern: str, base: str | None) -> None:
        for path in map(Path, sorted(glob.glob(pattern, recursive=True))):  # noqa: PTH207 - absolute and relative patterns
            if not path.is_file():
                continue
            found = path.stat()
            if self._stored.get(path) != (found.st_mtime, found.st_size):
                self._stored[path] = (found.st_mtime, found.st_size)
                self.iteration.log_resource(path, _name_of(path, base, self._folder), wait=False)

    def _ignore(self, what: str, why: str) -> None:
        if what not in self._ignored:
            self._ignored.add(what)
            _log.warning("%s is not recorded: %s", what, why)


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _number(value: Any) -> float | None:
    if isinstance(value, (str, bytes, Value)) or value is None:
        return None
    try:
        return as_float("value", value)
    except (TypeError, ValueError):
        return None


def _as_value(value: Any) -> Value | None:
    """What wandb takes without a class of its own: figures, pyplot, images of Pillow, data frames, arrays."""
    if isinstance(value, Value):
        return value
    if hasattr(value, "gcf"):
        return Plotly(value.gcf())
    if hasattr(value, "savefig") or hasattr(value, "to_plotly_json") or hasattr(getattr(value, "figure", 0), "savefig"):
        return Plotly(value)
    if hasattr(value, "itertuples"):
        return Table(dataframe=value)
    if hasattr(value, "save") and hasattr(value, "mode"):
        return Image(value)
    if hasattr(value, "__array__") or hasattr(value, "detach"):
        return Histogram(value)
    return None


def _name_of(path: Path, base: str | None, folder: Path | None) -> str:
    for root in (Path(base) if base else None, folder, Path.cwd()):
        if root is not None and path.resolve().is_relative_to(root.resolve()):
            return path.resolve().relative_to(root.resolve()).as_posix()
    return path.name
