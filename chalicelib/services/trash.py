"""The trash: list, restore and purge deleted objects. `lifecycle/deletion.py` puts them there."""

from __future__ import annotations

from chalicelib.errors import Conflict, NotFound, not_found
from chalicelib.paging import Page
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import deletion
from chalicelib.services.lifecycle.budget import Budget
from chalicelib.services.points.batch import record_heartbeat
from chalicelib.storage import experiment, iteration, loggedmodel, model, permission, project, resource
from chalicelib.storage import label as labels_of
from chalicelib.storage import trash as storage
from chalicelib.storage.reads import deleted
from chalicelib.storage.reads.deleted import Target
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.trash import Entry
from deardiary.wire.shapes import Experiment, Iteration, LoggedModel, Model, Project, Resource, Trashed

Restored = Project | Experiment | Iteration | Resource | Model | LoggedModel


def list_trash(actor: Actor, limit: int, cursor: str | None) -> Page[Trashed]:
    """The projects in the trash that the caller may read and restore; for an admin all of them."""
    if actor.user.is_admin:
        only = actor.only_project_id
        page = storage.list_projects(limit, cursor) if only is None else Page(storage.find_projects([only]), None)
        return Page([_shape(each) for each in page.data], page.next_cursor)
    held = permission.list_permissions_of_user(actor.user.id, limit, cursor)
    mine = [each.project_id for each in held.data if each.read_permission and each.delete_permission]
    found = storage.find_projects(each for each in mine if actor.only_project_id in (None, each))
    return Page([_shape(each) for each in found], held.next_cursor)


def list_trash_of_project(actor: Actor, project_id: str, limit: int, cursor: str | None) -> Page[Trashed]:
    access.project(actor, project_id, Need.READ)
    page = storage.list_entries_of_project(project_id, limit, cursor)
    return Page([_shape(each) for each in page.data], page.next_cursor)


def restore(actor: Actor, object_id: str, name: str | None) -> Restored:
    """Restore an object, under another name if one is given, and return it. A repetition returns it too.

    NotFound if it is neither in the trash nor visible, or if an object above it is in the trash. Conflict if its name
    has been taken since.
    """
    return until_not_overtaken(lambda: _restore(actor, object_id, name))


def purge(actor: Actor, object_id: str) -> bool:
    """Remove an object in the trash with everything below it. True if everything is gone, else upkeep finishes."""

    def remove() -> bool:
        entry = deleted.find_entry(access.deleted(actor, object_id, Need.DELETE))
        if entry is None:
            raise not_found("object", object_id)
        return deletion.purge_entry(entry, Budget(deletion.REQUEST_SECONDS))

    return until_not_overtaken(remove)


def _restore(actor: Actor, object_id: str, name: str | None) -> Restored:
    target = access.deleted(actor, object_id, Need.DELETE)
    entry = deleted.find_entry(target)
    if entry is not None:
        _restore_entry(actor, entry, name)
    restored = _read(actor, target)
    if entry is None and name not in (None, restored.name):
        raise Conflict("This is not in the trash: PATCH renames it", field="name", kind=target.kind, id=object_id)
    return restored


def _restore_entry(actor: Actor, entry: Entry, name: str | None) -> None:
    write = Transaction()
    storage.take_entry(entry, write)
    try:
        _unhide(entry, name, write)
        write.commit()
    except NotFound:
        # An object above it is in the trash, or it was purged concurrently.
        raise access.absence(actor, entry.target_kind, entry.target_id) from None
    except Conflict as error:
        if error.details.get("field") != "name":
            raise
        raise Conflict(f"{error.message}: restore this one under another name", **error.details) from None
    _resume_heartbeat(entry)


def _unhide(entry: Entry, name: str | None, write: Transaction) -> None:
    """Add the restoration of the object itself to the transaction."""
    project_id, object_id = entry.project_id, entry.target_id
    match entry.target_kind:
        case "project":
            project.restore_project(project_id, name, write)
        case "experiment":
            experiment.restore_experiment(project_id, object_id, name, write)
        case "model":
            model.restore_model(project_id, object_id, name, write)
        case "loggedmodel":
            loggedmodel.restore_loggedmodel(_experiment_of(entry), object_id, name, write)
        case "iteration":
            iteration.restore_iteration(_experiment_of(entry), object_id, name, write)
        case "resource":
            resource.restore_resource(_experiment_of(entry), object_id, name, write)


def _experiment_of(entry: Entry) -> Experiment:
    found = experiment.find_experiment(entry.project_id, str(entry.experiment_id))
    if found is None:
        raise NotFound
    return found


def _resume_heartbeat(entry: Entry) -> None:
    """Give the writer of a restored iteration its time, or the liveness sweep would end the iteration at once."""
    if entry.target_kind == "iteration":
        found = iteration.find_iteration(str(entry.experiment_id), entry.target_id)
        if found is not None and found.end_date is None:
            record_heartbeat(found)


def _read(actor: Actor, target: Target) -> Restored:
    """The object with its long labels, as readers see it. The caller need not be allowed to read it."""
    match target.kind:
        case "project":
            above = access.project(actor, target.id, Need.DELETE)
            return labels_of.complete(above.project, apart=above.labels_apart)
        case "experiment":
            middle = access.experiment(actor, target.id, Need.DELETE)
            return labels_of.complete(middle.experiment, apart=middle.labels_apart)
        case "iteration":
            line = access.iteration(actor, target.id, Need.DELETE)
            whole = labels_of.complete(line.iteration, apart=line.labels_apart)
            return iteration.without_hidden_parents([whole])[0]
        case "loggedmodel":
            logged = access.loggedmodel(actor, target.id, Need.DELETE)
            return labels_of.complete(logged.loggedmodel, apart=logged.labels_apart)
        case "model":
            owner = access.model(actor, target.id, Need.DELETE)
            return labels_of.complete(owner.model, apart=owner.labels_apart)
    return access.resource(actor, target.id, Need.DELETE).resource


def _shape(entry: Entry) -> Trashed:
    return Trashed(
        id=entry.target_id,
        kind=entry.target_kind,
        name=entry.name,
        deleted_by=entry.deleted_by,
        deleted_date=entry.deleted_date,
        purge_date=entry.purge_date,
    )
