"""A W&B server on this machine: as much of GraphQL and files as wandb's own package sends to sync runs and read them.

It keeps runs as data. It refuses each query, path and key that it does not know, and remembers that in ``refused``.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

import pyarrow
from pyarrow import parquet

from deardiary_exchange.origins.wandb.state import leaves

API_KEY = "0123456789" * 4
_CREATED = "2026-11-29T07:02:40Z"


class Refused(Exception):
    """A request that this server does not know. ``status`` is that of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class StoredRun:
    """``history`` and ``events`` are lines of JSON, ``log`` has (time, level, text), ``dates`` those of files."""

    name: str
    shown: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    system: dict[str, Any] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    state: str = "running"
    logged: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    exported: int = 0  # the first rows that are in a file of Parquet too


@dataclass
class StoredArtifact:
    """A version of a collection. ``files`` and ``references`` are its entries."""

    id: str
    collection: str
    version: int
    kind: str
    description: str | None = None
    metadata: str | None = None
    aliases: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    state: str = "COMMITTED"
    created: str = _CREATED


class WandbServer:
    """One project of one entity."""

    def __init__(self, url: str, entity: str = "team", project: str = "digits") -> None:
        self.url, self.entity, self.project = url, entity, project
        self.runs: dict[str, StoredRun] = {}
        self.artifacts: dict[str, StoredArtifact] = {}
        self.refused: list[str] = []
        self.asked: Counter[str] = Counter()
        self.busy: Counter[str] = Counter()  # by query or first part of a path: the requests that get a 429
        self.failing: set[str] = set()
        self.gone: set[str] = set()  # first parts of paths

    # What the server answers to a query, by the name of the query.

    def graphql(self, document: str, name: str | None, given: dict[str, Any]) -> Any:
        found = re.search(r"(?:query|mutation)\s+(\w+)", document)
        name = name or (found.group(1) if found else "")
        self.asked[name] += 1
        self._check_load(name)
        answer = self._answers().get(name)
        if answer is None:
            raise Refused(f"unknown query {name}: {document}")
        for key, mine in (("entity", self.entity), ("project", self.project)):
            if given.get(key, mine) != mine:
                return {"project": None}
        return answer(given)

    def _check_load(self, name: str) -> None:
        if self.busy[name] > 0:
            self.busy[name] -= 1
            raise Refused("rate limit exceeded", 429)
        if name in self.failing:
            raise Refused(f"{name} is not supported")

    def _answers(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        of_run = {
            "Run": lambda run, _: self._node(run),
            "RunHistoryKeys": lambda run, _: {"historyKeys": _history_keys(run)},
            "RunParquetHistory": self._parquet,
            "HistoryPage": _history_page,
            "RunFullHistory": _events,
            "RunConsoleLogPage": _log_page,
            "RunConsoleLogTail": _log_page,
            "RunFiles": self._files,
            "RunOutputArtifacts": lambda run, given: self._artifacts(run.logged, given),
            "RunInputArtifacts": lambda run, given: self._artifacts(run.used, given),
        }
        found = {name: self._of_run(answer) for name, answer in of_run.items()}
        return found | {
            "Viewer": lambda _: {"viewer": _VIEWER},
            "GetDefaultEntity": lambda _: {"viewer": _VIEWER},
            "ServerFeaturesQuery": lambda _: {"serverInfo": {"features": []}},
            "Runs": self._runs,
            "FetchArtifactManifest": self._manifest,
            "RunResumeStatus": lambda _: {"model": None},
            "UpsertBucket": self._upsert,
            "CreateRunFiles": self._create_files,
            "NotifyScriptableRunAlert": lambda _: {"notifyScriptableRunAlert": {"success": True}},
        }

    def _of_run(self, answer: Callable[[StoredRun, dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def of_run(given: dict[str, Any]) -> Any:
            run = self.runs.get(given.get("name") or given.get("runName") or given.get("run") or "")
            return {"project": {"internalId": "7", "run": run and answer(run, given)}}

        return of_run

    def _runs(self, given: dict[str, Any]) -> Any:
        if json.loads(given["filters"]) or given["order"] != "+created_at":
            raise Refused(f"filters {given['filters']}, order {given['order']}")
        edges, page = _page(list(self.runs.values()), given["cursor"], given["perPage"])
        nodes = [{"node": self._node(run), "cursor": cursor} for run, cursor in edges]
        shown = {"internalId": "7", "runCount": len(self.runs), "readOnly": False}
        return {"project": {**shown, "runs": {"edges": nodes, "pageInfo": page}}}

    def _node(self, run: StoredRun) -> dict[str, Any]:
        shown = run.shown
        return {
            "id": f"id-{run.name}",
            "projectId": "7",
            "name": run.name,
            "displayName": shown.get("displayName", run.name),
            "tags": shown.get("tags", []),
            "sweepName": shown.get("sweep"),
            "state": run.state,
            "config": json.dumps(run.config),
            "group": shown.get("groupName"),
            "jobType": shown.get("jobType"),
            "commit": shown.get("commit"),
            "readOnly": False,
            "createdAt": shown.get("createdAt", _CREATED),
            "heartbeatAt": shown.get("heartbeatAt", _CREATED),
            "description": None,
            "notes": shown.get("notes"),
            "systemMetrics": json.dumps(run.system),
            "summaryMetrics": json.dumps(run.summary),
            "historyLineCount": len(run.history),
            "user": {"name": "Ada", "username": shown.get("user", "ada")},
            "historyKeys": _history_keys(run),
        }

    def _parquet(self, run: StoredRun, given: dict[str, Any]) -> Any:
        urls = [f"{self.url}/parquet/{run.name}"] if run.exported else []
        live = [{key: json.loads(line).get(key) for key in given["liveKeys"]} for line in run.history[run.exported :]]
        return {"parquetHistory": {"parquetUrls": urls, "liveData": live}}

    def _files(self, run: StoredRun, given: dict[str, Any]) -> Any:
        wanted = given.get("fileNames") or []
        names = [name for name in run.files if name in wanted or not wanted]
        edges, page = _page(names, given.get("cursor") or given.get("fileCursor"), given.get("fileLimit") or 50)
        return {
            "fileCount": len(run.files),
            "files": {
                "edges": [{"node": self._file(run, name), "cursor": cursor} for name, cursor in edges],
                "pageInfo": page,
            },
        }

    def _file(self, run: StoredRun, name: str) -> dict[str, Any]:
        url = f"{self.url}/stored/{run.name}/{quote(name)}"
        size = len(run.files[name])
        fixed = {"mimetype": "", "md5": "", "updatedAt": run.dates.get(name, _CREATED)}
        return {"id": f"{run.name}/{name}", "name": name, "url": url, "directUrl": url, "sizeBytes": size, **fixed}

    def _artifacts(self, ids: list[str], given: dict[str, Any]) -> Any:
        edges, page = _page(ids, given["cursor"], given["perPage"])
        nodes = [{"node": self._artifact(self.artifacts[id_])} for id_, _ in edges]
        return {"artifacts": {"totalCount": len(ids), "pageInfo": {"__typename": "PageInfo", **page}, "edges": nodes}}

    def _artifact(self, found: StoredArtifact) -> dict[str, Any]:
        project = {"id": "p7", "internalId": "7", "name": self.project, "entity": {"name": self.entity}}
        collection = {"__typename": "ArtifactSequence", "name": found.collection, "project": project}
        return {
            "__typename": "Artifact",
            "id": found.id,
            "artifactSequence": collection,
            "versionIndex": found.version,
            "artifactType": {"name": found.kind},
            "description": found.description,
            "metadata": found.metadata,
            "ttlDurationSeconds": -2,
            "ttlIsInherited": True,
            "tags": [],
            "historyStep": None,
            "state": found.state,
            "size": sum(map(len, found.files.values())),
            "digest": f"digest-{found.id}",
            "commitHash": "",
            "fileCount": len(found.files),
            "createdAt": found.created,
            "updatedAt": found.created,
            "aliases": [
                {"__typename": "ArtifactAlias", "id": alias, "alias": alias, "artifactCollection": collection}
                for alias in found.aliases
            ],
        }

    def _manifest(self, given: dict[str, Any]) -> Any:
        found = self.artifacts[given["id"]]
        file = {"directUrl": f"{self.url}/manifests/{found.id}"}
        return {"artifact": {"currentManifest": {"file": file}}}

    def _manifest_of(self, found: StoredArtifact) -> dict[str, Any]:
        entries = {
            name: {"digest": _digest(found.id, name), "size": len(content), "birthArtifactID": found.id}
            for name, content in found.files.items()
        }
        entries |= {name: {"digest": ref, "ref": ref, "extra": {}} for name, ref in found.references.items()}
        return {
            "version": 1,
            "storagePolicy": "wandb-storage-policy-v1",
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": entries,
        }

    # What a sync sends.

    def _upsert(self, given: dict[str, Any]) -> Any:
        run = self.runs.setdefault(given["name"], StoredRun(given["name"]))
        run.shown |= {key: value for key, value in given.items() if value is not None}
        run.config |= json.loads(given.get("config") or "{}")
        project = {"id": "p7", "name": self.project, "entity": {"id": "e7", "name": self.entity}}
        bucket = {"id": f"id-{run.name}", "name": run.name, "displayName": run.shown.get("displayName")}
        bucket |= {"description": None, "config": None, "sweepName": None, "historyLineCount": 0, "project": project}
        return {"upsertBucket": {"bucket": bucket, "inserted": True, "configValidationErrors": None}}

    def _create_files(self, given: dict[str, Any]) -> Any:
        files = [
            {"name": name, "uploadUrl": f"{self.url}/stored/{given['run']}/{quote(name)}"} for name in given["files"]
        ]
        return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}

    def put(self, path: str, content: bytes) -> bytes:
        kind, name, file = path.lstrip("/").split("/", 2)
        if kind != "stored":
            raise Refused(f"PUT {path}", 404)
        self.runs[name].files[unquote(file)] = content
        return b"{}"

    def stream(self, path: str, sent: dict[str, Any]) -> Any:
        run = self.runs[path.split("/")[-2]]
        for name, part in sent.get("files", {}).items():
            if name == "wandb-history.jsonl":
                run.history += part["content"]
            elif name == "wandb-events.jsonl":
                run.events += part["content"]
            elif name == "wandb-summary.json":
                run.summary = json.loads(part["content"][-1])
            elif name == "output.log":
                run.log += [_logged(line) for line in part["content"]]
            else:
                raise Refused(f"stream of {name}")
        if sent.get("complete"):
            run.state = "failed" if sent["exitcode"] else "finished"
        return {"exitcode": None, "limits": {}}

    def get(self, path: str) -> bytes:
        kind, name, *rest = path.lstrip("/").split("/")
        self.asked[kind] += 1
        self._check_load(kind)
        if kind in self.gone:
            raise Refused("it is gone", 404)
        if kind == "stored" and (file := unquote("/".join(rest))) in self.runs[name].files:
            return self.runs[name].files[file]
        if kind == "parquet":
            return _parquet_of(self.runs[name])
        if kind == "manifests":
            return json.dumps(self._manifest_of(self.artifacts[name])).encode()
        if kind == "artifactsV2":
            return self._entry(rest[-2])
        raise Refused(f"GET {path}", 404)

    def _entry(self, digest: str) -> bytes:
        for found in self.artifacts.values():
            for name, content in found.files.items():
                if bytes.fromhex(digest) == _raw_digest(found.id, name):
                    return content
        raise Refused(f"no entry {digest}", 404)


_VIEWER = {
    "id": "user7",
    "entity": "team",
    "username": "ada",
    "email": "ada@example.org",
    "flags": "{}",
    "teams": {"edges": [{"node": {"name": "team"}}]},
}


def _raw_digest(artifact: str, name: str) -> bytes:
    return hashlib.md5(f"{artifact}/{name}".encode(), usedforsecurity=False).digest()


def _digest(artifact: str, name: str) -> str:
    return base64.b64encode(_raw_digest(artifact, name)).decode()


def _page(items: list[Any], cursor: str | None, count: int) -> tuple[list[tuple[Any, str]], dict[str, Any]]:
    first = int(cursor or 0)
    found = [(item, str(first + number + 1)) for number, item in enumerate(items[first : first + count])]
    return found, {"endCursor": str(first + len(found)), "hasNextPage": first + count < len(items)}


def _step(line: str) -> int:
    return int(json.loads(line)["_step"])


def _history_keys(run: StoredRun) -> dict[str, Any] | None:
    if not run.history:
        return None
    keys: dict[str, Any] = {key: {"typeCounts": []} for line in run.history for key in json.loads(line)}
    return {"lastStep": max(map(_step, run.history)), "sets": [], "keys": keys}


def _history_page(run: StoredRun, given: dict[str, Any]) -> Any:
    if given["pageSize"] < given["maxStep"] - given["minStep"]:
        raise Refused(f"fewer samples than steps: {given}")
    lines = [line for line in run.history if given["minStep"] <= _step(line) < given["maxStep"]]
    return {"history": lines[: given["pageSize"]]}


def _parquet_of(run: StoredRun) -> bytes:
    rows = [dict(leaves(json.loads(line))) for line in run.history[: run.exported]]
    keys = {key for row in rows for key in row}
    content = io.BytesIO()
    parquet.write_table(pyarrow.table({key: [row.get(key) for row in rows] for key in sorted(keys)}), content)
    return content.getvalue()


def _events(run: StoredRun, given: dict[str, Any]) -> Any:
    return {"events": run.events[:: max(1, -(-len(run.events) // given["samples"]))]}


def _log_page(run: StoredRun, given: dict[str, Any]) -> Any:
    lines = list(enumerate(run.log))
    if "last" in given:
        edges, page = _page(lines[-given["last"] :], None, given["last"])
    else:
        edges, page = _page(lines, given.get("after"), given["first"])
    nodes = [
        {"number": number, "timestamp": time, "level": level, "label": "", "line": text}
        for (number, (time, level, text)), _ in edges
    ]
    shown = {"edges": [{"node": node} for node in nodes], "pageInfo": page}
    return {"logLineCount": len(run.log), "logLines": shown}


def _logged(line: str) -> tuple[str, str, str]:
    """A line as the client sends it: a word if it is of stderr, the time, the text."""
    level, rest = ("error", line.removeprefix("ERROR ")) if line.startswith("ERROR ") else ("", line)
    time, _, text = rest.partition(" ")
    return time, level, text


class _Listening(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that closes its connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stored: WandbServer

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_PUT(self) -> None:
        self._answer(lambda: self.stored.put(self.path, self._body()))

    def do_GET(self) -> None:
        self._answer(lambda: self.stored.get(self.path))

    def _post(self) -> bytes:
        if self.headers.get("Authorization") != f"Basic {base64.b64encode(f'api:{API_KEY}'.encode()).decode()}":
            raise Refused("the API key is wrong", 401)
        sent = json.loads(self._body())
        if self.path.endswith("/file_stream"):
            return json.dumps(self.stored.stream(self.path, sent)).encode()
        if self.path != "/graphql":
            raise Refused(f"POST {self.path}", 404)
        data = self.stored.graphql(sent["query"], sent.get("operationName"), sent.get("variables") or {})
        return json.dumps({"data": data}).encode()

    def _answer(self, work: Callable[[], bytes]) -> None:
        status, more = 200, {}
        try:
            content = work()
        except Refused as refused:
            status = refused.status
            content = json.dumps({"errors": [{"message": str(refused)}]}).encode()
            if status == 429:
                more = {"Retry-After": "0"}
            else:
                self.stored.refused.append(str(refused))
        except (KeyError, ValueError, TypeError) as error:
            status, content = 500, repr(error).encode()
            self.stored.refused.append(repr(error))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "Content-Type": "application/json", **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b"".join(self._chunks())
        else:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()


@contextmanager
def wandb_server() -> Iterator[WandbServer]:
    """The server, on a free port of this machine."""
    listening = _Listening(("127.0.0.1", 0), _Handler)
    stored = WandbServer(f"http://127.0.0.1:{listening.server_address[1]}")
    listening.RequestHandlerClass = type("Handler", (_Handler,), {"stored": stored})
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stored
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
