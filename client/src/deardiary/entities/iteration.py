"""Iterations of an experiment."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, overload
from urllib.parse import urlencode

from deardiary.api import Calls, HasId, id_of, path_of, present
from deardiary.entities import output as outputs
from deardiary.entities import snapshot as snapshots
from deardiary.entities.records import Fields
from deardiary.entities.table import Backend, read_columns
from deardiary.spool.points import Columns
from deardiary.wire.limits import MAX_BULK_ITEMS
from deardiary.wire.shapes import (
    Alert,
    BulkFailure,
    BulkOutcomes,
    ChangedIterations,
    FlushReceipt,
    Iteration,
    IterationOverview,
    IterationStatus,
    KeysInUse,
    ModelVersion,
    OutputLine,
    OutputPage,
    Snapshot,
)


class Iterations(Calls):
    def create(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        notes: str = "",
        parent_iteration_id: str | None = None,
        id_key: str | None = None,
        created_date: datetime | None = None,
        labels: Mapping[str, str] | None = None,
        tags: Collection[str] = (),
    ) -> Iteration:
        """Create an iteration, RUNNING; if the experiment has one with this ``id_key``, return that one.

        Without ``name`` it gets a readable one, derived from its id. Give ``created_date`` if it began earlier, for
        example offline. At most 50 ``tags`` come with it in one write. ClientError 404 if the iteration of that
        ``id_key`` has been deleted.
        """
        body = present(
            name=name,
            notes=notes,
            parent_iteration_id=parent_iteration_id,
            id_key=id_key,
            created_date=created_date,
            labels=labels,
            tags=list(tags) or None,
        )
        path = path_of("experiments", experiment_id, "iterations")
        return self._api.post(Iteration, path, body, repeatable=id_key is not None)

    def find_or_create(self, experiment_id: str, *, id_key: str | None, **fields: object) -> tuple[Iteration, bool]:
        """Call `create`; return the iteration, and True if it is new, else False."""
        path = path_of("experiments", experiment_id, "iterations")
        return self._api.create(Iteration, path, present(id_key=id_key, **fields), repeatable=id_key is not None)

    def get(self, iteration_id: str) -> Iteration:
        return self._api.get(Iteration, path_of("iterations", iteration_id))

    @overload
    def list(
        self,
        experiment_id: str | None = None,
        *,
        project: str | None = None,
        filter: str | None = None,
        order_by: str | None = None,
        include: None = None,
        parent_iteration_id: str | None = None,
    ) -> Iterator[Iteration]: ...

    @overload
    def list(
        self,
        experiment_id: str | None = None,
        *,
        project: str | None = None,
        filter: str | None = None,
        order_by: str | None = None,
        include: Collection[Literal["parameters", "metrics", "tags", "labels"]],
        parent_iteration_id: str | None = None,
    ) -> Iterator[IterationOverview]: ...

    def list(
        self,
        experiment_id: str | None = None,
        *,
        project: str | None = None,
        filter: str | None = None,
        order_by: str | None = None,
        include: Collection[Literal["parameters", "metrics", "tags", "labels"]] | None = None,
        parent_iteration_id: str | None = None,
    ) -> Iterator[Iteration]:
        """List the iterations that match ``filter``, oldest first or in ``order_by``, with the parts in ``include``.

        List those of an experiment, or of all experiments of ``project``, a project's id: experiment by experiment,
        unless ``order_by`` is given, which the server accepts for at most 200 experiments.

        A filter is like ``parameters.lr = "0.01" and metrics.loss.min < 0.3 and status = "FAILED" and tags = "best"``
        or ``name like "%heron%" and created_by = "alice"``, an order like ``metrics.accuracy desc, created_date``.
        """
        query = {
            "filter": filter,
            "order_by": order_by,
            "include": None if include is None else ",".join(include),
            "parent_iteration_id": parent_iteration_id,
        }
        shape = Iteration if include is None else IterationOverview
        return self._api.pages(shape, _path_of_list("list", experiment_id, project), query)

    def columns(
        self,
        experiment_id: str | None = None,
        *,
        project: str | None = None,
        filter: str | None = None,
        order_by: str | None = None,
        parent_iteration_id: str | None = None,
        fields: Collection[str] = (),
        parameters: Collection[str] = (),
        metrics: Collection[str] = (),
        parts: Collection[Literal["first", "last", "min", "max", "count", "last_step"]] = (),
        include: Collection[Literal["parameters", "metrics", "tags"]] = (),
    ) -> dict[str, Any]:
        """Return the iterations of `list` as columns, in a dict of lists: ``pandas.DataFrame`` accepts it as it is.

        Columns are named as in a filter: ``id``, ``status_id``, ``parameters.lr``, ``metrics.loss`` (the last value),
        ``metrics.loss.min`` (one of the ``parts``; by default only the last), ``tags``. An iteration without the value
        has None. ``fields``, ``parameters`` and ``metrics`` name the wanted columns, and ``include`` all parameters,
        metrics or tags; without any of the four there are all columns. The server may miss the writes of the last
        second.
        """
        asked = [
            *present(filter=filter, order_by=order_by, parent_iteration_id=parent_iteration_id).items(),
            *(("fields", each) for each in fields),
            *(("parameters", each) for each in parameters),
            *(("metrics", each) for each in metrics),
            *(("parts", each) for each in parts),
            *([("include", ",".join(include))] if include else []),
        ]
        return read_columns(self._api, _path_of_list("columns", experiment_id, project), asked)

    def to_dataframe(
        self,
        experiment: str | HasId | None = None,
        *,
        project: str | None = None,
        filter: str | None = None,
        order_by: str | None = None,
        parent_iteration_id: str | None = None,
        fields: Collection[str] = (),
        parameters: Collection[str] = (),
        metrics: Collection[str] = (),
        parts: Collection[Literal["first", "last", "min", "max", "count", "last_step"]] = (),
        include: Collection[Literal["parameters", "metrics", "tags"]] = (),
        backend: Backend = "pandas",
    ) -> Any:
        """Return the table of `columns` as a data frame of pandas or polars, or as an Arrow table.

        Each label has a column, such as ``labels.team``, and ``status_id`` is a number. The experiment is an id, or an
        object with one. ImportError without the package: ``pip install "deardiary[pandas]"``, ``[polars]`` or
        ``[arrow]``.
        """
        from deardiary.entities import frames

        # Fail before the download.
        to_frame = frames.table_to(backend)
        table = self.columns(
            None if experiment is None else id_of(experiment),
            project=project,
            filter=filter,
            order_by=order_by,
            parent_iteration_id=parent_iteration_id,
            fields=fields,
            parameters=parameters,
            metrics=metrics,
            parts=parts,
            include=include,
        )
        return to_frame(table)

    def best(
        self,
        experiment: str | HasId,
        metric: str,
        mode: Literal["min", "max"],
        *,
        filter: str | None = None,
    ) -> IterationOverview | None:
        """Return the iteration with the least or the greatest value, with its parameters, metrics and tags.

        ``metric`` is a name as in a filter: ``metrics.accuracy`` compares the last values, ``metrics.accuracy.max`` the
        greatest ones of each iteration. Iterations without a value, or with NaN, are left out; None if no other
        matches ``filter``.
        """
        if mode not in ("min", "max"):
            raise ValueError(f"mode is {mode!r}; it can be 'min' or 'max'")
        has_value = f"{metric} != NaN"
        query = {
            "filter": has_value if filter is None else f"({filter}) and {has_value}",
            "order_by": f"{metric} {'desc' if mode == 'max' else 'asc'}",
            "include": "parameters,metrics,tags",
            "limit": "1",
        }
        path = _path_of_list("best", id_of(experiment), None)
        return next(self._api.pages(IterationOverview, path, query), None)

    def changes(
        self,
        experiment_id: str,
        since: str | None = None,
        *,
        iteration_ids: Collection[str] = (),
        parameters: Collection[str] | None = None,
        metrics: Collection[str] | None = None,
        grown: bool = False,
    ) -> ChangedIterations:
        """Return the iterations that changed since an earlier answer, whose ``next_since`` is ``since``.

        Without ``since``: the running ones and those edited in the last minute. Take that answer first, then `list`.
        ``iteration_ids`` limits the answer to these, ``parameters`` and ``metrics`` to these keys. With ``grown``
        iterations that have only logged more are in the answer's ``grown``, with their metrics alone: this costs less.
        """
        query: list[tuple[str, str]] = [] if since is None else [("since", since)]
        query += [("iteration_id", each) for each in iteration_ids]
        for name, keys in (("parameters", parameters), ("metrics", metrics)):
            query += [] if keys is None else [(name, key) for key in keys or [""]]
        query += [("grown", "true")] if grown else []
        path = path_of("experiments", experiment_id, "iterations", "changes")
        return self._api.get(ChangedIterations, f"{path}?{urlencode(query)}" if query else path)

    def count(self, experiment_id: str, *, filter: str | None = None) -> int:
        """Return the number of iterations of an experiment, or of those that match ``filter``.

        The server may miss the writes of the last second.
        """
        query = {"filter": filter, "order_by": "id", "format": "columns", "fields": "name", "limit": "1"}
        path = f"{_path_of_list('count', experiment_id, None)}?{urlencode(present(**query))}"
        return self._api.get_as(lambda answer: int(answer["total"]), path)

    def keys(self, experiment_id: str) -> KeysInUse:
        """Return the parameters, metrics, labels and tags that the iterations of an experiment use, with counts."""
        return self._api.get(KeysInUse, path_of("experiments", experiment_id, "keys"))

    def bulk(
        self,
        experiment_id: str,
        iteration_ids: Iterable[str],
        *,
        add_tags: Collection[str] = (),
        remove_tags: Collection[str] = (),
        labels: Mapping[str, str | None] | None = None,
        delete: bool = False,
        restore: bool = False,
    ) -> dict[str, BulkFailure | None]:
        """Change many iterations of an experiment, 200 a request; return None, or what went wrong, by id.

        ``labels`` are merged into those of each iteration; None removes one. ``delete`` puts them into the trash,
        ``restore`` takes them out of it; each goes with no other change. A repetition changes nothing. ClientError if
        you lack the permission.
        """
        wanted = list(dict.fromkeys(iteration_ids))
        body = present(
            add_tags=list(add_tags) or None,
            remove_tags=list(remove_tags) or None,
            labels=labels,
            delete=delete or None,
            restore=restore or None,
        )
        path = path_of("experiments", experiment_id, "iterations", "bulk")
        outcomes: dict[str, BulkFailure | None] = {}
        for start in range(0, len(wanted), MAX_BULK_ITEMS):
            part = {"ids": wanted[start : start + MAX_BULK_ITEMS], **body}
            answer = self._api.post(BulkOutcomes, path, part, repeatable=True)
            outcomes.update({each: None if of == "done" else of for each, of in answer.data.items()})
        return outcomes

    def children(self, iteration_id: str) -> Iterator[Iteration]:
        return self._api.pages(Iteration, path_of("iterations", iteration_id, "children"))

    def modelversions(self, iteration_id: str) -> Iterator[ModelVersion]:
        """List the versions of models that came from an iteration, by model, then by number."""
        return self._api.pages(ModelVersion, path_of("iterations", iteration_id, "modelversions"))

    def update(
        self,
        iteration_id: str,
        *,
        name: str | None = None,
        notes: str | None = None,
        status_id: IterationStatus | None = None,
        end_date: datetime | None = None,
        error_message: str | None = None,
        parent_iteration_id: str | None = None,
        python_version: str | None = None,
        julia_version: str | None = None,
        git_sha: str | None = None,
        git_dirty: bool | None = None,
        entrypoint: str | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> Iteration:
        """Change the given fields; of an iteration that has ended, only ``name``, ``notes`` and ``labels``.

        A final status defaults the end date to the server's clock. ``end_date`` alone ends it as SUCCEEDED. RUNNING,
        given alone, unlocks an iteration. ``labels`` are merged: None removes one, the others stay.
        """
        body = present(
            name=name,
            notes=notes,
            status_id=status_id,
            end_date=end_date,
            error_message=error_message,
            parent_iteration_id=parent_iteration_id,
            python_version=python_version,
            julia_version=julia_version,
            git_sha=git_sha,
            git_dirty=git_dirty,
            entrypoint=entrypoint,
            labels=labels,
        )
        return self._api.patch(Iteration, path_of("iterations", iteration_id), body)

    def log(self, fields: Fields, *, batch_id: str) -> FlushReceipt:
        """Send parameters, tags and labels in one request: at most 1,000 in all, and 4 MiB of JSON.

        A repeated ``batch_id`` changes nothing and returns the same receipt.
        """
        body = {
            "batch_id": batch_id,
            "parameters": fields.parameters,
            "tags": fields.tags,
            "labels": fields.labels,
        }
        given = {name: value for name, value in body.items() if value}
        return self._api.post(FlushReceipt, path_of("iterations", fields.iteration_id, "log"), given, repeatable=True)

    def log_columns(
        self, iteration_id: str, columns: Columns, *, batch_id: str, output: Sequence[Mapping[str, Any]] = ()
    ) -> FlushReceipt:
        """Send points as columns: at most 10,000, and 4 MiB of JSON. Empty columns are a heartbeat.

        ``output`` has printed lines: at most 10,000 of ``{"stream", "text", "recorded_at"}``, and 1 MiB of text.
        """
        path = path_of("iterations", iteration_id, "log")
        body = {"batch_id": batch_id, "metrics": columns} | ({"output": list(output)} if output else {})
        return self._api.post(FlushReceipt, path, body, repeatable=True)

    def output(
        self, iteration_id: str, *, after: str | None = None, stream: Literal["stdout", "stderr"] | None = None
    ) -> Iterator[OutputLine]:
        """List the captured lines in order, of both streams or of one, up to the newest line there is now.

        To read on later, give the ``cursor`` of the last line as ``after``.
        """
        return outputs.each_line(self._api, iteration_id, after, stream)

    def output_page(
        self,
        iteration_id: str,
        *,
        after: str | None = None,
        stream: Literal["stdout", "stderr"] | None = None,
        tail: int | None = None,
    ) -> OutputPage:
        """Return one page of the captured lines, with the cursor after it; ``tail``: only the newest lines, this many.

        To follow a running iteration, give the ``cursor`` of the last page as ``after``, again and again.
        """
        return outputs.read_page(self._api, iteration_id, after, stream, tail)

    def acknowledge(
        self, iteration_id: str, acknowledged: Sequence[Mapping[str, object]], *, batch_id: str
    ) -> FlushReceipt:
        """Say that commands are carried out: of each its ``command_id``, and the ``step`` if that is known."""
        path = path_of("iterations", iteration_id, "log")
        body = {"batch_id": batch_id, "acknowledged": list(acknowledged)}
        return self._api.post(FlushReceipt, path, body, repeatable=True)

    def create_alert(
        self, iteration_id: str, title: str, text: str = "", *, level: str = "warning", id_key: str | None = None
    ) -> Alert:
        """Tell people something about an iteration. The same ``id_key`` in the same iteration returns the same alert.

        ``level`` is "info", "warning" or "error".
        """
        body = {"title": title, "text": text, "level": level, "id_key": id_key or secrets.token_hex(16)}
        return self._api.post(Alert, path_of("iterations", iteration_id, "alerts"), body, repeatable=True)

    def alerts(self, iteration_id: str) -> Iterator[Alert]:
        """List the alerts of an iteration, oldest first."""
        return self._api.pages(Alert, path_of("iterations", iteration_id, "alerts"))

    def snapshot(self, iteration_id: str) -> Snapshot:
        """Return the iteration with its lock files and diff, in as many requests as their length requires."""
        return snapshots.get_snapshot(self._api, iteration_id)

    def set_snapshot(
        self,
        iteration_id: str,
        *,
        python_version: str | None = None,
        julia_version: str | None = None,
        git_sha: str | None = None,
        git_dirty: bool | None = None,
        entrypoint: str | None = None,
        project_toml: str | None = None,
        manifest_toml: str | None = None,
        git_diff: str | None = None,
    ) -> Snapshot:
        """Set the given fields of the iteration's environment. The last three may have 4 MiB each.

        An iteration that has ended accepts them only if it had none of them.

        Long texts are sent in separate requests. The answer holds only the fields sent last; `snapshot` returns all.
        """
        fields = present(
            python_version=python_version,
            julia_version=julia_version,
            git_sha=git_sha,
            git_dirty=git_dirty,
            entrypoint=entrypoint,
        )
        texts = present(project_toml=project_toml, manifest_toml=manifest_toml, git_diff=git_diff)
        return snapshots.put_snapshot(self._api, iteration_id, fields, texts)

    def delete(self, iteration_id: str, *, purge: bool = False) -> None:
        """Delete an iteration and everything in it; its children remain, without a parent.

        ``client.trash`` restores it for seven days, unless ``purge`` removes it for good.
        """
        self._api.delete(path_of("iterations", iteration_id), purge=purge)


def _path_of_list(method: str, experiment_id: str | None, project: str | None) -> str:
    if (experiment_id is None) == (project is None):
        raise TypeError(f"{method} takes an experiment's id or project=, a project's id")
    owner = path_of("experiments", experiment_id) if experiment_id else path_of("projects", str(project))
    return f"{owner}/iterations"
