"""Models: a row in the project's partition, a REF that finds it by id, a sentinel that makes its name unique.

The row also holds what is true of all versions together: the last number given, and which of them is in PRODUCTION.
"""

from __future__ import annotations

from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Model


class ModelRow(Item, discriminator="model"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_date = UTCDateTimeAttribute()
    updated_date = UTCDateTimeAttribute(null=True)
    # Never goes down: the number of a deleted version is not given again.
    last_version = NumberAttribute()
    # The only truth about PRODUCTION: one attribute cannot name two versions.
    production = NumberAttribute(null=True)
    # Counted, so that a reader can tell a promotion that came after it read this row.
    promotions = NumberAttribute()


class ModelNameRow(Item, discriminator="model-name"):
    model_id = UnicodeAttribute()


ALIVE = ModelRow.pk.exists() & ModelRow.deleting.does_not_exist()


class Overtaken(Conflict):
    """Somebody else changed the row since it was read: read it again."""


class Registry(NamedTuple):
    """What a model knows of its versions: the last number given, which is in PRODUCTION, how many promotions so far."""

    last_version: int
    production: int | None
    promotions: int


def create_model(model: Model) -> None:
    """NotFound when the project is gone, Conflict when it has a model of this name."""
    write = Transaction()
    project.check_alive(model.project_id, write)
    write.put(_row(model), Conflict)
    write.put(Ref(*keys.model_ref(model.id), project_id=model.project_id), Conflict)
    _claim_name(model, write)
    write.commit()


def list_models_of_project(project_id: str, limit: int, cursor: str | None) -> Page[Model]:
    rows = item.page(ModelRow, keys.project_partition(project_id), keys.MODEL, limit=limit, cursor=cursor)
    return Page([shape(row) for row in rows.data], rows.next_cursor)


def find_model_by_name(project_id: str, name: str) -> Model | None:
    claim = item.find(ModelNameRow, keys.model_name(project_id, name))
    row = claim and item.find(ModelRow, keys.model(project_id, claim.model_id))
    # Between the two reads it may have been renamed.
    return shape(row) if row and not row.deleting and row.name == name else None


def update_model(before: Model, after: Model) -> None:
    """Write what differs. Overtaken when the name is not that of `before` any more."""
    write = Transaction()
    row = _row(after)
    actions = item.changes(row, before, after, ("name", "description", "updated_date"))
    if after.name != before.name:
        write.delete(_name_row(before), None, Conflict)
        _claim_name(after, write)
    write.update(row, actions, ALIVE & (ModelRow.name == before.name), Overtaken)
    write.commit()


def hide_model(model: Model, write: Transaction) -> None:
    """Add to a transaction what takes the model away from readers and frees its name. Overtaken when it was renamed."""
    write.delete(_name_row(model), None, Conflict)
    unchanged = ALIVE & (ModelRow.name == model.name)
    write.update(place(model), [ModelRow.deleting.set(True)], unchanged, Overtaken)


def hide_model_of_project(project_id: str, model_id: str, write: Transaction) -> None:
    """For a project that is going, which takes all names with it."""
    write.update(ModelRow(*keys.model(project_id, model_id)), [ModelRow.deleting.set(True)], ALIVE, NotFound)


def place(model: Model) -> ModelRow:
    """The row to be updated: its key only."""
    return ModelRow(*keys.model(model.project_id, model.id))


def same_production(seen: Registry) -> Condition:
    """Holds while no version has come into PRODUCTION, or out of it."""
    number = seen.production
    same: Condition = ModelRow.production.does_not_exist() if number is None else ModelRow.production == number
    same &= ALIVE & (ModelRow.promotions == seen.promotions)
    return same


def not_in_production(number: int) -> Condition:
    other: Condition = ModelRow.production.does_not_exist() | (ModelRow.production != number)
    other &= ALIVE
    return other


def shape(row: ModelRow) -> Model:
    return Model(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        description=row.description,
        created_date=row.created_date,
        updated_date=row.updated_date,
    )


def registry(row: ModelRow) -> Registry:
    production = None if row.production is None else int(row.production)
    return Registry(int(row.last_version), production, int(row.promotions))


def _claim_name(model: Model, write: Transaction) -> None:
    row = _name_row(model)
    row.model_id = model.id
    # Its own claim is no other model's: the same new name twice at once is one of them overtaken, not refused.
    free = ModelNameRow.pk.does_not_exist() | (ModelNameRow.model_id == model.id)
    write.put(row, lambda: Conflict("The project has a model of this name already", field="name", kind="model"), free)


def _name_row(model: Model) -> ModelNameRow:
    return ModelNameRow(*keys.model_name(model.project_id, model.name))


def _row(model: Model) -> ModelRow:
    return ModelRow(
        *keys.model(model.project_id, model.id),
        id=model.id,
        project_id=model.project_id,
        name=model.name,
        description=model.description,
        created_date=model.created_date,
        updated_date=model.updated_date,
        last_version=0,
        promotions=0,
    )
