"""A transport that answers from memory."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from deardiary.client import Client, connect
from deardiary.entities.records import Point
from deardiary.http.transport import Request, Response
from deardiary.testing.table import Logged, Refused, Row, Table, merged, now, points_in
from deardiary.wire import parts
from deardiary.wire.form import to_json
from deardiary.wire.names import name_of
from deardiary.wire.shapes import IterationStatus, UploadRequest
from deardiary.wire.times import format_time

URL = "https://diary.test/api"
_STORE = "https://store.test/"
_TEXTS = ("notes", "error_message", "python_version", "julia_version", "git_sha", "entrypoint")
_FILTERS = {"name", "iteration_id", "parent_iteration_id"}


@dataclasses.dataclass(slots=True, kw_only=True)
class Recorded:
    """An iteration as the code under test logged it.

    ``files`` are bytes by name, ``models`` names of files by name of the model, ``output`` the lines that were printed.
    """

    id: str
    project: str
    experiment: str
    name: str
    status: IterationStatus
    notes: str
    error_message: str
    parent_id: str | None
    parameters: dict[str, str]
    points: dict[str, list[Point]]
    output: list[str]
    tags: list[str]
    files: dict[str, bytes]
    models: dict[str, str | None]
    snapshot: dict[str, Any]
    labels: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, list[float]]:
        """The values of each metric, in the order in which they were logged."""
        return {key: [point.value for point in points] for key, points in self.points.items()}


class MemoryServer:
    """A transport that answers as a server would, from memory: for what `start`, its iteration and `track` send.

    Any other request, such as a search with a filter, raises `ClientError` 501 NOT_IN_MEMORY. Records of a forked
    process stay in that process.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._table = Table()
        self._receipts: dict[tuple[str, str], Row] = {}
        self._logged: dict[str, Logged] = {}
        self._bytes: dict[str, bytes] = {}  # by the path of a presigned URL

    def client(self) -> Client:
        """Connect to this server; also for ``start(client=…)``, whose spool is then the one of the settings."""
        return connect(URL, token="in-memory", transport=self)  # noqa: S106

    @property
    def iterations(self) -> list[Recorded]:
        """All iterations, oldest first; complete once they have ended or after `ActiveIteration.flush`."""
        with self._lock:
            return [self._recorded(row) for row in self._table.all("iterations")]

    def send(self, request: Request) -> Response:
        with contextlib.closing(request.open_body()) as stream:
            content = stream.read()
        url = urlsplit(request.url)
        with self._lock:
            if request.url.startswith(_STORE):
                return self._store(request.method, url.path, content)
            path = url.path.removeprefix(urlsplit(URL).path)
            query = {name: value for name, value in parse_qsl(url.query) if name != "limit"}
            try:
                status, answer = self._answer(request.method, path, query, json.loads(content or b"{}"))
            except Refused as refused:
                status, answer = refused.status, refused.answer
        return Response(status, {}, io.BytesIO(json.dumps(to_json(answer)).encode()))

    def close(self) -> None:
        """Keep everything: a test reads it after the client has disconnected."""

    def _answer(self, method: str, path: str, query: Row, body: Row) -> tuple[int, Any]:
        steps = path.strip("/").split("/")
        route = "/".join("*" if index % 2 else step for index, step in enumerate(steps))
        answer = self._routes.get(f"{method} {route}")
        if answer is None or query.keys() - _FILTERS:
            raise Refused(501, "NOT_IN_MEMORY", f"deardiary.testing does not answer {method} {path} {query or ''}")
        return answer(*map(unquote, steps[1::2]), query if method == "GET" else body)

    @cached_property
    def _routes(self) -> dict[str, Callable[..., tuple[int, Any]]]:
        """The answer for each request: a function of the ids in the path, then of the query or the body."""
        kinds = ("projects", "experiments", "iterations", "resources", "models", "modelversions")
        return {
            **{f"GET {kind}/*": partial(self._get, kind) for kind in kinds},
            "GET projects/*/experiments": self._lister("experiments", "project_id"),
            "GET projects/*/models": self._lister("models", "project_id"),
            "GET experiments/*/iterations": self._lister("iterations", "experiment_id"),
            "GET experiments/*/resources": self._lister("resources", "experiment_id"),
            "GET models/*/versions": self._lister("modelversions", "model_id"),
            "GET projects": self._lister("projects"),
            "GET iterations/*/children": self._lister("iterations", "parent_iteration_id"),
            "GET iterations/*/snapshot": self._get_snapshot,
            "GET resources/*/download": self._download,
            "POST projects": lambda body: self._table.create("projects", body, description="", labels={}),
            "POST projects/*/experiments": self._create_experiment,
            "POST projects/*/models": self._create_model,
            "POST experiments/*/iterations": self._create_iteration,
            "POST experiments/*/resources": self._create_resource,
            "POST iterations/*/log": self._log,
            "POST resources/*/upload": self._upload,
            "POST resources/*/complete": self._complete,
            "POST models/*/versions": self._create_version,
            "PATCH iterations/*": self._update,
            "PUT iterations/*/snapshot": self._put_snapshot,
        }

    def _lister(self, kind: str, owner: str = "") -> Callable[..., tuple[int, Any]]:
        def answer(*given: Any) -> tuple[int, Any]:
            *ids, query = given
            wanted = {**dict.fromkeys([owner] if owner else [], *ids), **query}
            return 200, {"data": self._table.all(kind, **wanted), "next_cursor": None}

        return answer

    def _get(self, kind: str, row_id: str, _query: Row) -> tuple[int, Row]:
        return 200, self._table.get(kind, row_id)

    def _open(self, iteration_id: str) -> Row:
        row = self._table.get("iterations", iteration_id)
        if row["end_date"] is not None:
            raise _ended()
        return row

    def _create_experiment(self, project_id: str, body: Row) -> tuple[int, Row]:
        self._table.get("projects", project_id)
        fields = {**body, "project_id": project_id}
        return self._table.create("experiments", fields, status_id=1, description="", end_date=None, labels={})

    def _create_iteration(self, experiment_id: str, body: Row) -> tuple[int, Row]:
        self._table.get("experiments", experiment_id)
        known: Row = {**dict.fromkeys(_TEXTS, ""), "git_dirty": False, "end_date": None, "parent_iteration_id": None}
        known["labels"] = {}
        created = self._table.create("iterations", {**body, "experiment_id": experiment_id}, status_id=1, **known)
        created[1].setdefault("name", name_of(created[1]["id"]))
        self._logged.setdefault(created[1]["id"], Logged())
        return created

    def _create_model(self, project_id: str, body: Row) -> tuple[int, Row]:
        if self._table.all("models", project_id=project_id, name=body["name"]):
            raise Refused(409, "CONFLICT", "The project has a model of that name", field="name")
        return self._table.create("models", {**body, "project_id": project_id}, description="", labels={})

    def _create_version(self, model_id: str, body: Row) -> tuple[int, Row]:
        number = len(self._table.all("modelversions", model_id=model_id)) + 1
        fields = {**body, "model_id": model_id}
        return self._table.create("modelversions", fields, version=number, stage_id=1, description="", labels={})

    def _create_resource(self, experiment_id: str, body: Row) -> tuple[int, Row]:
        known = {"backend": "memory", "uri": "", "state": "pending", "description": "", "iteration_id": None}
        return self._table.create("resources", {**body, "experiment_id": experiment_id}, **known)

    def _put_snapshot(self, iteration_id: str, body: Row) -> tuple[int, Row]:
        row, logged = self._table.get("iterations", iteration_id), self._logged[iteration_id]
        if logged.snapshot:
            self._open(iteration_id)
        logged.snapshot.update(body)
        row.update({name: value for name, value in body.items() if name in row})
        return self._get_snapshot(iteration_id, {})

    def _get_snapshot(self, iteration_id: str, _query: Row) -> tuple[int, Row]:
        row = self._table.get("iterations", iteration_id)
        return 200, {**row, **self._logged[iteration_id].snapshot}

    def _download(self, resource_id: str, _query: Row) -> tuple[int, Row]:
        row = self._table.get("resources", resource_id)
        known = {name: row[name] for name in ("size_bytes", "content_hash")}
        return 200, {"url": f"{_STORE}{resource_id}", "expires_at": _later(), **known}

    def _update(self, iteration_id: str, body: Row) -> tuple[int, Row]:
        row = self._table.get("iterations", iteration_id)
        if "labels" in body:
            body = {**body, "labels": merged(row["labels"], body["labels"])}
        if body.keys() <= {"name", "notes", "labels"}:
            row.update(body)
            return 200, row
        if row["end_date"] is not None and body != {"status_id": 1}:
            raise _ended()
        status = body.get("status_id", IterationStatus.SUCCEEDED if body.get("end_date") else row["status_id"])
        row.update({"end_date": None if status == IterationStatus.RUNNING else now(), "status_id": status, **body})
        return 200, row

    def _log(self, iteration_id: str, body: Row) -> tuple[int, Row]:
        batch = iteration_id, body["batch_id"]
        if batch not in self._receipts:
            row = self._open(iteration_id)
            points = list(points_in(body.get("metrics", [])))
            last_step = self._logged[iteration_id].take(body.get("parameters", {}), body.get("tags", []), points)
            self._logged[iteration_id].output += [line["text"] for line in body.get("output", [])]
            row["labels"] = merged(row["labels"], body.get("labels", {}))
            self._receipts[batch] = {"batch_id": batch[1], "accepted": len(points), "last_step": last_step}
        return 201, self._receipts[batch]

    def _upload(self, resource_id: str, body: Row) -> tuple[int, Row]:
        row = self._table.get("resources", resource_id)
        whole = parts.Part(0, 0, row["size_bytes"])
        cut = parts.cut(row["backend"], row["size_bytes"])
        first = body.get("first_part", 1) - 1
        asked = cut[first : first + len(body.get("part_hashes", ()))] if cut else [whole]
        return 200, {
            "requests": [
                UploadRequest(
                    method="PUT",
                    url=f"{_STORE}{row['id']}/{part.number}",
                    headers={},
                    offset=part.offset,
                    size_bytes=part.size_bytes,
                    part_number=part.number or None,
                )
                for part in asked
                if f"/{row['id']}/{part.number}" not in self._bytes
            ],
            "expires_at": _later(),
        }

    def _complete(self, resource_id: str, _body: Row) -> tuple[int, Row]:
        row = self._table.get("resources", resource_id)
        numbers = [part.number for part in parts.cut(row["backend"], row["size_bytes"])] or [0]
        content = b"".join(self._bytes.get(f"/{row['id']}/{number}", b"") for number in numbers)
        if hashlib.sha256(content).hexdigest() != row["content_hash"]:
            raise Refused(422, "INVALID_PAYLOAD", "The bytes have another hash", field="content_hash")
        self._bytes[f"/{row['id']}"] = content
        row["state"] = "ready"
        return 200, row

    def _store(self, method: str, path: str, content: bytes) -> Response:
        if method == "PUT":
            self._bytes[path] = content
        found = b"" if method == "PUT" else self._bytes.get(path)
        return Response(404 if found is None else 200, {}, io.BytesIO(found or b""))

    def _name_of(self, kind: str, row_id: str) -> str:
        return str(self._table.get(kind, row_id)["name"])

    def _recorded(self, row: Row) -> Recorded:
        logged, experiment = self._logged[row["id"]], self._table.get("experiments", row["experiment_id"])
        ready = [each for each in self._table.all("resources", iteration_id=row["id"]) if each["state"] == "ready"]
        versions = self._table.all("modelversions", iteration_id=row["id"])
        names = {each["id"]: each["name"] for each in ready}
        return Recorded(
            id=row["id"],
            project=self._name_of("projects", experiment["project_id"]),
            experiment=experiment["name"],
            name=row["name"],
            status=IterationStatus(row["status_id"]),
            notes=row["notes"],
            error_message=row["error_message"],
            parent_id=row["parent_iteration_id"],
            parameters=dict(logged.parameters),
            points={key: list(points) for key, points in logged.points.items()},
            output=list(logged.output),
            tags=list(logged.tags),
            files={each["name"]: self._bytes[f"/{each['id']}"] for each in ready},
            models={self._name_of("models", each["model_id"]): names.get(each.get("resource_id")) for each in versions},
            snapshot=dict(logged.snapshot),
            labels=dict(row["labels"]),
        )


def _ended() -> Refused:
    return Refused(422, "INVALID_PAYLOAD", "The iteration has ended", field="end_date")


def _later() -> str:
    return format_time(datetime.now(timezone.utc) + timedelta(hours=1))
