"""Commands to a running iteration. They ride on the answers to flushes until the writer acknowledges them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from chalicelib import clock, ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page, page_by_id
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import command as storage
from chalicelib.storage import user as users
from chalicelib.storage.reads.lineage import IterationLineage
from deardiary.wire.shapes import Command, Iteration, PendingCommand


class Acknowledgement(NamedTuple):
    """The writer has carried out the command, at this step if it knows one."""

    command_id: str
    step: int | None


def create_command(
    actor: Actor, iteration_id: str, *, kind: str, text: str, id_key: str | None
) -> tuple[Command, bool]:
    """The command, and True if it is new: the same id_key of the same user in the same iteration finds the earlier one.

    InvalidPayload if the iteration has ended.
    """
    line = access.iteration(actor, iteration_id, Need.UPDATE)
    command_hash = ids.hash_texts(actor.user.id, id_key or ids.new_id())
    there = _find(line, command_hash) if id_key else None
    if there is not None:
        return there, False
    if line.iteration.end_date is not None:
        raise storage.ended()
    command = Command(
        id=storage.new_command_id(iteration_id, command_hash),
        iteration_id=iteration_id,
        kind=kind,
        text=text,
        state="pending",
        created_by=actor.user.id,
        created_date=clock.now(),
    )
    try:
        storage.create_command(line.iteration, command)
    except Conflict:
        # Another request with this id_key was faster.
        earlier = storage.find_command(line.iteration, command_hash, {command_hash})
        if earlier is None:
            raise
        return earlier, False
    return command, True


def list_commands(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[Command]:
    line = access.iteration(actor, iteration_id, Need.READ)
    return page_by_id(storage.list_commands(line.iteration, line.marks.commands), iteration_id, limit, cursor)


def get_command(actor: Actor, iteration_id: str, command_id: str) -> Command:
    return _get(access.iteration(actor, iteration_id, Need.READ), command_id)


def delete_command(actor: Actor, iteration_id: str, command_id: str) -> None:
    """Withdraw a command. Conflict if the writer has seen it."""
    line = access.iteration(actor, iteration_id, Need.UPDATE)
    storage.delete_command(line.iteration, _get(line, command_id))


def acknowledge(iteration: Iteration, acknowledged: Iterable[Acknowledgement]) -> None:
    """Close these commands. A repeated acknowledgement changes nothing, and neither does one of an unknown command."""
    for each in acknowledged:
        with suppress(Conflict):
            storage.acknowledge_command(iteration, each.command_id, each.step, clock.now())


def pending(
    actor: Actor, line: IterationLineage, acknowledged: Sequence[Acknowledgement]
) -> tuple[PendingCommand, ...] | None:
    """The open commands for the answer to a flush, marked as seen; None if there are none, which costs no read."""
    done = {ids.split_id(each.command_id)[-1] for each in acknowledged}
    hashes = line.marks.commands - done
    found = storage.find_commands(line.iteration, hashes) if hashes else []
    seen = [each for each in found if each.acknowledged_date is None and _mark_seen(line.iteration, each)]
    names = {} if line.project.id in actor.blind_in else _usernames(seen)
    answers = tuple(
        PendingCommand(id=each.id, kind=each.kind, text=each.text, requested_by=names.get(each.created_by or ""))
        for each in seen
    )
    return answers or None


def _mark_seen(iteration: Iteration, command: Command) -> bool:
    """False if another request has just deleted the command."""
    if command.seen_date is None:
        try:
            storage.mark_seen(iteration, command, clock.now())
        except NotFound:
            return False
    return True


def _usernames(commands: Sequence[Command]) -> dict[str, str]:
    """The names of the senders by their ids, without those of deleted users."""
    senders = {each.created_by for each in commands if each.created_by is not None}
    return {user_id: user.username for user_id, user in users.find_users(senders).items()} if senders else {}


def _find(line: IterationLineage, command_hash: str) -> Command | None:
    return storage.find_command(line.iteration, command_hash, line.marks.commands)


def _get(line: IterationLineage, command_id: str) -> Command:
    found = _find(line, ids.split_id(command_id)[-1])
    if found is None or found.id != command_id:
        raise NotFound
    return found
