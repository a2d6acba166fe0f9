"""Tags on projects, experiments and iterations; a value is unique on its owner."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from chalicelib.errors import Conflict
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.storage import experiment, iteration, project
from chalicelib.storage import tag as storage
from chalicelib.storage.table import keys
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Iteration, Project, Tag

_PER_TRANSACTION = 99


class Level(Enum):
    """The kind of a tag's owner, as the routes name it."""

    PROJECT = "projects"
    EXPERIMENT = "experiments"
    ITERATION = "iterations"


Owner = Project | Experiment | Iteration


class _Row(NamedTuple):
    """The owner's own row, beside which its tags lie."""

    key: Key
    id: str


def add_tag(actor: Actor, level: Level, owner_id: str, value: str) -> tuple[Tag, bool]:
    """The tag and whether it is new."""
    owner = _owner(actor, level, owner_id, Need.CREATE)
    new = put_tags(owner, [value])
    row = _row(owner)
    return storage.find_tags(row.key, row.id, [value])[value], new == 1


def list_tags(actor: Actor, level: Level, owner_id: str, limit: int, cursor: str | None) -> Page[Tag]:
    row = _row(_owner(actor, level, owner_id, Need.READ))
    return storage.list_tags(row.key, row.id, limit, cursor)


def remove_tag(actor: Actor, level: Level, owner_id: str, tag_id: str) -> None:
    owner = _owner(actor, level, owner_id, Need.DELETE)
    row, write = _row(owner), Transaction()
    _check(owner, write)
    storage.remove_tag(row.key, row.id, tag_id, write)
    write.commit()


def put_tags(owner: Owner, values: list[str]) -> int:
    """How many were new. Values that are there already change nothing."""
    row = _row(owner)
    missing = _missing(row, values)
    starts = range(0, len(missing), _PER_TRANSACTION)
    return sum(_create(owner, row, missing[at : at + _PER_TRANSACTION]) for at in starts)


def _create(owner: Owner, row: _Row, values: list[str]) -> int:
    write = Transaction()
    _check(owner, write)
    tags = [Tag(id=storage.new_tag_id(row.id, value), value=value) for value in values]
    storage.add_tags(row.key, row.id, tags, write)
    try:
        write.commit()
    except Conflict:
        missing = _missing(row, values)
        if len(missing) == len(values):
            raise
        return _create(owner, row, missing) if missing else 0
    return len(values)


def _missing(row: _Row, values: list[str]) -> list[str]:
    found = storage.find_tags(row.key, row.id, values)
    return [value for value in dict.fromkeys(values) if value not in found]


def _owner(actor: Actor, level: Level, owner_id: str, need: Need) -> Owner:
    if level is Level.PROJECT:
        return access.project(actor, owner_id, need).project
    if level is Level.EXPERIMENT:
        return access.experiment(actor, owner_id, need).experiment
    return access.iteration(actor, owner_id, need).iteration


def _row(owner: Owner) -> _Row:
    match owner:
        case Project():
            return _Row(keys.project(owner.id), owner.id)
        case Experiment():
            return _Row(keys.experiment(owner.project_id, owner.id), owner.id)
        case Iteration():
            return _Row(keys.iteration(owner.experiment_id, owner.id), owner.id)


def _check(owner: Owner, write: Transaction) -> None:
    """Let the transaction fail unless the owner exists and, if it is an iteration, is unlocked."""
    match owner:
        case Project():
            project.check_alive(owner.id, write)
        case Experiment():
            experiment.check_alive(owner, write)
        case Iteration():
            iteration.check_unlocked(owner, write)
