"""Who may do what: the one place where permissions are decided, from what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from chalicelib.errors import AdminRequired, NotFound, PermissionRequired, SameUserRequired
from chalicelib.storage import lineage
from chalicelib.storage.lineage import (
    ExperimentLineage,
    IterationLineage,
    ModelLineage,
    ProjectLineage,
    ResourceLineage,
)
from deardiary.shapes import User, UserPermission

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
    return require(actor, lineage.find_project_lineage(project_id, actor.user.id), need)


def experiment(actor: Actor, experiment_id: str, need: Need) -> ExperimentLineage:
    return require(actor, lineage.find_experiment_lineage(experiment_id, actor.user.id), need)


def iteration(actor: Actor, iteration_id: str, need: Need) -> IterationLineage:
    return require(actor, lineage.find_iteration_lineage(iteration_id, actor.user.id), need)


def resource(actor: Actor, resource_id: str, need: Need) -> ResourceLineage:
    return require(actor, lineage.find_resource_lineage(resource_id, actor.user.id), need)


def model(actor: Actor, model_id: str, need: Need) -> ModelLineage:
    return require(actor, lineage.find_model_lineage(model_id, actor.user.id), need)


def find_as_member(actor: Actor, project_id: str) -> ProjectLineage:
    """The project, to an admin or anybody with a permission record on it, whatever that allows."""
    line = _within_reach(actor, lineage.find_project_lineage(project_id, actor.user.id))
    if not (actor.user.is_admin or line.permission):
        raise NotFound
    return line


def require(actor: Actor, line: L | None, need: Need) -> L:
    """The line, if the actor may do this there. To a stranger it does not exist."""
    line = _within_reach(actor, line)
    if actor.user.is_admin:
        return line
    if line.permission is None:
        raise NotFound
    if not getattr(line.permission, need.value):
        raise PermissionRequired(permission=need.value)
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
        raise PermissionRequired("This token is for one project only")


def require_admin(actor: Actor) -> None:
    require_unscoped(actor)
    if not actor.user.is_admin:
        raise AdminRequired


def require_self_or_admin(actor: Actor, user_id: str) -> None:
    require_unscoped(actor)
    if actor.user.id != user_id and not actor.user.is_admin:
        raise SameUserRequired


def _within_reach(actor: Actor, line: L | None) -> L:
    if line is None or actor.only_project_id not in (None, line.project.id):
        raise NotFound
    return line


def require_all(actor: Actor, line: ProjectLineage) -> None:
    """For changing who may do what: an admin, or whoever holds all four permissions."""
    held = line.permission
    if not actor.user.is_admin and not (held and holds_all(held)):
        raise PermissionRequired("Only an admin or a holder of all four permissions may change permissions")


def holds_all(permission: UserPermission) -> bool:
    return all(getattr(permission, need.value) for need in Need)
