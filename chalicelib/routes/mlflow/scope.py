"""The project of a request: that of the header, which MLflow calls workspace, else of the token, else the default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib import config
from chalicelib.errors import NotFound
from chalicelib.routes.http.endpoint import Call
from chalicelib.services import access
from chalicelib.services import project as service
from chalicelib.services.access import Actor, Need

T = TypeVar("T")

HEADER = "x-mlflow-workspace"
# MLflow's name of the workspace of requests without the header.
DEFAULT = "default"
# The ids of default projects, by table and user.
_known: dict[tuple[str, str], str] = {}
_MOST_KNOWN = 300


def workspace(call: Call[Any, Any]) -> str | None:
    """The project that the request names, else None."""
    named = call.headers.get(HEADER, "").strip()
    return None if named in ("", DEFAULT) else named


def in_project(call: Call[Any, Any], act: Callable[[str], T]) -> T:
    """The result of `act` with the id of the project, which is created if it is the default and missing."""
    named = workspace(call) or call.actor.only_project_id
    if named is not None:
        access.project(call.actor, named, Need.READ)
        return act(named)
    known = _known.get(_key(call.actor))
    if known is not None:
        try:
            return act(known)
        except NotFound as error:
            if error.details.get("kind") != "project":
                raise
    return act(_find_default(call.actor))


def check_project(call: Call[Any, Any], project_id: str, absent: Callable[[], NotFound]) -> None:
    """Raise `absent()` for an object of another project than the one that the request names."""
    if workspace(call) not in (None, project_id):
        raise absent()


def _find_default(actor: Actor) -> str:
    """The id of the project with the name of the settings: the oldest that the caller may read, else a new one."""
    name = config.settings().mlflow_project
    cursor: str | None = None
    while True:
        page = service.list_projects(actor, 1, cursor, name)
        if page.data or page.next_cursor is None:
            break
        cursor = page.next_cursor
    project = page.data[0] if page.data else _create_default(actor, name)
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[_key(actor)] = project.id
    return project.id


def _create_default(actor: Actor, name: str) -> Any:
    """Create the project. Two concurrent first requests of a user create one."""
    description = "Runs that MLflow clients log without a workspace"
    return service.create_project(actor, name=name, description=description, id_key=f"mlflow {name}")[0]


def _key(actor: Actor) -> tuple[str, str]:
    return config.settings().table, actor.user.id
