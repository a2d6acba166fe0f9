"""The project of a request: that of the header, which MLflow calls workspace, else of the token, else the default."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from chalicelib import config
from chalicelib.errors import Conflict, Forbidden, NotFound
from chalicelib.routes.http.endpoint import Call
from chalicelib.services import access
from chalicelib.services import experiment as experiments
from chalicelib.services import project as service
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from deardiary.wire.shapes import Experiment, Project

T = TypeVar("T")

HEADER = "x-mlflow-workspace"
# MLflow's id and name of the experiment of runs that name none.
DEFAULT_ID, DEFAULT_NAME, DEFAULT_KEY = "0", "Default", "mlflow Default"
# MLflow's name of the workspace of requests without the header.
DEFAULT = "default"
# The ids of default projects, by table and user.
_known: dict[tuple[str, str], str] = {}
_MOST_KNOWN = 300
_ID = re.compile(r"[0-9a-v]{24}")
# Another process may delete or rename the project meanwhile.
_KNOWN_SECONDS = 30.0


class _Known(NamedTuple):
    project_id: str
    until: float


_named: dict[tuple[str, str, str, str], _Known] = {}


def workspace(call: Call[Any, Any]) -> str | None:
    """The id of the project that the request names, else None."""
    named = call.headers.get(HEADER, "").strip()
    if named in ("", DEFAULT):
        return None
    return (call.who and find_project(call.who, named)) or named


def find_project(actor: Actor, named: str) -> str | None:
    """The id of a project that the caller may read, by its name: None if the text is the id itself, or names none."""
    if _ID.fullmatch(named):
        return None
    key = (config.settings().table, actor.user.id, actor.only_project_id or "", named)
    known = _named.get(key)
    if known is None or known.until < time.monotonic():
        found = _find_named(actor, named)
        if found is None:
            return None
        if len(_named) >= _MOST_KNOWN:
            _named.clear()
        known = _named[key] = _Known(found, time.monotonic() + _KNOWN_SECONDS)
    return known.project_id


def forget(actor: Actor, named: str) -> None:
    """Forget a name whose project this process has deleted."""
    _named.pop((config.settings().table, actor.user.id, actor.only_project_id or "", named), None)


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


def experiment_id_of(call: Call[Any, Any], given: str) -> str | None:
    """The id of the record. MLflow's experiment "0" is the one named Default, created when it is first used.

    A workspace has none.
    """
    if given != DEFAULT_ID:
        return given
    return None if workspace(call) else in_project(call, lambda project_id: _default_experiment(call, project_id))


def shown_experiment_id(call: Call[Any, Any], experiment: Experiment) -> str:
    is_default = experiment.name == DEFAULT_NAME and workspace(call) is None
    return DEFAULT_ID if is_default else experiment.id


def _default_experiment(call: Call[Any, Any], project_id: str) -> str | None:
    """The id of the experiment. None without one, where the caller may not create it."""
    found = experiments.find_by_name(call.actor, project_id, DEFAULT_NAME)
    if found is not None or call.actor.read_only:
        return found and found[0].id
    try:
        created, _ = experiments.create_experiment(
            call.actor, project_id, name=DEFAULT_NAME, description="", id_key=DEFAULT_KEY
        )
    except Conflict:
        # Another user's request has just created it.
        found = experiments.find_by_name(call.actor, project_id, DEFAULT_NAME)
        return found and found[0].id
    except Forbidden:
        return None
    return created.id


def check_project(call: Call[Any, Any], project_id: str, absent: Callable[[], NotFound]) -> None:
    """Raise `absent()` for an object of another project than the one that the request names."""
    if workspace(call) not in (None, project_id):
        raise absent()


def _find_default(actor: Actor) -> str:
    """The id of the project with the name of the settings: the oldest that the caller may read, else a new one."""
    name = config.settings().mlflow_project
    project_id = _find_named(actor, name)
    if project_id is None and actor.read_only:
        raise NotFound(f"There is no project {name} yet, and this token may only read", kind="project")
    project_id = project_id or _create_default(actor, name).id
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[_key(actor)] = project_id
    return project_id


def _find_named(actor: Actor, name: str) -> str | None:
    """The id of the oldest project of this name that the caller may read."""
    cursor: str | None = None
    while True:
        page = service.list_projects(actor, 1, cursor, name)
        if page.data or page.next_cursor is None:
            return page.data[0].id if page.data else None
        cursor = page.next_cursor


def _create_default(actor: Actor, name: str) -> Project:
    """Create the project. Two concurrent first requests of a user create one."""
    description = "Runs that MLflow clients log without a workspace"
    return service.create_project(actor, name=name, description=description, id_key=f"mlflow {name}")[0]


def _key(actor: Actor) -> tuple[str, str]:
    return config.settings().table, actor.user.id
