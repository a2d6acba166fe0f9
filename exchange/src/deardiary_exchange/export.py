"""Export a project into a folder: Parquet and files, part by part, each part written once.

A part holds up to 250 iterations of one experiment. It is complete when its record, `parts/NAME.json`, is written. A
second export keeps each part whose iterations have not changed; a killed one goes on after its last complete part. The
manifest is written last, so a folder without one is not complete.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deardiary.wire.form import to_json
from deardiary.wire.shapes import IterationStatus
from deardiary_exchange import manifest, source
from deardiary_exchange.copies import Copies
from deardiary_exchange.schema import TABLES, WHOLE
from deardiary_exchange.writer import PartWriter, Written, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import deardiary
    from deardiary.wire.shapes import Experiment, IterationOverview, Project, Resource
    from deardiary_exchange.folder import Folder

    Progress = Callable[[int, int], None]

_PART_ITERATIONS, _PART_POINTS = 250, 4_000_000
# Iterations that are read while others are written, and their points.
_THREADS, _AHEAD_ITERATIONS, _AHEAD_POINTS = 4, 8, 1_000_000
# An ended iteration still accepts late batches; one that ended so recently is read again by the next export.
_SETTLED_AFTER = timedelta(hours=1)
PROJECT_PART = "project"
_OF_PART = tuple(name for name in TABLES if name not in WHOLE)


@dataclass(slots=True)
class Exported:
    """What an export has done."""

    place: str
    iterations: int = 0
    points: int = 0
    files: int = 0
    file_bytes: int = 0
    new_parts: int = 0
    unchanged_parts: int = 0
    not_exported: tuple[str, ...] = manifest.NOT_EXPORTED


@dataclass(slots=True)
class _Part:
    """Iterations that are exported together. ``name`` is the id of the first one it ever had."""

    name: str
    experiment: Experiment
    iterations: list[IterationOverview]
    points: int = 0

    def add(self, iteration: IterationOverview) -> None:
        self.iterations.append(iteration)
        self.points += source.points_in(iteration.metrics or {})


def export_project(
    client: deardiary.Client,
    project_id: str,
    folder: Folder,
    *,
    progress: Progress | None = None,
    with_files: bool = True,
) -> Exported:
    """Export a project. ``progress`` is called with the iterations done and the number known so far.

    Without ``with_files`` the folder has only the tables, and is not complete for an import.
    """
    tell = progress or (lambda _done, _total: None)
    return _Export(client, client.projects.get(project_id), folder, tell, with_files=with_files).run()


class _Export:
    def __init__(
        self, client: deardiary.Client, project: Project, folder: Folder, progress: Progress, *, with_files: bool
    ) -> None:
        self._client = client
        self._with_files = with_files
        self._copies = Copies(client, project.id)
        self._project = project
        self._folder = folder
        self._progress = progress
        self._done = Exported(folder.place)
        self._parts: dict[str, Any] = {}
        self._files: set[str] = set()
        self._total = 0

    def run(self) -> Exported:
        before = manifest.records(self._folder, self._project.id, has_files=self._with_files)
        self._folder.remove(manifest.NAME)
        self._folder.remove_unfinished()
        experiments = list(self._client.experiments.list(self._project.id))
        for experiment in experiments:
            self._total += self._client.iterations.count(experiment.id)
        loose = [each for experiment in experiments for each in self._export_experiment(experiment, before)]
        self._write_project(experiments, loose)
        self._remove_what_is_gone(before)
        manifest.write(self._folder, self._project, self._parts, self._done.files if self._with_files else None)
        return self._done

    def _export_experiment(self, experiment: Experiment, before: dict[str, Any]) -> list[Resource]:
        """Export the iterations of an experiment; return the resources that belong to none of them."""
        by_iteration: dict[str | None, list[Resource]] = {}
        for each in self._client.resources.list(experiment.id):
            by_iteration.setdefault(each.iteration_id, []).append(each)
        for part in self._parts_of(experiment, before):
            self._export_part(part, by_iteration, before.get(part.name))
            for iteration in part.iterations:
                by_iteration.pop(iteration.id, None)
        # Those of a deleted iteration are in the trash with it.
        return by_iteration.get(None, [])

    def _parts_of(self, experiment: Experiment, before: dict[str, Any]) -> Iterator[_Part]:
        """The parts of an experiment: those of an earlier export, and new ones for new iterations.

        Iterations come in the order of their ids, so parts are ranges of ids.
        """
        homes = {id_: name for name, record in before.items() for id_ in record["iterations"]}
        last_ids = {name: max(record["iterations"]) for name, record in before.items()}
        part: _Part | None = None
        for iteration in self._client.iterations.list(experiment.id, include=["parameters", "metrics", "tags"]):
            home = homes.get(iteration.id)
            if part is not None and not _has_room(part, iteration.id, home, last_ids.get(part.name, "")):
                yield part
                part = None
            if part is None:
                part = _Part(home or iteration.id, experiment, [])
            part.add(iteration)
        if part is not None:
            yield part

    def _export_part(self, part: _Part, resources: dict[str | None, list[Resource]], before: Any) -> None:
        files = [each for iteration in part.iterations for each in resources.get(iteration.id, ())]
        marks = {
            each.id: _mark(each, resources.get(each.id, ()), self._copies.key(each.id)) for each in part.iterations
        }
        if before is None or before["iterations"] != marks or None in marks.values():
            written = self._write_part(part, files)
            record = {"iterations": marks, "tables": {name: asdict(each) for name, each in written.items()}}
            self._folder.write_json(manifest.record_name(part.name), record)
            self._done.new_parts += 1
        else:
            record = before
            self._count_files(files)
            self._done.unchanged_parts += 1
        self._parts[part.name] = record
        self._count(part)

    def _count(self, part: _Part) -> None:
        self._done.iterations += len(part.iterations)
        self._done.points += part.points
        self._progress(self._done.iterations, max(self._total, self._done.iterations))

    def _write_part(self, part: _Part, resources: Sequence[Resource]) -> dict[str, Written]:
        with PartWriter(self._folder, part.name, _OF_PART) as writer:
            for iteration, content in self._read_ahead(part.iterations):
                self._write_iteration(writer, iteration, content)
            self._write_resources(writer, resources)
            return writer.finish()

    def _read_ahead(
        self, iterations: Iterable[IterationOverview]
    ) -> Iterator[tuple[IterationOverview, source.Content]]:
        """Each iteration with its content, in order; threads read the next ones, as many as memory allows."""
        waiting: list[tuple[IterationOverview, Future[source.Content]]] = []
        ahead = 0
        with ThreadPoolExecutor(_THREADS, "deardiary-export") as pool:
            try:
                for iteration in iterations:
                    size = source.points_in(iteration.metrics or {})
                    while waiting and (len(waiting) >= _AHEAD_ITERATIONS or ahead + size > _AHEAD_POINTS):
                        first, future = waiting.pop(0)
                        ahead -= source.points_in(first.metrics or {})
                        yield first, future.result()
                        del future
                    waiting.append((iteration, pool.submit(source.content_of, self._client, iteration)))
                    ahead += size
                for first, future in waiting:
                    yield first, future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _write_iteration(self, writer: PartWriter, iteration: IterationOverview, content: source.Content) -> None:
        writer["iterations"].add(source.row_of("iterations", iteration, origin=self._copies.key(iteration.id)))
        texts = source.row_of("snapshots", content.snapshot, iteration_id=iteration.id)
        if any(value is not None for name, value in texts.items() if name != "iteration_id"):
            writer["snapshots"].add(texts)
        for key, value in (iteration.parameters or {}).items():
            writer["parameters"].add({"iteration_id": iteration.id, "key": key, "value": value})
        self._write_labels(writer, "iteration", iteration.id, iteration.labels, iteration.tags or ())
        for each in content.inputs:
            writer["inputs"].add(source.row_of("inputs", each))
            self._write_labels(writer, "input", each.id, each.labels)
        for row in source.line_rows(iteration.id, source.lines_of(self._client, iteration.id, content.output)):
            writer["output"].add(row)
        for table in source.point_tables(self._client, iteration, content):
            writer["metrics"].add_table(table)

    @staticmethod
    def _write_labels(
        writer: PartWriter, owner: str, owner_id: str, labels: dict[str, str], tags: Iterable[str] = ()
    ) -> None:
        for row in source.label_rows(owner, owner_id, labels):
            writer["labels"].add(row)
        for row in source.tag_rows(owner, owner_id, tags):
            writer["tags"].add(row)

    def _write_resources(self, writer: PartWriter, resources: Iterable[Resource]) -> None:
        for each in resources:
            path = file_of(each)
            if path is not None and self._with_files:
                self._bring_file(each, path)
            writer["resources"].add(source.row_of("resources", each, file=path))
        self._count_files(resources)

    def _count_files(self, resources: Iterable[Resource]) -> None:
        for each in resources if self._with_files else ():
            path = file_of(each)
            if path is not None and path not in self._files:
                self._files.add(path)
                self._done.files += 1
                self._done.file_bytes += each.size_bytes

    def _bring_file(self, resource: Resource, path: str) -> None:
        """Download the bytes, unless the folder has them: their name is their hash, and they appear as a whole."""
        if self._folder.size(path) == resource.size_bytes:
            return
        if self._folder.is_local:
            target = Path(self._folder.path(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            self._client.resources.download(resource.id, target)
            return
        with tempfile.TemporaryDirectory(prefix="deardiary-") as local, self._folder.write(path) as sink:
            found = self._client.resources.download(resource.id, Path(local) / "content")
            with found.open("rb") as stream:
                while block := stream.read(1 << 20):
                    sink.write(block)

    def _write_project(self, experiments: Sequence[Experiment], loose: Sequence[Resource]) -> None:
        """Write the tables of one file each, and the part with what belongs to no iteration."""
        client, project = self._client, self._project
        models = list(client.models.list(project.id))
        versions = [each for model in models for each in client.modelversions.list(model.id)]
        with PartWriter(self._folder, PROJECT_PART, _OF_PART) as writer:
            for owner, owned in (("project", [project]), ("experiment", experiments)):
                for each in owned:
                    tags = (tag.value for tag in client.tags.list(owner, each.id))  # type: ignore[arg-type]
                    self._write_labels(writer, owner, each.id, each.labels, tags)
            for owner, labelled in (("model", models), ("modelversion", versions)):
                for one in labelled:
                    self._write_labels(writer, owner, one.id, one.labels)
            self._write_resources(writer, loose)
            tables = writer.finish()
        whole: dict[str, Sequence[Any]] = {
            "project": [project],
            "experiments": experiments,
            "models": models,
            "modelversions": versions,
        }
        for table, objects in whole.items():
            rows = (source.row_of(table, each, origin=self._copies.key(each.id), **_lists(each)) for each in objects)
            tables[table] = write_whole(self._folder, table, rows)
        self._parts[PROJECT_PART] = {"iterations": {}, "tables": {name: asdict(each) for name, each in tables.items()}}

    def _remove_what_is_gone(self, before: dict[str, Any]) -> None:
        """Remove parts without an iteration, and files without a resource."""
        for name in before.keys() - self._parts.keys():
            self._folder.remove(manifest.record_name(name))
            for each in before[name]["tables"].values():
                self._folder.remove(each["path"])
        for path in self._folder.names("files"):
            if path not in self._files:
                self._folder.remove(path)


def file_of(resource: Resource) -> str | None:
    """The path of a resource's bytes in the folder; None if they are not there, or the server has no hash of them."""
    if resource.state != "ready":
        return None
    if not resource.content_hash:
        return f"files/unhashed/{resource.id}"
    return f"files/{resource.content_hash[:2]}/{resource.content_hash}"


def _lists(shape: Any) -> dict[str, Any]:
    aliases = getattr(shape, "aliases", None)
    return {"aliases": sorted(aliases)} if isinstance(aliases, tuple) else {}


def _has_room(part: _Part, iteration_id: str, home: str | None, last_id: str) -> bool:
    """True if the next iteration belongs to this part: it was in it before, or it is new and the part has room."""
    if home is not None:
        return home == part.name
    is_full = len(part.iterations) >= _PART_ITERATIONS or part.points >= _PART_POINTS
    return iteration_id < last_id or not is_full


def _mark(iteration: IterationOverview, resources: Iterable[Resource], origin: str | None) -> str | None:
    """A hash of what is known of an iteration without reading its content; None if the content may grow unseen."""
    if iteration.status_id == IterationStatus.RUNNING or iteration.end_date is None:
        return None
    if datetime.now(timezone.utc) - iteration.end_date < _SETTLED_AFTER:
        return None
    known = json.dumps([origin, to_json(iteration), [to_json(each) for each in resources]], sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()
