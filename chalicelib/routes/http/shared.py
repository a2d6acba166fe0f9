"""The operations that the viewer of a share may call. All others, of every face, are refused.

The services check the object of a request against the share (`Reach.covers`). An operation on an experiment can also
read iterations that its query names: with a share of iterations, these must be among the shared ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.errors import NotFound, PermissionRequired
from chalicelib.routes.http.face import Operation
from chalicelib.services.actor import Reach


def _own(_reach: Reach, _query: Any) -> bool:
    """The path names the object."""
    return True


def _experiment(reach: Reach, _query: Any) -> bool:
    """The answer shows all of an experiment."""
    return reach.experiment_id is not None


def _named(reach: Reach, query: Any) -> bool:
    """The answer shows the iterations that the query names, or all of an experiment."""
    named = query.iteration_id
    ids = [] if named is None else [named] if isinstance(named, str) else named
    return reach.experiment_id is not None or (bool(ids) and set(ids) <= reach.iterations.keys())


ALLOWED: dict[str, Callable[[Reach, Any], bool]] = {
    "GET /experiments/{experiment_id}": _experiment,
    "GET /experiments/{experiment_id}/iterations": _experiment,
    "GET /experiments/{experiment_id}/keys": _experiment,
    "GET /experiments/{experiment_id}/tags": _experiment,
    "GET /experiments/{experiment_id}/metrics/curves": _named,
    "GET /experiments/{experiment_id}/metrics/series": _named,
    "GET /experiments/{experiment_id}/metrics/summary": _named,
    "GET /experiments/{experiment_id}/resources": _named,
    "GET /iterations/{iteration_id}": _own,
    "GET /iterations/{iteration_id}/parameters": _own,
    "GET /iterations/{iteration_id}/tags": _own,
    "GET /iterations/{iteration_id}/metrics": _own,
    "GET /iterations/{iteration_id}/metrics/columns": _own,
    "GET /iterations/{iteration_id}/metrics/series": _own,
    "GET /iterations/{iteration_id}/metrics/summary": _own,
    "GET /resources/{resource_id}": _own,
    "GET /resources/{resource_id}/download": _own,
}


def require_allowed(operation: Operation) -> None:
    if f"{operation.method} {operation.path}" not in ALLOWED:
        raise PermissionRequired("A shared link only shows what was shared")


def require_shown(operation: Operation, reach: Reach, query: Any) -> None:
    """NotFound if the answer would show more than the share does."""
    if not ALLOWED[f"{operation.method} {operation.path}"](reach, query):
        raise NotFound
