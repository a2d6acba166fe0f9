"""Who may do what: the one place where permissions are decided, from what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from chalicelib.errors import AdminRequired, PermissionRequired, SameUserRequired, not_found
from chalicelib.storage.reads import lineage
from chalicelib.storage.reads.lineage import (
    ExperimentLineage,
    IterationLineage,
    ModelLineage,
    ProjectLineage,
    ResourceLineage,
)
from deardiary.wire.shapes import User, UserPermission

L = TypeVar("L", bound=ProjectLineage)


class Need(Enum):
    """What a route does with a project, named as the permission for it."""

    CREATE = "create_permission"
    READ = "read_permission"
    UPDATE = "update_permission"
    DELETE = "delete_permission"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who sends the request, as proven by the token.

    A session is a person who signed in, at ``auth_time`` (seconds since 1970). An API token is not: it manages no
    passwords and tokens, and it can be narrowed to one project and to reading.
    """

    user: User
    epoch: int = 0
    auth_time: int | None = None
    is_session: bool = True
    only_project_id: str | None = None
    read_only: bool = False
    # The projects in which this request was allowed to write, by a member who may not read there.
    blind_in: set[str] = field(default_factory=set)


def project(actor: Actor, project_id: str, need: Need) -> ProjectLineage:
    line = _within_reach(actor, lineage.find_project_lineage(project_id, actor.user.id))
    return _require(actor, line, need, "project", project_id)


def experiment(actor: Actor, experiment_id: str, need: Need) -> ExperimentLineage:
    line = _within_reach(actor, lineage.find_experiment_lineage(experiment_id, actor.user.id))
    return _require(actor, line, need, "experiment", experiment_id)


def iteration(actor: Actor, iteration_id: str, need: Need) -> IterationLineage:
    line = _within_reach(actor, lineage.find_iteration_lineage(iteration_id, actor.user.id))
    return _require(actor, line, need, "iteration", iteration_id)


def resource(actor: Actor, resource_id: str, need: Need) -> ResourceLineage:
    line = _within_reach(actor, lineage.find_resource_lineage(resource_id, actor.user.id))
    return _require(actor, line, need, "resource", resource_id)


def model(actor: Actor, model_id: str, need: Need) -> ModelLineage:
    line = _within_reach(actor, lineage.find_model_lineage(model_id, actor.user.id))
    return _require(actor, line, need, "model", model_id)


def find_as_member(actor: Actor, project_id: str) -> ProjectLineage:
    """The project, to an admin or anybody with a permission record on it, whatever that allows."""
    line = _within_reach(actor, lineage.find_project_lineage(project_id, actor.user.id))
    if line is None or not (actor.user.is_admin or line.permission):
        raise not_found("project", project_id)
    return line


def _require(actor: Actor, line: L | None, need: Need, kind: str, object_id: str) -> L:
    """The line, if the actor may do this there. To a stranger it does not exist."""
    if line is None or not (actor.user.is_admin or line.permission):
        raise not_found(kind, object_id)
    if actor.user.is_admin or line.permission is None:
        return line
    if not getattr(line.permission, need.value):
        what = need.value.removesuffix("_permission")
        message = f"You lack the {what} permission on project {line.project.id}"
        raise PermissionRequired(message, permission=need.value, project_id=line.project.id)
    if not line.permission.read_permission:
        actor.blind_in.add(line.project.id)
    return line


def require_session(actor: Actor) -> None:
    """For what a stolen API token must not do: make itself last, by what it changes of users and permissions too."""
    if not actor.is_session:
        raise SameUserRequired("This needs a sign-in with a password; an API token cannot do it")


def require_unscoped(actor: Actor) -> None:
    """For what is not inside a project."""
    if actor.only_project_id is not None:
        raise PermissionRequired("This token is for one project only", project_id=actor.only_project_id)


def require_admin(actor: Actor, action: str) -> None:
    """Require an admin; the error says that only an admin may do ``action``."""
    require_unscoped(actor)
    if not actor.user.is_admin:
        raise AdminRequired(f"Only an admin may {action}")


def require_self_or_admin(actor: Actor, user_id: str) -> None:
    require_unscoped(actor)
    if actor.user.id != user_id and not actor.user.is_admin:
        raise SameUserRequired(f"Only user {user_id} or an admin may do this", kind="user", id=user_id)


def _within_reach(actor: Actor, line: L | None) -> L | None:
    """None beyond the only project of a token, too."""
    return line if line is not None and actor.only_project_id in (None, line.project.id) else None


def require_all(actor: Actor, line: ProjectLineage) -> None:
    """For changing who may do what: an admin, or whoever holds all four permissions."""
    held = line.permission
    if not actor.user.is_admin and not (held and holds_all(held)):
        project_id = line.project.id
        message = f"Only an admin or a holder of all four permissions may change permissions on project {project_id}"
        raise PermissionRequired(message, permission="all four", project_id=project_id)


def holds_all(permission: UserPermission) -> bool:
    return all(getattr(permission, need.value) for need in Need)
