"""Resources: a row in the experiment's partition, a REF by id, a share in a blob of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.storage import blob, deletion, file, iteration, trash, upload
from chalicelib.storage import event as events
from chalicelib.storage import experiment as experiments
from chalicelib.storage.blob import Blob
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.event import Event
from chalicelib.storage.table import conditional, idkey, item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Resource

PENDING = "pending"
READY = "ready"
# A transaction has at most 100 items: one is the experiment, each resource has up to seven with its iteration.
MOST_TOGETHER = 14


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


class ResourceLinkRow(Item, discriminator="resource-link"):
    """In the partition of the resource's iteration, which leads to it."""


ALIVE = ResourceRow.pk.exists() & ResourceRow.deleting.does_not_exist()
HIDDEN = ResourceRow.deleting == True  # noqa: E712


class New(NamedTuple):
    """A resource to create, its creation key, and the blob of its bytes as it was read."""

    resource: Resource
    id_key: str | None
    seen: Blob | None


def create_resource(experiment: Experiment, resource: Resource, id_key: str | None, seen: Blob | None) -> None:
    """Like `create_resources`, for one."""
    create_resources(experiment, [New(resource, id_key, seen)])


def create_resources(experiment: Experiment, wanted: Sequence[New]) -> None:
    """Create all in one transaction, or none. NotFound without the experiment or an iteration.

    Overtaken if a creation key is taken. InvalidPayload if the experiment is not IN_PROGRESS. Their bytes and creation
    keys must differ, and they are at most `MOST_TOGETHER`.
    """
    write = Transaction()
    experiments.check_open(experiment, write)
    for iteration_id in dict.fromkeys(new.resource.iteration_id for new in wanted):
        if iteration_id is not None:
            iteration.check_alive(experiment.id, iteration_id, write)
    for new in wanted:
        _add_creation(experiment, new, write)
    write.commit()


def _add_creation(experiment: Experiment, new: New, write: Transaction) -> None:
    resource = new.resource
    if resource.iteration_id is not None:
        write.put(ResourceLinkRow(*keys.resource_link(resource.iteration_id, resource.id)), Conflict)
    write.put(_row(resource, new.id_key), Conflict)
    if new.id_key is not None:
        idkey.claim_id_key(keys.resource_id_key(experiment.id, new.id_key), resource.id, write, Overtaken)
    ref = Ref(*keys.resource_ref(resource.id), project_id=experiment.project_id, experiment_id=experiment.id)
    write.put(ref, Conflict)
    blob.add_owner(experiment.project_id, blob.of_resource(resource), seen=new.seen, write=write)
    if resource.state == PENDING:
        upload.expect_bytes(experiment.project_id, resource, write)
    else:
        file.put_file(resource, write)


def find_resource(experiment_id: str, resource_id: str) -> Resource | None:
    row = item.find(ResourceRow, keys.resource(experiment_id, resource_id))
    return None if row is None or row.deleting else shape(row)


def find_visible(experiment: Experiment, resource_ids: Iterable[str]) -> list[Resource]:
    """Those of these resources that are in the experiment and not in the trash, nor is their iteration."""
    found = item.get_many(keys.resource(experiment.id, each) for each in resource_ids)
    return _visible(experiment, [shape(row) for row in found.values() if isinstance(row, ResourceRow)])


def find_even_hidden(experiment_id: str, resource_id: str) -> Resource | None:
    """The resource, also one in the trash."""
    row = item.find(ResourceRow, keys.resource(experiment_id, resource_id))
    return None if row is None else shape(row)


def find_resource_by_id_key(experiment_id: str, id_key: str) -> Resource | None:
    resource_id = idkey.find_id_key(keys.resource_id_key(experiment_id, id_key))
    return None if resource_id is None else find_resource(experiment_id, resource_id)


def taken_id_keys(experiment_id: str, id_keys: Iterable[str]) -> set[str]:
    """Those of these creation keys that a resource of the experiment has, or had."""
    rows = {keys.resource_id_key(experiment_id, each): each for each in id_keys}
    return {rows[key] for key in item.get_many(rows)}


def list_resources_of_experiment(experiment: Experiment, limit: int, cursor: str | None) -> Page[Resource]:
    """The resources, without those of iterations in the trash: a page may be short."""
    partition = keys.experiment_partition(experiment.id)
    rows = item.page(ResourceRow, partition, keys.RESOURCE, limit=limit, cursor=cursor)
    return Page(_visible(experiment, map(shape, rows.data)), rows.next_cursor)


def list_resources_of_iteration(
    experiment: Experiment, iteration_id: str, limit: int, cursor: str | None
) -> Page[Resource]:
    """The resources of one iteration, if it is not in the trash: a page may be short.

    The resources of an iteration of an older server are found among those of the experiment.
    """
    if not _has_links(experiment.id, iteration_id):
        partition, mine = keys.experiment_partition(experiment.id), ResourceRow.iteration_id == iteration_id
        rows = item.page(ResourceRow, partition, keys.RESOURCE, limit=limit, cursor=cursor, condition=mine)
        return Page(_visible(experiment, map(shape, rows.data)), rows.next_cursor)
    partition = keys.iteration_partition(iteration_id)
    links = item.page(ResourceLinkRow, partition, keys.RESOURCE, limit=limit, cursor=cursor)
    linked = [keys.resource(experiment.id, keys.resource_of_link(link.sk)) for link in links.data]
    found = item.get_many(linked)
    there = [row for key in linked if isinstance(row := found.get(key), ResourceRow)]
    return Page(_visible(experiment, map(shape, there)), links.next_cursor)


def _has_links(experiment_id: str, iteration_id: str) -> bool:
    """True if the partition of the iteration leads to all its resources."""
    ref = item.find(Ref, keys.iteration_ref(iteration_id))
    return ref is not None and ref.experiment_id == experiment_id and bool(ref.links_resources)


def _visible(experiment: Experiment, resources: Iterable[Resource]) -> list[Resource]:
    found = list(resources)
    if not any(each.iteration_id for each in found):
        return found
    deleted = trash.deleted_iteration_ids(experiment.project_id, experiment.id)
    return [each for each in found if each.iteration_id not in deleted]


def each_resource_of_experiment(experiment_id: str) -> Iterator[Resource]:
    """The resources of the experiment, also those in the trash."""
    rows = item.query_even_hidden(ResourceRow, keys.experiment_partition(experiment_id), keys.RESOURCE)
    return (shape(row) for row in rows)


def find_resources_by_id_prefix(experiment: Experiment, prefix: str) -> list[Resource]:
    """Every visible resource of the experiment whose id starts with `prefix`."""
    rows = item.query(ResourceRow, keys.experiment_partition(experiment.id), f"{keys.RESOURCE}{prefix}")
    return _visible(experiment, map(shape, rows))


def each_resource_of_iteration(experiment_id: str, iteration_id: str) -> Iterator[Resource]:
    """The resources of the iteration, also those in the trash."""
    if _has_links(experiment_id, iteration_id):
        found = item.each_id(keys.iteration_partition(iteration_id), keys.RESOURCE)
        resources = (find_even_hidden(experiment_id, each) for each in found)
        return (each for each in resources if each is not None)
    mine = ResourceRow.iteration_id == iteration_id
    partition = keys.experiment_partition(experiment_id)
    rows = item.query_even_hidden(ResourceRow, partition, keys.RESOURCE, condition=mine)
    return (shape(row) for row in rows)


def each_resource_of_loggedmodel(experiment_id: str, loggedmodel_id: str) -> Iterator[Resource]:
    """The files of a logged model, also those in the trash: resources without an iteration, below its folder."""
    mine = ResourceRow.iteration_id.does_not_exist() & ResourceRow.name.startswith(f"models/{loggedmodel_id}/")
    partition = keys.experiment_partition(experiment_id)
    return map(shape, item.query_even_hidden(ResourceRow, partition, keys.RESOURCE, condition=mine))


def update_resource(before: Resource, after: Resource) -> Resource:
    """Write name and description, if they differ, and updated_date. Return the resource as stored.

    Overtaken if the name differs, and another request changed name or state since `before` was read.
    """
    actions = item.changes(_row(after, None), before, after, ("name", "description"))
    if before.name == after.name:
        return _update(after, actions)
    write = Transaction()
    if before.state == READY:
        file.remove_file(before, write)
        file.put_file(after, write)
    _add_update(after, actions, _same(before), write)
    write.commit()
    return after


def mark_ready(resource: Resource) -> Resource:
    """Write state and updated_date, and make the resource a file. Return the resource as stored.

    Overtaken if another request changed its name meanwhile.
    """
    row = item.get(ResourceRow, keys.resource(resource.experiment_id, resource.id))
    before = shape(row)
    if before.state == READY:
        return before
    write = Transaction()
    after = _add_ready(before, resource.updated_date, write)
    write.commit()
    return after


def mark_ready_with_blobs(project_id: str, checked: Sequence[tuple[Resource, Blob]], now: datetime) -> list[Resource]:
    """Mark pending resources and their blobs ready, at most `MOST_TOGETHER`, all in one transaction or none.

    NotFound without a blob, as for `blob.mark_ready`; Overtaken if another request changed a resource meanwhile.
    """
    write = Transaction()
    done = []
    for resource, its_blob in checked:
        blob.add_ready(project_id, its_blob, resource.size_bytes, write)
        done.append(_add_ready(resource, now, write))
    write.commit()
    return done


def _add_ready(before: Resource, now: datetime | None, write: Transaction) -> Resource:
    after = replace(before, state=READY, updated_date=now)
    file.put_file(after, write)
    _add_update(after, [ResourceRow.state.set(READY)], _same(before), write)
    return after


def _same(before: Resource) -> Condition:
    same: Condition = ALIVE & _named(before) & (ResourceRow.state == before.state)
    return same


def _named(resource: Resource | ResourceRow) -> Condition:
    """Condition: the resource still has this name, which is part of the key of its row among the files."""
    same: Condition = ResourceRow.name == resource.name
    return same


def _add_update(after: Resource, actions: list[Action], condition: Condition, write: Transaction) -> None:
    if after.updated_date is not None:
        actions.append(ResourceRow.updated_date.set(after.updated_date))
    row = ResourceRow(*keys.resource(after.experiment_id, after.id))
    write.update(row, actions, condition, Overtaken)


def move_resource(project_id: str, resource: Resource, moved: Blob, uri: str) -> None:
    """Write the new location of the bytes. NotFound without the resource, or if the move has ended."""
    write = Transaction()
    row = ResourceRow(*keys.resource(resource.experiment_id, resource.id))
    # Also of one in the trash, which may be restored.
    there = ResourceRow.pk.exists()
    write.update(row, [ResourceRow.backend.set(moved.backend), ResourceRow.uri.set(uri)], there, NotFound)
    blob.check_moved(project_id, moved, write)
    write.commit()


def hide_resource(experiment: Experiment, resource: Resource, write: Transaction) -> None:
    """Hide the resource from readers and free its creation key, in a transaction. Its share in the blob stays.

    NotFound if it, its iteration or its experiment is deleted; Overtaken if another request changes it.
    """
    experiments.check_alive(experiment, write)
    if resource.iteration_id is not None:
        iteration.check_alive(experiment.id, resource.iteration_id, write)
    row = item.get(ResourceRow, keys.resource(experiment.id, resource.id))
    if row.id_key is not None:
        idkey.release_id_key(keys.resource_id_key(experiment.id, row.id_key), write)
    file.remove_file(shape(row), write)
    write.update(ResourceRow(*row.key), [ResourceRow.deleting.set(True)], _same(shape(row)), Overtaken)


def restore_resource(experiment: Experiment, resource_id: str, name: str | None, write: Transaction) -> None:
    """Show a hidden resource again, in a transaction, under this name if one is given.

    NotFound without it, its iteration or its experiment. It keeps its creation key unless another one has it now.
    """
    row = item.find(ResourceRow, keys.resource(experiment.id, resource_id))
    if row is None or not row.deleting:
        raise NotFound
    experiments.check_alive(experiment, write)
    if row.iteration_id is not None:
        iteration.check_alive(experiment.id, row.iteration_id, write)
    actions: list[Action] = [ResourceRow.deleting.remove(), ResourceRow.name.set(name or row.name)]
    id_key = row.id_key and keys.resource_id_key(experiment.id, row.id_key)
    if id_key and not idkey.reclaim_id_key(id_key, resource_id, write):
        actions.append(ResourceRow.id_key.remove())
    if row.state == READY:
        file.put_file(replace(shape(row), name=name or row.name), write)
    write.update(ResourceRow(*row.key), actions, HIDDEN, Overtaken)


def delete_resource(
    project_id: str,
    resource: Resource,
    *,
    late: datetime | None = None,
    only_pending: bool = False,
    only_hidden: bool = False,
    event: Event | None = None,
) -> None:
    """Delete row, REF, share and its entry in the trash in one transaction; record that bytes may have to be removed.

    NotFound for a second request, with `only_pending` for a resource that is ready, and with `only_hidden` for one that
    is not in the trash. Overtaken if another request hid or restored it concurrently. Until the time `late`, clients
    may still upload its bytes by earlier URLs.
    """
    write = Transaction()
    key = keys.resource(resource.experiment_id, resource.id)
    row = item.find(ResourceRow, key)
    if row is None or (only_pending and row.state != PENDING) or (only_hidden and not row.deleting):
        raise NotFound
    _free(project_id, row, write)
    same = (HIDDEN if row.deleting else ALIVE) & (ResourceRow.state == row.state) & _named(row)
    file.remove_file(shape(row), write)
    write.delete(ResourceRow(*key), same, Overtaken)
    write.delete(Ref(*keys.resource_ref(resource.id)), None, NotFound)
    if resource.iteration_id is not None:
        # Unconditional: a resource of an older server has no link.
        write.delete(ResourceLinkRow(*keys.resource_link(resource.iteration_id, resource.id)), None, NotFound)
    blob.remove_owner(project_id, blob.id_of(resource), write)
    deletion.record_deletion(blob_deletion(project_id, resource), write, Conflict)
    events.post(event, write)
    if late is not None:
        upload.expect_late_bytes(project_id, resource, late, write)
    write.commit()


def _free(project_id: str, row: ResourceRow, write: Transaction) -> None:
    """Free the creation key of a resource; one in the trash has freed it before, and gives up its entry there."""
    if row.deleting:
        entry = trash.find_entry("resource", row.id, project_id, row.experiment_id)
        if entry is not None:
            trash.take_entry(entry, write)
    elif row.id_key is not None:
        idkey.release_id_key(keys.resource_id_key(row.experiment_id, row.id_key), write)


def remove_records(project_id: str, resource: Resource, *, bytes_are_gone: bool) -> None:
    """Remove the records of work that a deleted resource left and that is done."""
    done = [deletion.record(blob_deletion(project_id, resource))] if bytes_are_gone else []
    if resource.state == PENDING:
        done.append(upload.pending(resource))
    item.delete_items(done)


def blob_deletion(project_id: str, resource: Resource) -> Deletion:
    """The work that a deleted resource leaves: to remove its bytes if they have no other owner."""
    return Deletion(kind="blob", id=f"{blob.id_of(resource)}.{resource.id}", project_id=project_id)


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
