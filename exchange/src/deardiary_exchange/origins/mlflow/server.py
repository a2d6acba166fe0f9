"""MLflow's record by its REST API, with the standard library: `mlflow-skinny` would bring forty packages."""

from __future__ import annotations

import base64
import functools
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

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
from deardiary_exchange.origins.origin import OriginFailed, number

_API = "/api/2.0/mlflow"
_PAGE, _POINTS = 1000, 25_000
_SECONDS = 120


class ServerStore:
    """``url`` as in MLFLOW_TRACKING_URI. Signs in by MLflow's own variables: token, or username and password."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._headers = _sign_in(os.environ)
        self.note: Callable[[str], object] = len  # the origin sets its own
        self._logged: dict[str, dict[str, dict[str, Any]]] = {}  # of one experiment: logged models by run and id

    def experiments(self) -> Iterator[StoredExperiment]:
        body = {"max_results": _PAGE, "view_type": "ACTIVE_ONLY", "order_by": ["creation_time ASC"]}
        for each in self._pages("experiments", "/experiments/search", body):
            yield StoredExperiment(
                each["experiment_id"], each["name"], _pairs(each.get("tags")), _int(each.get("creation_time"))
            )

    def runs(self, experiment: StoredExperiment) -> Iterator[StoredRun]:
        body = {"experiment_ids": [experiment.id], "max_results": _PAGE, "order_by": ["attributes.start_time ASC"]}
        deleted = sum(1 for _ in self._pages("runs", "/runs/search", {**body, "run_view_type": "DELETED_ONLY"}))
        if deleted:
            self.note(f"deleted runs of the experiment {experiment.name!r}: {deleted}")
        self._logged = self._logged_models_of(experiment)
        for each in self._pages("runs", "/runs/search", {**body, "run_view_type": "ACTIVE_ONLY"}):
            yield _run(each, experiment)

    def points(self, run: StoredRun) -> Iterator[tuple[str, int, int, float]]:
        for key in self._keys_of(run):
            query = {"run_id": run.id, "metric_key": key, "max_results": str(_POINTS)}
            for each in self._pages("metrics", "/metrics/get-history", query, method="GET"):
                yield key, int(each.get("step", 0)), int(each["timestamp"]), _value(each.get("value", 0.0))

    def last_ms(self, run: StoredRun) -> int | None:
        found = self._call("GET", f"{_API}/runs/get", {"run_id": run.id})["run"]["data"].get("metrics", [])
        return max((int(each["timestamp"]) for each in found), default=None)

    def files(self, run: StoredRun) -> Iterator[StoredFile]:
        return self._files(
            "/ajax-api/2.0/mlflow/artifacts/list", {"run_id": run.id}, "/get-artifact", {"run_uuid": run.id}
        )

    def logged_models(self, run: StoredRun) -> Iterator[StoredModel]:
        for id_, info in self._logged.get(run.id, {}).items():
            listing = f"{_API}/logged-models/{id_}/artifacts/directories"
            yield StoredModel(
                id_,
                info["name"],
                functools.partial(
                    self._files, listing, {}, f"/ajax-api/2.0/mlflow/logged-models/{id_}/artifacts/files", {}
                ),
            )

    def versions(self) -> Iterator[StoredVersion | RegisteredModel]:
        asked = {"max_results": "100"}
        for each in self._pages("registered_models", "/registered-models/search", asked, method="GET"):
            model = RegisteredModel(
                each["name"],
                each.get("description", ""),
                _pairs(each.get("tags")),
                _int(each.get("creation_timestamp")),
            )
            aliases = {one["alias"]: int(one["version"]) for one in each.get("aliases", [])}
            found = sorted(self._versions_of(model, aliases), key=lambda one: one.version)
            yield from found
            if not found:
                yield model

    def _versions_of(self, model: RegisteredModel, aliases: Mapping[str, int]) -> Iterator[StoredVersion]:
        quoted = model.name.replace("'", "''")
        query = {"filter": f"name = '{quoted}'", "max_results": "1000"}
        for each in self._pages("model_versions", "/model-versions/search", query, method="GET"):
            number = int(each["version"])
            yield StoredVersion(
                model,
                number,
                _int(each.get("creation_timestamp")),
                each.get("run_id") or None,
                each.get("source", ""),
                each.get("current_stage"),
                each.get("description", ""),
                _pairs(each.get("tags")),
                sorted(alias for alias, version in aliases.items() if version == number),
            )

    def _keys_of(self, run: StoredRun) -> list[str]:
        data = self._call("GET", f"{_API}/runs/get", {"run_id": run.id})["run"]["data"]
        return [each["key"] for each in data.get("metrics", [])]

    def _logged_models_of(self, experiment: StoredExperiment) -> dict[str, dict[str, dict[str, Any]]]:
        found: dict[str, dict[str, dict[str, Any]]] = {}
        body = {"experiment_ids": [experiment.id], "max_results": 50}
        try:
            for each in self._pages("models", "/logged-models/search", body):
                info = each["info"]
                found.setdefault(info.get("source_run_id", ""), {})[info["model_id"]] = info
        except OriginFailed:
            return {}  # a server before MLflow 3
        return found

    def _files(
        self, listing: str, query: Mapping[str, str], download: str, of: Mapping[str, str], folder: str = ""
    ) -> Iterator[StoredFile]:
        asked = {**query, "path" if query else "artifact_directory_path": folder} if folder else dict(query)
        answer = self._call("GET", listing, asked)
        for each in answer.get("files", []):
            if each.get("is_dir"):
                yield from self._files(listing, query, download, of, each["path"])
            else:
                path = {"path" if of else "artifact_file_path": each["path"]}
                yield StoredFile(each["path"], functools.partial(self._open, download, {**of, **path}))

    def _pages(self, name: str, path: str, given: Mapping[str, Any], method: str = "POST") -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            answer = self._call(method, _API + path, {**given, **({"page_token": token} if token else {})})
            yield from answer.get(name, [])
            token = answer.get("next_page_token")
            if not token:
                return

    def _call(self, method: str, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(given).encode() if method == "POST" else None
        with self._open(path, {} if body else given, body) as answer:
            found = json.load(answer)
        return found if isinstance(found, dict) else {}

    def _open(self, path: str, query: Mapping[str, Any], body: bytes | None = None) -> BinaryIO:
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        headers = {**self._headers, **({"Content-Type": "application/json"} if body else {})}
        request = urllib.request.Request(f"{self._url}{path}{asked}", data=body, headers=headers)  # noqa: S310
        try:
            return urllib.request.urlopen(request, timeout=_SECONDS)  # type: ignore[no-any-return] # noqa: S310
        except urllib.error.HTTPError as error:
            said = error.read(500).decode("utf-8", "replace")
            raise OriginFailed(f"{self._url}{path} answers {error.code}: {said}") from None
        except urllib.error.URLError as error:
            raise OriginFailed(f"{self._url} does not answer: {error.reason}") from None


def _run(found: Mapping[str, Any], experiment: StoredExperiment) -> StoredRun:
    info, data = found["info"], found.get("data", {})
    read = found.get("inputs", {}).get("dataset_inputs", [])
    return StoredRun(
        id=info["run_id"],
        experiment_id=experiment.id,
        name=info.get("run_name", ""),
        status=info["status"],
        start_ms=int(info.get("start_time", 0)),
        end_ms=_int(info.get("end_time")),
        user=info.get("user_id", ""),
        artifact_uri=info.get("artifact_uri", ""),
        params=_pairs(data.get("params")),
        tags=_pairs(data.get("tags")),
        datasets=[_dataset(each["dataset"], _pairs(each.get("tags"))) for each in read],
    )


def _dataset(found: Mapping[str, Any], tags: Mapping[str, str]) -> Any:
    more = {name: found.get(name) or "" for name in ("schema", "profile")}
    return dataset(found["name"], found["digest"], found.get("source", ""), found.get("source_type", ""), more, tags)


def _pairs(found: Any) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in found or ()}


def _int(value: Any) -> int | None:
    """MLflow writes int64 as numbers or as texts; 0 is not set."""
    return int(value) or None if value is not None else None


def _value(value: Any) -> float:
    found = number(value)
    return infinite(float(value) if found is None else found)


def _sign_in(environment: Mapping[str, str]) -> dict[str, str]:
    token, name = (environment.get(f"MLFLOW_TRACKING_{word}") for word in ("TOKEN", "USERNAME"))
    if name:
        pair = f"{name}:{environment.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {"Authorization": f"Bearer {token}"} if token else {}
