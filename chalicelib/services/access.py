"""The checks of permissions on projects, and on what they hold, decided on the stored permissions."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from chalicelib.errors import NotFound, PermissionRequired, label, not_found
from chalicelib.services.actor import Actor, Reach
from chalicelib.storage.reads import deleted as deletions
from chalicelib.storage.reads import lineage as lineages
from chalicelib.storage.reads.deleted import Target
from chalicelib.storage.reads.lineage import (
    ExperimentLineage,
    IterationLineage,
    LoggedModelLineage,
    ModelLineage,
    ProjectLineage,
    ResourceLineage,
)
from chalicelib.storage.trash import Entry
from deardiary.wire.shapes import UserPermission
from deardiary.wire.times import format_time

L = TypeVar("L", bound=ProjectLineage)
# The rows that the check of a permission has read.
ExperimentAccess = ExperimentLineage
IterationAccess = IterationLineage


class Need(Enum):
    """The permission on a project that an operation needs."""

    CREATE = "create_permission"
    READ = "read_permission"
    UPDATE = "update_permission"
    DELETE = "delete_permission"


def project(actor: Actor, project_id: str, need: Need) -> ProjectLineage:
    lineage = _within_reach(actor, lineages.find_project_lineage(project_id, actor.user.id))
    return _require(actor, lineage, need, "project", project_id)


def experiment(actor: Actor, experiment_id: str, need: Need) -> ExperimentLineage:
    lineage = _within_reach(actor, lineages.find_experiment_lineage(experiment_id, actor.user.id))
    return _require(actor, lineage, need, "experiment", experiment_id)


def iteration(actor: Actor, iteration_id: str, need: Need, *, batch_hash: str | None = None) -> IterationLineage:
    """With `batch_hash`, the same call reads the rows that a writer of this batch needs (`of_batch`)."""
    found = lineages.find_iteration_lineage(iteration_id, actor.user.id, batch_hash=batch_hash)
    lineage = _within_reach(actor, found)
    return _require(actor, lineage, need, "iteration", iteration_id)


def resource(actor: Actor, resource_id: str, need: Need) -> ResourceLineage:
    lineage = _within_reach(actor, lineages.find_resource_lineage(resource_id, actor.user.id))
    return _require(actor, lineage, need, "resource", resource_id)


def model(actor: Actor, model_id: str, need: Need) -> ModelLineage:
    lineage = _within_reach(actor, lineages.find_model_lineage(model_id, actor.user.id))
    return _require(actor, lineage, need, "model", model_id)


def trashed_experiment(actor: Actor, experiment_id: str, need: Need) -> ExperimentLineage:
    """An experiment in the trash."""
    lineage = _within_reach(actor, lineages.find_trashed_experiment_lineage(experiment_id, actor.user.id))
    return _require_found(actor, lineage, need, "experiment", experiment_id)


def trashed_iteration(actor: Actor, iteration_id: str, need: Need) -> IterationLineage:
    """An iteration that is in the trash, or its experiment is."""
    lineage = _within_reach(actor, lineages.find_trashed_iteration_lineage(iteration_id, actor.user.id))
    return _require_found(actor, lineage, need, "iteration", iteration_id)


def loggedmodel(actor: Actor, loggedmodel_id: str, need: Need) -> LoggedModelLineage:
    lineage = _within_reach(actor, lineages.find_loggedmodel_lineage(loggedmodel_id, actor.user.id))
    return _require(actor, lineage, need, "loggedmodel", loggedmodel_id)


def deleted(actor: Actor, object_id: str, need: Need) -> Target:
    """Find an object by its id, also one in the trash. Its project must be visible, unless it is the object itself."""
    target = deletions.find_target(object_id)
    if target is None:
        raise not_found("object", object_id)
    find = lineages.find_deleted_project_lineage if target.kind == "project" else lineages.find_project_lineage
    _require(actor, _within_reach(actor, find(target.project_id, actor.user.id)), need, "object", object_id)
    return target


def absence(actor: Actor, kind: str, object_id: str) -> NotFound:
    """The error for an object that is not visible. To a member it says if the object is in the trash."""
    target = deletions.find_target(object_id)
    find = lineages.find_deleted_project_lineage
    lineage = target and _within_reach(actor, find(target.project_id, actor.user.id))
    entry = deletions.find_topmost_entry(target) if target and lineage and _is_member(actor, lineage) else None
    return not_found(kind, object_id) if entry is None else _in_trash(kind, object_id, entry)


def refuse_deleted(actor: Actor, kind: str, object_id: str) -> None:
    """NotFound if an object that a request names is in the trash: a writer keeps the request until it is restored."""
    error = absence(actor, kind, object_id)
    if "trash_id" in error.details:
        raise error


def _in_trash(kind: str, object_id: str, entry: Entry) -> NotFound:
    own = f"{label(kind)} {object_id}"
    above = "" if entry.target_id == object_id else f", with {entry.target_kind} {entry.target_id}"
    until = format_time(entry.purge_date)
    message = f"{own} is in the trash until {until}{above}; `deardiary trash restore {entry.target_id}` restores it"
    return NotFound(message, kind=kind, id=object_id, trash_id=entry.target_id, purge_date=until)


def _is_member(actor: Actor, lineage: ProjectLineage) -> bool:
    return actor.user.is_admin or lineage.permission is not None


def find_as_member(actor: Actor, project_id: str) -> ProjectLineage:
    """The project, for admins and for its members, whatever their permissions allow."""
    lineage = _within_reach(actor, lineages.find_project_lineage(project_id, actor.user.id))
    if lineage is None or not _is_member(actor, lineage):
        raise not_found("project", project_id)
    return lineage


def _require(actor: Actor, lineage: L | None, need: Need, kind: str, object_id: str) -> L:
    """The lineage, if the actor may do this there. To a stranger it does not exist."""
    if lineage is None:
        raise absence(actor, kind, object_id)
    return _require_found(actor, lineage, need, kind, object_id)


def _require_found(actor: Actor, lineage: L | None, need: Need, kind: str, object_id: str) -> L:
    if lineage is None:
        raise not_found(kind, object_id)
    if not _is_member(actor, lineage):
        raise not_found(kind, object_id)
    if actor.user.is_admin or lineage.permission is None:
        return lineage
    if not getattr(lineage.permission, need.value):
        # A share shows no more than its creator may read. Its viewer must not learn why it has ended.
        raise not_found(kind, object_id) if actor.reach else _lacking(need, lineage.project.id)
    if not lineage.permission.read_permission:
        if actor.must_read:
            raise _lacking(Need.READ, lineage.project.id)
        actor.blind_in.add(lineage.project.id)
    return lineage


def _lacking(need: Need, project_id: str) -> PermissionRequired:
    what = need.value.removesuffix("_permission")
    message = f"You lack the {what} permission on project {project_id}"
    return PermissionRequired(message, permission=need.value, project_id=project_id)


def _within_reach(actor: Actor, lineage: L | None) -> L | None:
    """The lineage; None also outside of the only project of a token, or of the objects of a share."""
    if lineage is None or actor.only_project_id not in (None, lineage.project.id):
        return None
    return lineage if actor.reach is None or _covers(actor.reach, lineage) else None


def _covers(reach: Reach, lineage: ProjectLineage) -> bool:
    """True for the objects that a share shows, and for the experiments of shown iterations.

    Of such an experiment the shown iterations are all that a share may read: `routes/http/shared.py` checks it.
    """
    match lineage:
        case IterationLineage():
            return _shows(reach, lineage.experiment.id, lineage.iteration.id)
        case ResourceLineage():
            return _shows(reach, lineage.experiment.id, lineage.resource.iteration_id)
        case LoggedModelLineage():
            return False
        case ExperimentLineage():
            return lineage.experiment.id in (reach.experiment_id, *reach.iterations.values())
    return False


def _shows(reach: Reach, experiment_id: str, iteration_id: str | None) -> bool:
    return experiment_id == reach.experiment_id or reach.iterations.get(iteration_id or "") == experiment_id


def require_all(actor: Actor, lineage: ProjectLineage) -> None:
    """Require an admin or a holder of all four permissions: only they may change permissions."""
    held = lineage.permission
    if not actor.user.is_admin and not (held and holds_all(held)):
        project_id = lineage.project.id
        message = f"Only an admin or a holder of all four permissions may change permissions on project {project_id}"
        raise PermissionRequired(message, permission="all four", project_id=project_id)


def holds_all(permission: UserPermission) -> bool:
    return all(getattr(permission, need.value) for need in Need)
