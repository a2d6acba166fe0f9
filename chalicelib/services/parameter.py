"""Parameters: unique by key in their iteration, and unchangeable by creating them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.storage import parameter as storage
from deardiary.wire.shapes import Iteration, Parameter

# One transaction holds 100 items, one of which checks the iteration's lock.
_PER_TRANSACTION = 99
# It may have 4 MB, which an emulator counts as they are sent: a sign of 4 bytes has 12 there.
_BYTES_PER_TRANSACTION = 1_000_000


def create_parameter(actor: Actor, iteration_id: str, *, key: str, value: str) -> tuple[Parameter, bool]:
    """The parameter and whether it is new. Conflict when it exists with another value."""
    where = access.iteration(actor, iteration_id, Need.CREATE).iteration
    new = put_parameters(where, {key: value})
    return storage.find_parameters(where, [key])[key], new == 1


def list_parameters(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[Parameter]:
    where = access.iteration(actor, iteration_id, Need.READ).iteration
    return storage.list_parameters(where, limit, cursor)


def get_parameter(actor: Actor, parameter_id: str) -> Parameter:
    return storage.get_parameter(_owner(actor, parameter_id, Need.READ), parameter_id)


def update_parameter(actor: Actor, parameter_id: str, value: str) -> Parameter:
    where = _owner(actor, parameter_id, Need.UPDATE)
    parameter = replace(storage.get_parameter(where, parameter_id), value=value)
    storage.update_parameter(where, parameter)
    return parameter


def delete_parameter(actor: Actor, parameter_id: str) -> None:
    storage.delete_parameter(_owner(actor, parameter_id, Need.DELETE), parameter_id)


def put_parameters(where: Iteration, values: dict[str, str]) -> int:
    """How many were new. Conflict, before anything is written, when one exists with another value."""
    missing = _missing(where, values)
    return sum(_create(where, piece) for piece in _pieces({key: values[key] for key in missing}))


def _pieces(values: dict[str, str]) -> Iterator[dict[str, str]]:
    """Each as many as a transaction takes."""
    piece: dict[str, str] = {}
    size = 0
    for key, value in values.items():
        size += len(key.encode()) + len(value.encode())
        if piece and (len(piece) == _PER_TRANSACTION or size > _BYTES_PER_TRANSACTION):
            yield piece
            piece, size = {}, len(key.encode()) + len(value.encode())
        piece[key] = value
    if piece:
        yield piece


def _create(where: Iteration, values: dict[str, str]) -> int:
    new = [
        Parameter(id=storage.new_parameter_id(where.id, key), iteration_id=where.id, key=key, value=value)
        for key, value in values.items()
    ]
    try:
        storage.create_parameters(where, new)
    except Conflict:
        # Somebody else created one of them a moment ago; what is left is decided on what is there now.
        missing = _missing(where, values)
        if len(missing) == len(values):
            raise
        return _create(where, {key: values[key] for key in missing}) if missing else 0
    return len(values)


def _missing(where: Iteration, values: dict[str, str]) -> list[str]:
    found = storage.find_parameters(where, list(values))
    for key, parameter in found.items():
        if parameter.value != values[key]:
            raise Conflict(
                f"The parameter {key!r} is {parameter.value!r} already", field=key, kind="parameter", id=parameter.id
            )
    return [key for key in values if key not in found]


def _owner(actor: Actor, parameter_id: str, need: Need) -> Iteration:
    return access.iteration(actor, ids.split_id(parameter_id)[0], need).iteration
