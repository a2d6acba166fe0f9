"""Resources: a row in the experiment's partition, a REF by id, a share in a blob of the project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.storage import blob, deletion, iteration, upload
from chalicelib.storage import experiment as experiments
from chalicelib.storage.blob import Blob
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.table import conditional, idkey, item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Resource

PENDING = "pending"
READY = "ready"


class ResourceRow(Item, discriminator="resource"):
    id = UnicodeAttribute()
    experiment_id = UnicodeAttribute()
    iteration_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    updated_date = UTCDateTimeAttribute(null=True)
    backend = UnicodeAttribute()
    uri = UnicodeAttribute()
    size_bytes = NumberAttribute()
    content_hash = UnicodeAttribute()
    content_type = UnicodeAttribute()
    state = UnicodeAttribute()
    id_key = UnicodeAttribute(null=True)


ALIVE = ResourceRow.pk.exists() & ResourceRow.deleting.does_not_exist()


def create_resource(experiment: Experiment, resource: Resource, id_key: str | None, seen: Blob | None) -> None:
    """Create a resource. NotFound without its experiment or iteration, Overtaken if the creation key is taken.

    InvalidPayload if the experiment is not IN_PROGRESS.
    """
    write = Transaction()
    experiments.check_open(experiment, write)
    if resource.iteration_id is not None:
        iteration.check_alive(experiment.id, resource.iteration_id, write)
    write.put(_row(resource, id_key), Conflict)
    if id_key is not None:
        idkey.claim_id_key(keys.resource_id_key(experiment.id, id_key), resource.id, write, Overtaken)
    ref = Ref(*keys.resource_ref(resource.id), project_id=experiment.project_id, experiment_id=experiment.id)
    write.put(ref, Conflict)
    blob.add_owner(experiment.project_id, blob.of_resource(resource), seen=seen, write=write)
    if resource.state == PENDING:
        upload.expect_bytes(experiment.project_id, resource, write)
    write.commit()


def find_resource(experiment_id: str, resource_id: str) -> Resource | None:
    row = item.find(ResourceRow, keys.resource(experiment_id, resource_id))
    return shape(row) if row else None


def find_resource_by_id_key(experiment_id: str, id_key: str) -> Resource | None:
    resource_id = idkey.find_id_key(keys.resource_id_key(experiment_id, id_key))
    return None if resource_id is None else find_resource(experiment_id, resource_id)


def list_resources_of_experiment(
    experiment_id: str, limit: int, cursor: str | None, iteration_id: str | None
) -> Page[Resource]:
    condition = None if iteration_id is None else ResourceRow.iteration_id == iteration_id
    partition = keys.experiment_partition(experiment_id)
    rows = item.page(ResourceRow, partition, keys.RESOURCE, limit=limit, cursor=cursor, condition=condition)
    return Page([shape(row) for row in rows.data], rows.next_cursor)


def each_resource_of_experiment(experiment_id: str) -> Iterator[Resource]:
    rows = item.query(ResourceRow, keys.experiment_partition(experiment_id), keys.RESOURCE)
    return (shape(row) for row in rows)


def find_resources_by_id_prefix(experiment_id: str, prefix: str) -> list[Resource]:
    """Every resource of the experiment whose id starts with `prefix`."""
    rows = item.query(ResourceRow, keys.experiment_partition(experiment_id), f"{keys.RESOURCE}{prefix}")
    return [shape(row) for row in rows]


def each_resource_of_iteration(experiment_id: str, iteration_id: str) -> Iterator[Resource]:
    mine = ResourceRow.iteration_id == iteration_id
    rows = item.query(ResourceRow, keys.experiment_partition(experiment_id), keys.RESOURCE, condition=mine)
    return (shape(row) for row in rows)


def update_resource(before: Resource, after: Resource) -> Resource:
    """Write name and description, if they differ, and updated_date. Return the resource as stored."""
    row = _row(after, None)
    return _update(after, item.changes(row, before, after, ("name", "description")))


def mark_ready(resource: Resource) -> None:
    """Write only state and updated_date: another request may be changing the other fields."""
    _update(resource, [ResourceRow.state.set(READY)])


def move_resource(project_id: str, resource: Resource, moved: Blob, uri: str) -> None:
    """Write the new location of the bytes. NotFound without the resource, or if the move has ended."""
    write = Transaction()
    row = ResourceRow(*keys.resource(resource.experiment_id, resource.id))
    write.update(row, [ResourceRow.backend.set(moved.backend), ResourceRow.uri.set(uri)], ALIVE, NotFound)
    blob.check_moved(project_id, moved, write)
    write.commit()


def delete_resource(
    project_id: str, resource: Resource, *, late: datetime | None = None, only_pending: bool = False
) -> None:
    """Delete row, REF and share in one transaction, and record that the bytes may have to be removed.

    NotFound for a second request; with `only_pending` also for a resource that is ready. Until the time `late`, clients
    may still upload its bytes by earlier URLs.
    """
    write = Transaction()
    key = keys.resource(resource.experiment_id, resource.id)
    id_key = item.get(ResourceRow, key).id_key
    if id_key is not None:
        idkey.release_id_key(keys.resource_id_key(resource.experiment_id, id_key), write)
    same = ResourceRow.state == PENDING if only_pending else ResourceRow.pk.exists()
    write.delete(ResourceRow(*key), same, NotFound)
    write.delete(Ref(*keys.resource_ref(resource.id)), None, NotFound)
    blob.remove_owner(project_id, resource.content_hash, write)
    deletion.record_deletion(blob_deletion(project_id, resource), write, Conflict)
    if late is not None:
        upload.expect_late_bytes(project_id, resource, late, write)
    write.commit()


def remove_records(project_id: str, resource: Resource, *, bytes_are_gone: bool) -> None:
    """Remove the records of work that a deleted resource left and that is done."""
    done = [deletion.record(blob_deletion(project_id, resource))] if bytes_are_gone else []
    if resource.state == PENDING:
        done.append(upload.pending(resource))
    item.delete_items(done)


def blob_deletion(project_id: str, resource: Resource) -> Deletion:
    """The work that a deleted resource leaves: to remove its bytes if they have no other owner."""
    return Deletion(kind="blob", id=f"{resource.content_hash}.{resource.id}", project_id=project_id)


def shape(row: ResourceRow) -> Resource:
    return shape_of(row, Resource)


def _update(resource: Resource, actions: list[Action]) -> Resource:
    """Update the row, and return the resource as stored."""
    if resource.updated_date is not None:
        actions.append(ResourceRow.updated_date.set(resource.updated_date))
    row = ResourceRow(*keys.resource(resource.experiment_id, resource.id))
    with conditional.otherwise(NotFound):
        row.update(actions, ALIVE)
    return shape(row)


def _row(resource: Resource, id_key: str | None) -> ResourceRow:
    return row_of(ResourceRow, keys.resource(resource.experiment_id, resource.id), resource, id_key=id_key)
