"""Inputs: a row beside the iteration that read something, and a USE beside the resource or version that was read.

One transaction writes or deletes both rows. A deletion of the iteration removes both. A deletion of the resource or
version removes its USE rows only: the input still says what the iteration has read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from pynamodb.attributes import UnicodeAttribute

from chalicelib import ids
from chalicelib.errors import Conflict, InvalidPayload, NotFound
from chalicelib.paging import Page, encode_cursor, page_by_id
from chalicelib.storage import iteration, model, modelversion, resource
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.label import Texts
from chalicelib.storage.model import ModelRow
from chalicelib.storage.modelversion import ModelVersionRow
from chalicelib.storage.resource import ResourceRow
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Input, Iteration, Model, Resource

# Inputs that one step of a removal reads: their USE rows fit one call, and so do the inputs.
_PER_STEP = 25


class InputRow(Item, discriminator="input"):
    id = UnicodeAttribute()
    iteration_id = UnicodeAttribute()
    input_kind = UnicodeAttribute()
    name = UnicodeAttribute()
    digest = UnicodeAttribute()
    source = UnicodeAttribute()
    source_type = UnicodeAttribute()
    context = UnicodeAttribute()
    resource_id = UnicodeAttribute(null=True)
    modelversion_id = UnicodeAttribute(null=True)
    description = UnicodeAttribute()
    labels = Texts()


class UseRow(Item, discriminator="use"):
    iteration_id = UnicodeAttribute()
    experiment_id = UnicodeAttribute()


def new_input_id(iteration_id: str, content_hash: str) -> str:
    return f"{iteration_id}.{ids.stamp()}.{content_hash}"


def create_input(where: Iteration, new: Input, read: Resource | Model | None, *, even_ended: bool = False) -> None:
    """Create an input. `read` is its resource, or the model of its version.

    Conflict if it exists; InvalidPayload if the iteration is locked, or `read` has just been deleted.
    """
    write = Transaction()
    iteration.check_writable(where, write, even_ended=even_ended)
    write.put(_row(where, new), Conflict)
    if read is not None:
        _check_exists(new, read, write)
        write.put(_use(where, new), Conflict)
    write.commit()


def find_input(where: Iteration, content_hash: str) -> Input | None:
    row = item.find(InputRow, keys.iteration_input(where.experiment_id, where.id, content_hash))
    return None if row is None or row.deleting else _shape(row)


def list_inputs(where: Iteration, limit: int, cursor: str | None) -> Page[Input]:
    """List in the order of creation. The rows are in the order of their hashes, but an iteration has few."""
    partition, prefix = keys.experiment_partition(where.experiment_id), keys.inputs_prefix(where.id)
    return page_by_id([_shape(row) for row in item.query(InputRow, partition, prefix)], prefix, limit, cursor)


def read_inputs_of_span(experiment_id: str, first_id: str, last_id: str) -> dict[str, list[Input]]:
    """The inputs of the iterations from one id to another, by iteration, each in the order of creation."""
    item.connection()
    first, last = keys.inputs_prefix(first_id), keys.inputs_prefix(last_id) + "~"
    partition = keys.experiment_partition(experiment_id)
    found: dict[str, list[Input]] = {}
    for row in InputRow.query(partition, InputRow.sk.between(first, last), consistent_read=True):
        if not row.deleting:
            found.setdefault(row.iteration_id, []).append(_shape(row))
    return {owner: sorted(inputs, key=lambda each: each.id) for owner, inputs in found.items()}


def delete_input(where: Iteration, found: Input) -> None:
    """Delete an input. NotFound without it; InvalidPayload if the iteration is locked."""
    write = Transaction()
    iteration.check_unlocked(where, write)
    write.delete(_row(where, found), InputRow.id == found.id, NotFound)
    if found.resource_id or found.modelversion_id:
        write.delete(_use(where, found), None, NotFound)
    write.commit()


def remove_inputs(experiment_id: str, iteration_id: str) -> Iterator[None]:
    """Remove the inputs of a hidden iteration, after their USE rows. Yield before each call."""
    partition, prefix = keys.experiment_partition(experiment_id), keys.inputs_prefix(iteration_id)
    rows = item.query(InputRow, partition, prefix)
    while step := list(islice(rows, _PER_STEP)):
        yield
        item.delete_items(_use_key(_shape(row)) for row in step if row.resource_id or row.modelversion_id)
        yield
        item.delete_items(row.key for row in step)


def list_uses_of_resource(project_id: str, resource_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    """List the iterations that have read the resource, oldest first."""
    return _list_uses(project_id, keys.resource_ref(resource_id).pk, keys.USE, limit, cursor)


def list_uses_of_version(project_id: str, version_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    """List the iterations that have read the model version, oldest first."""
    model_id, number = ids.split_id(version_id)
    return _list_uses(project_id, keys.model_partition(model_id), keys.version_uses_prefix(number), limit, cursor)


def remove_uses_of_resource(resource_id: str) -> Iterator[None]:
    """Remove the USE rows of a deleted resource. Yield before each call."""
    return item.remove_partition(keys.resource_ref(resource_id).pk, keys.USE)


def remove_uses_of_version(version_id: str) -> Iterator[None]:
    """Remove the USE rows of a deleted version. Yield before each call."""
    model_id, number = ids.split_id(version_id)
    return item.remove_partition(keys.model_partition(model_id), keys.version_uses_prefix(number))


def no_such_resource() -> InvalidPayload:
    return InvalidPayload("There is no such resource in the iteration's project", field="resource_id")


def no_such_version() -> InvalidPayload:
    return InvalidPayload("There is no such model version in the iteration's project", field="modelversion_id")


def _list_uses(project_id: str, partition: str, prefix: str, limit: int, cursor: str | None) -> Page[Iteration]:
    rows = item.page(UseRow, partition, prefix, limit=limit, cursor=cursor)
    # One iteration may have read it for several purposes: name the iteration once, also on the next page.
    used = {row.iteration_id: row.experiment_id for row in rows.data}
    last = keys.last_use(prefix, next(reversed(used))) if used else ""
    next_cursor = rows.next_cursor and encode_cursor(partition, last)
    return Page(_read_iterations(project_id, used), next_cursor)


def _read_iterations(project_id: str, experiment_of: Mapping[str, str]) -> list[Iteration]:
    """Read the iterations, without those that have been deleted, or whose experiment has been."""
    above = {experiment_id: keys.experiment(project_id, experiment_id) for experiment_id in experiment_of.values()}
    own = {iteration_id: keys.iteration(above_id, iteration_id) for iteration_id, above_id in experiment_of.items()}
    found = item.get_many([*above.values(), *own.values()])
    rows = (found.get(key) for iteration_id, key in own.items() if above[experiment_of[iteration_id]] in found)
    return iteration.whole_each([row for row in rows if isinstance(row, IterationRow)])


def _check_exists(new: Input, read: Resource | Model, write: Transaction) -> None:
    if isinstance(read, Resource):
        write.check(ResourceRow, keys.resource(read.experiment_id, read.id), resource.ALIVE, no_such_resource)
        return
    version = keys.modelversion(read.id, ids.split_id(str(new.modelversion_id))[-1])
    write.check(ModelVersionRow, version, modelversion.EXISTS, no_such_version)
    write.check(ModelRow, keys.model(read.project_id, read.id), model.ALIVE, no_such_version)


def _use(where: Iteration, used: Input) -> UseRow:
    return UseRow(*_use_key(used), iteration_id=where.id, experiment_id=where.experiment_id)


def _use_key(used: Input) -> Key:
    """The key of the USE of an input that has a resource or a version."""
    content_hash = ids.split_id(used.id)[-1]
    if used.resource_id is not None:
        return keys.resource_use(used.resource_id, used.iteration_id, content_hash)
    model_id, number = ids.split_id(str(used.modelversion_id))
    return keys.version_use(model_id, number, used.iteration_id, content_hash)


def _row(where: Iteration, new: Input) -> InputRow:
    key = keys.iteration_input(where.experiment_id, where.id, ids.split_id(new.id)[-1])
    return row_of(InputRow, key, new, input_kind=new.kind)


def _shape(row: InputRow) -> Input:
    return shape_of(row, Input, kind=row.input_kind)
