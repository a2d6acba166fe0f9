"""Tags on projects, experiments and iterations; a value is unique on its owner."""

from __future__ import annotations

from enum import Enum

from chalicelib.errors import Conflict
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import change, experiment, iteration, project
from chalicelib.storage import tag as storage
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.tag import Owner
from deardiary.wire.shapes import Experiment, Iteration, Project, Tag

# One transaction holds 100 items: one checks the owner, two note the change of an iteration.
_PER_TRANSACTION = 97


class Level(Enum):
    """The kind of a tag's owner, as the routes name it."""

    PROJECT = "projects"
    EXPERIMENT = "experiments"
    ITERATION = "iterations"


def add_tag(actor: Actor, level: Level, owner_id: str, value: str) -> tuple[Tag, bool]:
    """Add a tag; return it, and True if it is new."""
    owner = _owner(actor, level, owner_id, Need.CREATE)
    new = put_tags(owner, [value])
    return storage.find_tags(owner, [value])[value], new == 1


def list_tags(actor: Actor, level: Level, owner_id: str, limit: int, cursor: str | None) -> Page[Tag]:
    return storage.list_tags(_owner(actor, level, owner_id, Need.READ), limit, cursor)


def remove_tag(actor: Actor, level: Level, owner_id: str, tag_id: str) -> None:
    owner = _owner(actor, level, owner_id, Need.DELETE)
    write = Transaction()
    _check(owner, write)
    storage.remove_tag(owner, tag_id, write)
    write.commit()


def put_tags(owner: Owner, values: list[str]) -> int:
    """Add the missing tags; return their number."""
    missing = _missing(owner, values)
    starts = range(0, len(missing), _PER_TRANSACTION)
    return sum(_create(owner, missing[start : start + _PER_TRANSACTION]) for start in starts)


def drop_tags(owner: Owner, values: list[str]) -> None:
    """Remove those of these tags that the owner has; at most 97."""
    found = list(storage.find_tags(owner, values))
    if found:
        write = Transaction()
        _check(owner, write)
        storage.drop_tags(owner, found, write)
        write.commit()


def _create(owner: Owner, values: list[str]) -> int:
    write = Transaction()
    _check(owner, write)
    storage.add_tags(owner, values, write)
    try:
        write.commit()
    except Conflict:
        missing = _missing(owner, values)
        if len(missing) == len(values):
            raise
        return _create(owner, missing) if missing else 0
    return len(values)


def _missing(owner: Owner, values: list[str]) -> list[str]:
    found = storage.find_tags(owner, values)
    return [value for value in dict.fromkeys(values) if value not in found]


def _owner(actor: Actor, level: Level, owner_id: str, need: Need) -> Owner:
    if level is Level.PROJECT:
        return access.project(actor, owner_id, need).project
    if level is Level.EXPERIMENT:
        return access.experiment(actor, owner_id, need).experiment
    return access.iteration(actor, owner_id, need).iteration


def _check(owner: Owner, write: Transaction) -> None:
    """Make the transaction fail unless the owner exists, and note the change of an iteration, ended or not."""
    match owner:
        case Project():
            project.check_alive(owner.id, write)
        case Experiment():
            experiment.check_alive(owner, write)
        case Iteration():
            iteration.check_alive(owner.experiment_id, owner.id, write)
            change.note_change(owner.experiment_id, owner.id, write, ended=owner.end_date is not None)
