"""An exported folder as runs, which `deardiary_exchange.load` brings into a server."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from pyarrow import compute, parquet

from deardiary.wire.shapes import ExperimentStatus, IterationStatus, Stage
from deardiary.wire.times import to_milliseconds
from deardiary_exchange import manifest
from deardiary_exchange.copies import key_of
from deardiary_exchange.points import columns_by_key
from deardiary_exchange.runs import Experiment, File, Input, Line, Model, Points, Run, Version, points_of_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow

    from deardiary_exchange.folder import Folder

Row = dict[str, Any]
_SNAPSHOT = ("project_toml", "manifest_toml", "git_diff")
_ENVIRONMENT = ("python_version", "julia_version", "git_sha", "git_dirty", "entrypoint")
# Parts whose small tables are in memory: parents may be in another part than their children.
_PARTS_HELD = 2


class ExportedProject:
    """Reads one exported folder. NotAnExport if it has no complete export.

    ``opened`` opens the bytes of a resource by its id, for a folder without files.
    """

    def __init__(self, folder: Folder, opened: Callable[[str], BinaryIO] | None = None) -> None:
        self._folder = folder
        self._opened = opened
        self._manifest = manifest.read(folder, needs_files=opened is None)
        self._parts: OrderedDict[str, _Part] = OrderedDict()
        self.project = next(self._whole("project"))
        self.labels = self._own("labels", "project", self.project["id"])
        self._keys = dict(self._copies())  # of copies, by id
        self._experiments = {each["id"]: self._experiment(each) for each in self._whole("experiments")}

    def runs(self) -> Iterator[Run]:
        """All runs, a parent before its children, experiment by experiment."""
        for name, row in self._in_order():
            yield self._run(self._part(name), row)

    def loose_files(self) -> Iterator[tuple[Experiment, File]]:
        """Files that belong to an experiment and to none of its iterations."""
        for row in self._rows("resources", "project"):
            if row["file"] is not None:
                yield self._experiments[row["experiment_id"]], self._file(row)

    def experiments(self) -> Iterator[Experiment]:
        yield from self._experiments.values()

    def project_tags(self) -> list[str]:
        return [each["value"] for each in self._own_rows("tags", "project", self.project["id"])]

    def models(self) -> Iterator[Model]:
        for row in self._whole("models"):
            yield self._model(row)

    def versions(self) -> Iterator[Version]:
        models = {each["id"]: self._model(each) for each in self._whole("models")}
        for row in sorted(self._whole("modelversions"), key=lambda each: (each["model_id"], each["version"])):
            yield Version(
                key=self.key(row["id"]),
                model=models[row["model_id"]],
                version=row["version"],
                run_key=self.key(str(row["iteration_id"])),
                file_key=row["resource_id"] and self.key(row["resource_id"]),
                stage=Stage[row["stage"]],
                description=row["description"],
                source=row["source"],
                aliases=row["aliases"],
                labels=self._own("labels", "modelversion", row["id"]),
                created_date=row["created_date"],
            )

    def marks(self) -> dict[str, str]:
        """By key, a mark of each run that changes if the run does; none for one that may grow unseen."""
        records = manifest.records_of_parts(self._folder).values()
        found = {id_: mark for record in records for id_, mark in record["iterations"].items()}
        return {self.key(id_): mark for id_, mark in found.items() if mark is not None}

    def count(self) -> int:
        return sum(each["rows"] for each in self._manifest["tables"]["iterations"])

    def key(self, id_: str) -> str:
        """The key of an object of this project; that of its original if it is a copy."""
        return self._keys.get(id_) or key_of(str(self.project["id"]), id_)

    def _copies(self) -> Iterator[tuple[str, str]]:
        """The experiments and iterations that are copies, with the keys of their originals."""
        for path in ["experiments.parquet", *manifest.paths_of(self._manifest, "iterations")]:
            with self._folder.open(path) as stream:
                table = parquet.read_table(stream, columns=["id", "origin"])
            for row in table.filter(table["origin"].is_valid()).to_pylist():
                yield row["id"], row["origin"]

    def _in_order(self) -> Iterator[tuple[str, Row]]:
        """The part and the row of each iteration. One whose parent comes later follows it."""
        waiting: dict[str, list[tuple[str, str]]] = {}
        seen: set[str] = set()
        for path in manifest.paths_of(self._manifest, "iterations"):
            name = path.rpartition("/")[2].removesuffix(".parquet")
            for row in self._rows("iterations", name):
                parent_id = row["parent_iteration_id"]
                if parent_id is not None and parent_id not in seen:
                    waiting.setdefault(parent_id, []).append((name, row["id"]))
                    continue
                yield from self._with_waiting(name, row, waiting, seen)
        for children in list(waiting.values()):
            # Their parent is in the trash of the origin.
            yield from ((name, self._part(name).row(id_) | {"parent_iteration_id": None}) for name, id_ in children)

    def _with_waiting(
        self, name: str, row: Row, waiting: dict[str, list[tuple[str, str]]], seen: set[str]
    ) -> Iterator[tuple[str, Row]]:
        yield name, row
        seen.add(row["id"])
        for part, id_ in waiting.pop(row["id"], ()):
            yield from self._with_waiting(part, self._part(part).row(id_), waiting, seen)

    def _run(self, part: _Part, row: Row) -> Run:
        id_ = row["id"]
        texts = next(iter(part.rows("snapshots", id_)), {})
        environment = {name: row[name] for name in _ENVIRONMENT if row[name]}
        environment |= {name: texts[name] for name in _SNAPSHOT if texts.get(name) is not None}
        return Run(
            key=self.key(row["id"]),
            experiment=self._experiments[row["experiment_id"]],
            name=row["name"],
            notes=row["notes"],
            parent_key=row["parent_iteration_id"] and self.key(row["parent_iteration_id"]),
            created_date=row["created_date"],
            end_date=row["end_date"],
            status=IterationStatus[row["status"]],
            error_message=row["error_message"],
            parameters={each["key"]: each["value"] for each in part.rows("parameters", id_)},
            tags=[each["value"] for each in part.rows("tags", id_)],
            labels={each["key"]: each["value"] for each in part.rows("labels", id_)},
            environment=environment,
            inputs=[self._input(part, each) for each in part.rows("inputs", id_)],
            metrics=partial(self._points, part.name, id_),
            output=partial(self._lines, part.name, id_),
            files=[self._file(each) for each in part.rows("resources", id_) if each["file"] is not None],
            not_taken=[
                f"file {each['name']!r}: its upload was not complete"
                for each in part.rows("resources", id_)
                if each["file"] is None
            ],
        )

    def _experiment(self, row: Row) -> Experiment:
        return Experiment(
            key=self.key(row["id"]),
            name=row["name"],
            description=row["description"],
            created_date=row["created_date"],
            end_date=row["end_date"],
            status=ExperimentStatus[row["status"]],
            labels=self._own("labels", "experiment", row["id"]),
            tags=[each["value"] for each in self._own_rows("tags", "experiment", row["id"])],
        )

    def _model(self, row: Row) -> Model:
        return Model(
            name=row["name"],
            description=row["description"],
            created_date=row["created_date"],
            labels=self._own("labels", "model", row["id"]),
        )

    def _input(self, part: _Part, row: Row) -> Input:
        return Input(
            kind=row["kind"],
            name=row["name"],
            digest=row["digest"],
            source=row["source"],
            source_type=row["source_type"],
            context=row["context"],
            description=row["description"],
            labels={each["key"]: each["value"] for each in part.rows("labels", row["id"])},
            file_key=row["resource_id"] and self.key(row["resource_id"]),
            version_key=row["modelversion_id"] and self.key(row["modelversion_id"]),
        )

    def _file(self, row: Row) -> File:
        return File(
            name=row["name"],
            open=partial(self._folder.open, row["file"]) if self._opened is None else partial(self._opened, row["id"]),
            path=self._folder.local_path(row["file"]) if self._opened is None else None,
            size_bytes=row["size_bytes"] if row["content_hash"] else None,
            content_hash=row["content_hash"] or None,
            description=row["description"],
            content_type=row["content_type"],
            created_date=row["created_date"],
            key=self.key(row["id"]),
        )

    def _points(self, part: str, iteration_id: str) -> Iterator[Points]:
        for table in self._of_iteration("metrics", part, iteration_id):
            yield from (points_of_arrays(*columns) for columns in columns_by_key(table))

    def _lines(self, part: str, iteration_id: str) -> Iterator[Line]:
        for table in self._of_iteration("output", part, iteration_id):
            for row in table.to_pylist():
                yield Line(row["stream"], row["text"], to_milliseconds(row["recorded_at"]))

    def _of_iteration(self, table: str, part: str, iteration_id: str) -> Iterator[pyarrow.Table]:
        """The rows of an iteration in a large table, row group by row group: these are in the order of iterations."""
        with self._folder.open(f"{table}/{part}.parquet") as stream:
            file = parquet.ParquetFile(stream)
            column = file.schema_arrow.get_field_index("iteration_id")
            for number in range(file.num_row_groups):
                known = file.metadata.row_group(number).column(column).statistics
                if known is not None and known.has_min_max and not known.min <= iteration_id <= known.max:
                    continue
                group = file.read_row_group(number)
                found = group.filter(compute.equal(group["iteration_id"], iteration_id))
                if found.num_rows:
                    yield found

    def _part(self, name: str) -> _Part:
        if name not in self._parts:
            self._parts[name] = _Part(self, name)
            if len(self._parts) > _PARTS_HELD:
                self._parts.popitem(last=False)
        self._parts.move_to_end(name)
        return self._parts[name]

    def _whole(self, table: str) -> Iterator[Row]:
        yield from self._read(f"{table}.parquet")

    def _rows(self, table: str, part: str) -> list[Row]:
        return self._read(f"{table}/{part}.parquet")

    def _read(self, path: str) -> list[Row]:
        with self._folder.open(path) as stream:
            found: list[Row] = parquet.read_table(stream).to_pylist()
        return found

    def _own_rows(self, table: str, owner: str, owner_id: str) -> list[Row]:
        return [each for each in self._rows(table, "project") if (each["owner"], each["owner_id"]) == (owner, owner_id)]

    def _own(self, table: str, owner: str, owner_id: str) -> dict[str, str]:
        return {each["key"]: each["value"] for each in self._own_rows(table, owner, owner_id)}


class _Part:
    """The small tables of a part, by iteration."""

    def __init__(self, project: ExportedProject, name: str) -> None:
        self.name = name
        self._tables: dict[str, dict[str, list[Row]]] = {}
        for table in ("iterations", "snapshots", "parameters", "labels", "tags", "inputs", "resources"):
            grouped = self._tables[table] = {}
            for row in project._rows(table, name):  # noqa: SLF001 - a part of the project's reader
                owner = str(row["id"] if table == "iterations" else row.get("iteration_id", row.get("owner_id")))
                grouped.setdefault(owner, []).append(row)

    def rows(self, table: str, owner: str) -> list[Row]:
        return self._tables[table].get(owner, [])

    def row(self, iteration_id: str) -> Row:
        return self._tables["iterations"][iteration_id][0]
