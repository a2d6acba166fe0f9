"""Versions of a model: rows in the model's partition, in the order of their numbers.

Only the model's row names the version in PRODUCTION, so that no read can find two. A version's own row has its other
stage and, once promoted, the number of its last promotion: the write that promotes another version archives it. Readers
read the model before its versions, and ignore promotions in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.errors import InvalidPayload, NotFound, Overtaken
from chalicelib.paging import Page, page_by_id
from chalicelib.storage import event as events
from chalicelib.storage import experiment, iteration, label, model, resource
from chalicelib.storage.event import Event
from chalicelib.storage.experiment import ExperimentRow
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.label import Labelled, Texts
from chalicelib.storage.model import ModelRow, Registry
from chalicelib.storage.resource import ResourceRow
from chalicelib.storage.table import idkey, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Iteration, Model, ModelVersion, Resource, Stage


class ModelVersionRow(Labelled, discriminator="model-version"):
    id = UnicodeAttribute()
    model_id = UnicodeAttribute()
    version = NumberAttribute()
    # Absent if MLflow registered a version of a run that is no iteration of this project.
    iteration_id = UnicodeAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    run_link = UnicodeAttribute(null=True)
    loggedmodel_id = UnicodeAttribute(null=True)
    resource_id = UnicodeAttribute(null=True)
    # The stage before its promotion, if it was promoted; see `stage_of`.
    stage_id = NumberAttribute()
    promotion = NumberAttribute(null=True)
    description = UnicodeAttribute()
    source = UnicodeAttribute(null=True)
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    updated_date = UTCDateTimeAttribute(null=True)
    id_key = UnicodeAttribute(null=True)
    labels = Texts(null=True)
    labels_hash = UnicodeAttribute(null=True)


class VersionLinkRow(Item, discriminator="version-link"):
    """Leads from an iteration to a version that came from it."""

    version_id = UnicodeAttribute()


EXISTS = ModelVersionRow.pk.exists()


def new_version_id(model_id: str, number: int) -> str:
    return f"{model_id}.{number:09}"


def create_version(
    owner: Model, version: ModelVersion, iteration: Iteration | None, resource: Resource | None, id_key: str | None
) -> None:
    """Create a version, and date the model's change. InvalidPayload without its iteration or resource.

    Overtaken if its number is not the next any more, or if the creation key is taken.
    """
    write = Transaction()
    _check_origin(owner.project_id, iteration, resource, write)
    next_one = model.ALIVE & (ModelRow.last_version == version.version - 1)
    numbered = [ModelRow.last_version.set(version.version), model.dated()]
    write.update(model.key_row(owner), numbered, next_one, Overtaken)
    write.put(_row(version, id_key), Overtaken)
    label.put_long(version, write)
    for link in _links(version):
        write.replace(link)
    if id_key is not None:
        idkey.claim_id_key(keys.id_key(keys.model_partition(owner.id), id_key), version.id, write, Overtaken)
    write.commit()


def get_version(owner: Model, registry: Registry, version_id: str) -> ModelVersion:
    row = item.get(ModelVersionRow, _key(owner, version_id))
    if row.id != version_id:
        raise NotFound
    return whole(row, registry)


def find_version(owner: Model, registry: Registry, number: int) -> ModelVersion | None:
    row = item.find(ModelVersionRow, _key(owner, new_version_id(owner.id, number)))
    return None if row is None else whole(row, registry)


def find_version_by_id_key(owner: Model, registry: Registry, id_key: str) -> ModelVersion | None:
    version_id = idkey.find_id_key(keys.id_key(keys.model_partition(owner.id), id_key))
    row = None if version_id is None else item.find(ModelVersionRow, _key(owner, version_id))
    return None if row is None else whole(row, registry)


def list_versions_of_model(
    owner: Model, registry: Registry, limit: int, cursor: str | None, stage: Stage | None
) -> Page[ModelVersion]:
    partition = keys.model_partition(owner.id)
    if stage is Stage.PRODUCTION:
        return page_by_id(_in_production(owner, registry), partition, limit, cursor)
    condition = None if stage is None else _has_stage(stage, registry)
    rows = item.page(ModelVersionRow, partition, keys.VERSION, limit=limit, cursor=cursor, condition=condition)
    return Page(label.whole_each([_shape(row, registry) for row in rows.data], rows.data), rows.next_cursor)


def describe_version(owner: Model, before: ModelVersion, after: ModelVersion, attached: Resource | None) -> None:
    """Write description, labels and updated_date, and the resource that the version gets.

    Like the two functions below: InvalidPayload without that resource. Overtaken if the version has one already, or
    before other labels those stored are not as `before`.
    """
    if attached is not None:
        write = Transaction()
        _update(owner, before, after, attached, write)
        write.commit()
        return
    row = _row(after)
    label.save(row, _changes(row, before, after), EXISTS, Overtaken, before, after)


def promote_version(
    owner: Model,
    seen: Registry,
    before: ModelVersion,
    after: ModelVersion,
    attached: Resource | None,
    moved: Event | None = None,
) -> None:
    """Replace the version in PRODUCTION by this one. Overtaken if PRODUCTION has changed since `seen`."""
    write, promotion = Transaction(), seen.promotions + 1
    pointer: list[Action] = [ModelRow.production.set(after.version), ModelRow.promotions.set(promotion), model.dated()]
    write.update(model.key_row(owner), pointer, model.same_production(seen), Overtaken)
    if seen.production is not None:
        previous = _key_row(owner, new_version_id(owner.id, seen.production))
        dated: list[Action] = [ModelVersionRow.updated_date.set(_row(after).updated_date)]
        write.update(previous, dated, ModelVersionRow.pk.exists(), Overtaken)
    own = [ModelVersionRow.stage_id.set(int(before.stage_id)), ModelVersionRow.promotion.set(promotion)]
    _update(owner, before, after, attached, write, own)
    events.post(moved, write)
    write.commit()


def stage_version(
    owner: Model,
    seen: Registry,
    before: ModelVersion,
    after: ModelVersion,
    attached: Resource | None,
    moved: Event | None = None,
) -> None:
    """Write a stage other than PRODUCTION. Overtaken if the version entered or left PRODUCTION meanwhile."""
    write = Transaction()
    _leave_production(owner, seen, after, write)
    own = [ModelVersionRow.stage_id.set(int(after.stage_id)), ModelVersionRow.promotion.remove()]
    _update(owner, before, after, attached, write, own)
    events.post(moved, write)
    write.commit()


def name_version(owner: Model, seen: Registry, alias: str, version: ModelVersion, moved: Event | None = None) -> None:
    """Let an alias name this version and no other. Overtaken if the version or an alias has changed since `seen`."""
    write = Transaction()
    write.check(ModelVersionRow, _key(owner, version.id), ModelVersionRow.pk.exists(), Overtaken)
    actions = [model.set_aliases({**seen.aliases, alias: version.version})]
    write.update(model.key_row(owner), actions, model.same_aliases(seen), Overtaken)
    events.post(moved, write)
    write.commit()


def delete_alias(owner: Model, seen: Registry, alias: str, moved: Event | None = None) -> None:
    """Delete an alias. Overtaken if an alias of the model has changed since `seen`."""
    left = {name: number for name, number in seen.aliases.items() if name != alias}
    write = Transaction()
    write.update(model.key_row(owner), [model.set_aliases(left)], model.same_aliases(seen), Overtaken)
    events.post(moved, write)
    write.commit()


def delete_version(owner: Model, seen: Registry, version: ModelVersion, write: Transaction) -> None:
    """Delete a version and its aliases, in a transaction.

    Overtaken if it entered or left PRODUCTION meanwhile, or if its labels or an alias of the model have changed.
    """
    _leave_model(owner, seen, version, write)
    row = _key_row(owner, version.id)
    write.delete(row, label.same(row, version, EXISTS), Overtaken)
    label.delete_long(version, write)
    for link in _links(version):
        write.delete(link, None, NotFound)
    id_key = item.get(ModelVersionRow, _key(owner, version.id)).id_key
    if id_key is not None:
        idkey.release_id_key(keys.id_key(keys.model_partition(owner.id), id_key), write)


def remove_links(model_id: str) -> Iterator[None]:
    """Remove the rows that lead from iterations to the versions of a deleted model. Yield before each call."""
    rows = item.query(ModelVersionRow, keys.model_partition(model_id), keys.VERSION)
    return item.remove_items(keys.version_link(row.iteration_id, row.id) for row in rows if row.iteration_id)


def whole(row: ModelVersionRow, registry: Registry) -> ModelVersion:
    return label.whole(_shape(row, registry), row)


def whole_each(rows: Sequence[tuple[ModelVersionRow, Registry]]) -> list[ModelVersion]:
    return label.whole_each([_shape(row, registry) for row, registry in rows], [row for row, _ in rows])


def _shape(row: ModelVersionRow, registry: Registry) -> ModelVersion:
    """The shape, without long labels."""
    given = {"aliases": registry.aliases_of(int(row.version)), "source": row.source or "", "labels": row.labels or {}}
    return shape_of(row, ModelVersion, stage_id=stage_of(row, registry), **given)


def no_such_iteration() -> InvalidPayload:
    return InvalidPayload("There is no such iteration in the model's project", field="iteration_id")


def no_such_resource() -> InvalidPayload:
    return InvalidPayload("There is no such resource in the model's project", field="resource_id")


def _check_origin(project_id: str, origin: Iteration | None, artifact: Resource | None, write: Transaction) -> None:
    """Commit only while the iteration, the resource and their experiments exist."""
    if origin is not None:
        above = keys.experiment(project_id, origin.experiment_id)
        write.check(ExperimentRow, above, experiment.ALIVE, no_such_iteration)
        write.check(IterationRow, keys.iteration(origin.experiment_id, origin.id), iteration.ALIVE, no_such_iteration)
    if artifact is not None:
        _check_resource(project_id, artifact, write, checked=origin.experiment_id if origin else "")


def _check_resource(project_id: str, artifact: Resource, write: Transaction, *, checked: str = "") -> None:
    """Commit only while the resource and its experiment exist, except for an experiment that is checked already."""
    key = keys.resource(artifact.experiment_id, artifact.id)
    write.check(ResourceRow, key, resource.ALIVE, no_such_resource)
    # DynamoDB refuses a transaction with one item twice.
    if artifact.experiment_id != checked:
        above = keys.experiment(project_id, artifact.experiment_id)
        write.check(ExperimentRow, above, experiment.ALIVE, no_such_resource)


def _update(
    owner: Model,
    before: ModelVersion,
    after: ModelVersion,
    attached: Resource | None,
    write: Transaction,
    actions: Sequence[Action] = (),
) -> None:
    """Update the version's own row in a transaction; see `describe_version`."""
    row, condition = _row(after), EXISTS
    changes = [*actions, *_changes(row, before, after), *label.changes(row, before, after)]
    if attached is not None:
        _check_resource(owner.project_id, attached, write)
        condition = condition & ModelVersionRow.resource_id.does_not_exist()
    write.update(row, changes, label.unchanged(row, before, after, condition), Overtaken)
    label.move(before, after, write)


def _leave_production(owner: Model, seen: Registry, version: ModelVersion, write: Transaction) -> None:
    """Write on the model's row that a version got a stage other than PRODUCTION."""
    number, actions = version.version, [model.dated()]
    if seen.production == number:
        actions.append(ModelRow.production.remove())
        write.update(model.key_row(owner), actions, model.same_production(seen), Overtaken)
    else:
        write.update(model.key_row(owner), actions, model.not_in_production(number), Overtaken)


def _leave_model(owner: Model, seen: Registry, version: ModelVersion, write: Transaction) -> None:
    """Remove what the model's row says of this version."""
    left = {alias: number for alias, number in seen.aliases.items() if number != version.version}
    actions = [model.dated(), *([] if left == seen.aliases else [model.set_aliases(left)])]
    condition = model.same_aliases(seen)
    if seen.production == version.version:
        actions.append(ModelRow.production.remove())
        condition &= model.same_production(seen)
    else:
        condition &= model.not_in_production(version.version)
    write.update(model.key_row(owner), actions, condition, Overtaken)


def _changes(row: ModelVersionRow, before: ModelVersion, after: ModelVersion) -> list[Action]:
    return item.changes(row, before, after, ("description", "resource_id", "updated_date"))


def _in_production(owner: Model, registry: Registry) -> list[ModelVersion]:
    found = None if registry.production is None else find_version(owner, registry, registry.production)
    return [found] if found else []


def stage_of(row: ModelVersionRow, registry: Registry) -> Stage:
    if int(row.version) == registry.production:
        return Stage.PRODUCTION
    # A promotion after the read of the model does not count for this reader.
    archived = row.promotion is not None and int(row.promotion) <= registry.promotions
    return Stage.ARCHIVED if archived else Stage(int(row.stage_id))


def _has_stage(stage: Stage, registry: Registry) -> Condition:
    """Condition: the version has this stage, other than PRODUCTION, by the rules of `stage_of`."""
    promotion = ModelVersionRow.promotion
    own = promotion.does_not_exist() | (promotion > registry.promotions)
    same: Condition = own & (ModelVersionRow.stage_id == int(stage))
    if stage is Stage.ARCHIVED:
        same = same | (promotion <= registry.promotions)
    return same if registry.production is None else same & (ModelVersionRow.version != registry.production)


def _links(version: ModelVersion) -> list[VersionLinkRow]:
    """The row that leads from the iteration to the version, if the version has an iteration."""
    if version.iteration_id is None:
        return []
    return [VersionLinkRow(*keys.version_link(version.iteration_id, version.id), version_id=version.id)]


def _key_row(owner: Model, version_id: str) -> ModelVersionRow:
    """A row with only its key, to be updated or deleted."""
    return ModelVersionRow(*_key(owner, version_id))


def _key(owner: Model, version_id: str) -> Key:
    return keys.modelversion(owner.id, ids.split_id(version_id)[-1])


def _row(version: ModelVersion, id_key: str | None = None) -> ModelVersionRow:
    key = keys.modelversion(version.model_id, ids.split_id(version.id)[-1])
    given = {"id_key": id_key, "source": version.source or None, **label.attributes(version.labels)}
    return row_of(ModelVersionRow, key, version, **given)
