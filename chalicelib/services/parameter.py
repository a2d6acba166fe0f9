"""Parameters: unique by key in their iteration; creating one again never changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import parameter as storage
from deardiary.wire.shapes import Iteration, Parameter

# One transaction holds 100 items: one checks the iteration's lock, another notes the change.
_PER_TRANSACTION = 97
# Its limit is 4 MB. An emulator counts the bytes of the JSON, where a character of 4 bytes has 12.
_BYTES_PER_TRANSACTION = 1_000_000


def create_parameter(actor: Actor, iteration_id: str, *, key: str, value: str) -> tuple[Parameter, bool]:
    """Return the parameter and True if it is new. Conflict if it exists with another value."""
    iteration = access.iteration(actor, iteration_id, Need.CREATE).iteration
    new = put_parameters(iteration, {key: value})
    return storage.find_parameters(iteration, [key])[key], new == 1


def list_parameters(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[Parameter]:
    iteration = access.iteration(actor, iteration_id, Need.READ).iteration
    return storage.list_parameters(iteration, limit, cursor)


def get_parameter(actor: Actor, parameter_id: str) -> Parameter:
    return storage.get_parameter(_owner(actor, parameter_id, Need.READ), parameter_id)


def update_parameter(actor: Actor, parameter_id: str, value: str) -> Parameter:
    iteration = _owner(actor, parameter_id, Need.UPDATE)
    parameter = replace(storage.get_parameter(iteration, parameter_id), value=value)
    storage.update_parameter(iteration, parameter)
    return parameter


def delete_parameter(actor: Actor, parameter_id: str) -> None:
    storage.delete_parameter(_owner(actor, parameter_id, Need.DELETE), parameter_id)


def put_parameters(iteration: Iteration, values: dict[str, str], *, even_ended: bool = False) -> int:
    """Create the missing ones; return their number. Conflict, before any write, if one has another value.

    `even_ended`: also after the end of the iteration.
    """
    missing = _missing(iteration, values)
    pieces = _pieces({key: values[key] for key in missing})
    return sum(_create(iteration, piece, even_ended=even_ended) for piece in pieces)


def put_captured(iteration: Iteration, values: dict[str, str]) -> None:
    """Create the missing ones as SageMaker describes them, also after the end. Those that exist stay."""
    for piece in _pieces(values):
        _create_captured(iteration, piece)


def _create_captured(iteration: Iteration, values: dict[str, str]) -> None:
    for _ in Retry():
        found = storage.find_parameters(iteration, list(values))
        new = [_new(iteration, key, value) for key, value in values.items() if key not in found]
        try:
            if new:
                storage.create_parameters(iteration, new, even_ended=True, captured=True)
        except Conflict:
            continue
        break


def _pieces(values: dict[str, str]) -> Iterator[dict[str, str]]:
    """Split the values into groups that fit a transaction."""
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


def _create(iteration: Iteration, values: dict[str, str], *, even_ended: bool) -> int:
    new = [_new(iteration, key, value) for key, value in values.items()]
    try:
        storage.create_parameters(iteration, new, even_ended=even_ended)
    except Conflict:
        # Another request has just created one of them: compare again.
        missing = _missing(iteration, values)
        if len(missing) == len(values):
            raise
        rest = {key: values[key] for key in missing}
        return _create(iteration, rest, even_ended=even_ended) if missing else 0
    return len(values)


def _new(iteration: Iteration, key: str, value: str) -> Parameter:
    return Parameter(id=storage.new_parameter_id(iteration.id, key), iteration_id=iteration.id, key=key, value=value)


def _missing(iteration: Iteration, values: dict[str, str]) -> list[str]:
    other, missing = storage.find_conflicting(iteration, values)
    for one in other:
        raise Conflict(
            f"The parameter {one.key!r} is {one.value!r} already", field=one.key, kind="parameter", id=one.id
        )
    return missing


def _owner(actor: Actor, parameter_id: str, need: Need) -> Iteration:
    return access.iteration(actor, ids.split_id(parameter_id)[0], need).iteration
