"""Models: a row in the project's partition, a REF by id, a sentinel that makes its name unique.

The row also has the facts about all versions: the last number, the version in PRODUCTION, and the aliases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.paging import Page, page_by_id
from chalicelib.storage import label, project
from chalicelib.storage.label import Labelled, Texts
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Model


class ModelRow(Labelled, discriminator="model"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    updated_date = UTCDateTimeAttribute(null=True)
    # Never decreases: the number of a deleted version is not reused.
    last_version = NumberAttribute()
    # The only record of PRODUCTION: one attribute cannot name two versions.
    production = NumberAttribute(null=True)
    # A counter, so that a reader recognises promotions after its read of this row.
    promotions = NumberAttribute()
    # The number of a version by alias, absent if there is none. The only record: an alias cannot name two versions.
    aliases = JSONAttribute(null=True)
    # Absent if an older server created the model: no rows then lead from iterations to its first versions.
    links_versions = BooleanAttribute(null=True)
    labels = Texts(null=True)
    labels_hash = UnicodeAttribute(null=True)


class ModelNameRow(Item, discriminator="model-name"):
    model_id = UnicodeAttribute()


ALIVE = ModelRow.pk.exists() & ModelRow.deleting.does_not_exist()
HIDDEN = ModelRow.deleting == True  # noqa: E712


class Registry(NamedTuple):
    """Facts about the versions of a model: last number, number in PRODUCTION, count of promotions, number by alias."""

    last_version: int
    production: int | None
    promotions: int
    aliases: Mapping[str, int]

    def aliases_of(self, number: int) -> tuple[str, ...]:
        return tuple(sorted(alias for alias, named in self.aliases.items() if named == number))


def create_model(model: Model) -> None:
    """Create a model. NotFound without its project, Conflict if the project has a model of this name."""
    write = Transaction()
    project.check_alive(model.project_id, write)
    row = _row(model)
    row.links_versions = True
    write.put(row, Conflict)
    label.put_long(model, write)
    write.put(Ref(*keys.model_ref(model.id), project_id=model.project_id), Conflict)
    _claim_name(model, write)
    write.commit()


def list_models_of_project(project_id: str, limit: int, cursor: str | None, name: str | None) -> Page[Model]:
    """The models of the project, or the one that has this name."""
    partition = keys.project_partition(project_id)
    if name is not None:
        named = find_model_by_name(project_id, name)
        return page_by_id([named] if named else [], partition, limit, cursor)
    rows = item.page(ModelRow, partition, keys.MODEL, limit=limit, cursor=cursor)
    return Page(label.whole_each([shape(row) for row in rows.data], rows.data), rows.next_cursor)


def list_all_models(project_id: str) -> list[Model]:
    rows = list(item.query(ModelRow, keys.project_partition(project_id), keys.MODEL))
    return label.whole_each([shape(row) for row in rows], rows)


def find_model_by_name(project_id: str, name: str) -> Model | None:
    claim = item.find(ModelNameRow, keys.model_name(project_id, name))
    row = claim and item.find(ModelRow, keys.model(project_id, claim.model_id))
    # Another request may have renamed it between the two reads.
    return label.whole(shape(row), row) if row and not row.deleting and row.name == name else None


def update_model(before: Model, after: Model) -> None:
    """Write the differences. Overtaken if the stored name, or before other labels those stored, are not as `before`."""
    write = Transaction()
    row = _row(after)
    actions = item.changes(row, before, after, ("name", "description", "updated_date"))
    if after.name != before.name:
        write.delete(_name_row(before), None, Conflict)
        _claim_name(after, write)
    unchanged = label.unchanged(row, before, after, ALIVE & (ModelRow.name == before.name))
    write.update(row, [*actions, *label.changes(row, before, after)], unchanged, Overtaken)
    label.move(before, after, write)
    write.commit()


def hide_model(model: Model, write: Transaction) -> None:
    """Hide the model from readers and free its name, in a transaction. Overtaken if it was renamed."""
    project.check_alive(model.project_id, write)
    write.delete(_name_row(model), None, Conflict)
    unchanged = ALIVE & (ModelRow.name == model.name)
    write.update(key_row(model), [ModelRow.deleting.set(True)], unchanged, Overtaken)


def restore_model(project_id: str, model_id: str, name: str | None, write: Transaction) -> None:
    """Show a hidden model again, in a transaction, under this name if one is given.

    NotFound without it or its project, Conflict if another model has the name.
    """
    row = item.find(ModelRow, keys.model(project_id, model_id))
    if row is None or not row.deleting:
        raise NotFound
    restored = replace(shape(row), name=name or row.name)
    project.check_alive(project_id, write)
    _claim_name(restored, write)
    actions: list[Action] = [ModelRow.deleting.remove(), ModelRow.name.set(restored.name)]
    write.update(ModelRow(*row.key), actions, HIDDEN, Overtaken)


def hide_model_of_project(project_id: str, model_id: str, write: Transaction) -> None:
    """Hide a model of a project that is being deleted; its name is removed with the project."""
    write.update(ModelRow(*keys.model(project_id, model_id)), [ModelRow.deleting.set(True)], ALIVE, NotFound)


def each_id(project_id: str) -> Iterator[str]:
    """The ids of the project's models, also of hidden ones."""
    return item.each_id(keys.project_partition(project_id), keys.MODEL)


def remove_model(project_id: str, model_id: str) -> Iterator[None]:
    """Remove the rows of the model, its own at last. Yield before each call."""
    ref = keys.model_ref(model_id)
    yield from item.remove_partition(ref.pk, keep=[ref])
    own = keys.model(project_id, model_id)
    item.delete_items([ref, keys.labels(own, model_id), own])


def key_row(model: Model) -> ModelRow:
    """A row with only its key, to be updated."""
    return ModelRow(*keys.model(model.project_id, model.id))


def same_production(seen: Registry) -> Condition:
    """Condition: no version has entered or left PRODUCTION since `seen`."""
    number = seen.production
    same: Condition = ModelRow.production.does_not_exist() if number is None else ModelRow.production == number
    same &= ALIVE & (ModelRow.promotions == seen.promotions)
    return same


def not_in_production(number: int) -> Condition:
    other: Condition = ModelRow.production.does_not_exist() | (ModelRow.production != number)
    other &= ALIVE
    return other


def same_aliases(seen: Registry) -> Condition:
    """Condition: the model exists, and its aliases are as in `seen`."""
    same: Condition = ModelRow.aliases == dict(seen.aliases) if seen.aliases else ModelRow.aliases.does_not_exist()
    same &= ALIVE
    return same


def set_aliases(aliases: Mapping[str, int]) -> Action:
    """Store these aliases in place of all others."""
    return ModelRow.aliases.set(dict(aliases)) if aliases else ModelRow.aliases.remove()


def dated() -> Action:
    """Store now as the time of the model's last change: of its own fields, or which versions and stages it has."""
    return ModelRow.updated_date.set(clock.now())


def shape(row: ModelRow) -> Model:
    """The shape, without long labels."""
    return shape_of(row, Model, aliases=row.aliases or {}, labels=row.labels or {})


def registry(row: ModelRow) -> Registry:
    production = None if row.production is None else int(row.production)
    return Registry(int(row.last_version), production, int(row.promotions), row.aliases or {})


def _claim_name(model: Model, write: Transaction) -> None:
    row = _name_row(model)
    row.model_id = model.id
    # Accept the model's own claim: of two identical concurrent renames, one is Overtaken, not refused.
    free = ModelNameRow.pk.does_not_exist() | (ModelNameRow.model_id == model.id)
    write.put(row, lambda: Conflict("The project has a model of this name already", field="name", kind="model"), free)


def _name_row(model: Model) -> ModelNameRow:
    return ModelNameRow(*keys.model_name(model.project_id, model.name))


def _row(model: Model) -> ModelRow:
    given = {"last_version": 0, "promotions": 0, "aliases": None, **label.attributes(model.labels)}
    return row_of(ModelRow, keys.model(model.project_id, model.id), model, **given)
