"""The routes of the MLflow face: one for each depth of path, because an API of API Gateway has at most 300 resources.

A request chooses its operation by its whole path. The operations and their structs are imported then: a cold start
without MLflow must not pay for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chalicelib.routes.http.endpoint import Routes
from chalicelib.routes.http.face import Face, Operation
from chalicelib.services import auth
from chalicelib.services.actor import Actor

if TYPE_CHECKING:
    from msgspec import Struct

    from chalicelib.errors import DomainError
    from chalicelib.routes.http.answer import Answer

_ROOM = "chalicelib.routes.mlflow"
# MLflow's web pages use the second one: an alias for the same operations.
PREFIXES = ("/api", "/ajax-api")
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
# The depth of the paths below each root, and the module of each noun, or of one path.
DEPTHS = {"/2.0/mlflow": 4, "/2.0/mlflow-artifacts": 14, "/3.0/mlflow": 2}
MODULES: dict[str, dict[str, str]] = {
    "/2.0/mlflow": {
        "experiments": "experiment",
        "experiments/search": "experiment_search",
        "runs": "run",
        "runs/search": "run_search",
        **dict.fromkeys((f"runs/{name}" for name in ("log-metric", "log-parameter", "log-batch")), "entry"),
        **dict.fromkeys(("runs/log-inputs", "runs/log-model", "runs/outputs"), "run_input"),
        "metrics": "metric",
        "registered-models": "registeredmodel",
        "model-versions": "modelversion",
        "logged-models": "loggedmodel",
    },
    "/3.0/mlflow": {"server-info": "server_info", "workspaces": "workspace"},
    "/2.0/mlflow-artifacts": {"artifacts": "artifact", "presigned": "artifact", "mpu": "artifact"},
}


def _refuse(error: DomainError) -> Answer[Any]:
    from chalicelib.routes.mlflow.errors import refused

    return refused(error)


def _parse_body(kind: type[Struct], raw: bytes) -> Any:
    from chalicelib.routes.mlflow import parse

    return parse.body(kind, raw)


def _parse_query(kind: type[Struct], parameters: dict[str, list[str]]) -> Any:
    from chalicelib.routes.mlflow import parse

    return parse.query(kind, parameters)


def _authenticate(authorization: str | None, source: str) -> Actor:
    """The sender. Answers of MLflow have all fields, so a member who may not read is refused."""
    return replace(auth.authenticate_program(authorization, source), must_read=True)


FACE = Face(
    "mlflow",
    _refuse,
    ignores_unknown_fields=True,
    headers=frozenset({"x-mlflow-workspace", "content-length"}),
    parse_body=_parse_body,
    parse_query=_parse_query,
    authenticate=_authenticate,
    modules=tuple(dict.fromkeys(f"{_ROOM}.{name}" for nouns in MODULES.values() for name in nouns.values())),
)
routes = Routes(__name__, FACE)


def _find(root: str, method: str, values: Mapping[str, str]) -> tuple[Operation, dict[str, str]]:
    """The operation of this request, and the ids in its path. EndpointNotFound without one."""
    segments = [values[name] for name in _names(len(values))]
    module = MODULES[root].get("/".join(segments[:2])) or MODULES[root].get(segments[0])
    if module is not None:
        import_module(f"{_ROOM}.{module}")
    below = f"{PREFIXES[0]}{root}/"
    for operation in FACE.operations:
        if operation.method == method and operation.path.startswith(below):
            ids = _match(operation.path.removeprefix(below).split("/"), segments)
            if ids is not None:
                return operation, ids
    from chalicelib.routes.mlflow.errors import EndpointNotFound

    raise EndpointNotFound


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    """The ids of a path that fits the pattern. `{name+}` at its end stands for one segment or more."""
    if pattern[-1].endswith("+}"):
        own = len(pattern) - 1
        segments = [*segments[:own], "/".join(segments[own:])] if len(segments) > own else segments
    if len(pattern) != len(segments):
        return None
    ids: dict[str, str] = {}
    for expected, value in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            ids[expected.strip("{+}")] = value
        elif expected != value:
            return None
    return ids


def _names(depth: int) -> list[str]:
    return [f"segment_{number}" for number in range(1, depth + 1)]


for _root, _depth in DEPTHS.items():
    for _prefix in PREFIXES:
        for _segments in map(_names, range(1, _depth + 1)):
            _path = f"{_prefix}{_root}/" + "/".join(f"{{{name}}}" for name in _segments)
            routes.dispatch(METHODS, _path, partial(_find, _root))
