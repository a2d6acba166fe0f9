"""Commands to an iteration: a row for each, and the hashes of the open ones in the iteration's own row.

A flush reads the iteration's row anyway, so it learns without a further read that there is no open command. The hashes
are a set of DynamoDB: adding and removing one twice has the same result.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action

from chalicelib import ids, limits
from chalicelib.errors import Conflict, DomainError, InvalidPayload, NotFound
from chalicelib.storage import iteration as iterations
from chalicelib.storage.iteration import ALIVE, IterationRow
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Command, Iteration


class CommandRow(Item, discriminator="command"):
    id = UnicodeAttribute()
    iteration_id = UnicodeAttribute()
    word = UnicodeAttribute()
    text = UnicodeAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    seen_date = UTCDateTimeAttribute(null=True)
    acknowledged_date = UTCDateTimeAttribute(null=True)
    step = NumberAttribute(null=True)


def new_command_id(iteration_id: str, command_hash: str) -> str:
    return f"{iteration_id}.{ids.stamp()}.{command_hash}"


def create_command(where: Iteration, command: Command) -> None:
    """Create a command. Conflict if its hash exists; InvalidPayload if the iteration has ended or has too many."""
    command_hash = _hash_of(command.id)
    row = row_of(CommandRow, keys.command(where.id, command_hash), command, word=command.kind)
    number = size(IterationRow.commands)  # type: ignore[no-untyped-call]
    few = IterationRow.commands.does_not_exist() | (number < limits.MAX_PENDING_COMMANDS)
    running = ALIVE & IterationRow.end_date.does_not_exist()
    write = Transaction()
    write.put(row, Conflict)
    write.update(_owner(where), [IterationRow.commands.add({command_hash})], running & few, lambda: _refusal(where))
    write.commit()


def find_command(where: Iteration, command_hash: str, open_hashes: Collection[str]) -> Command | None:
    row = item.find(CommandRow, keys.command(where.id, command_hash))
    return None if row is None else _shape(row, open_hashes)


def list_commands(where: Iteration, open_hashes: Collection[str]) -> list[Command]:
    rows = item.query(CommandRow, keys.iteration_partition(where.id), keys.STEER)
    return [_shape(row, open_hashes) for row in rows]


def find_commands(where: Iteration, hashes: Collection[str]) -> list[Command]:
    """The open commands with these hashes, oldest first, without those that have just been deleted."""
    found = item.get_many(keys.command(where.id, each) for each in hashes)
    return sorted((_shape(row, hashes) for row in found.values() if isinstance(row, CommandRow)), key=lambda it: it.id)


def mark_seen(where: Iteration, command: Command, now: datetime) -> None:
    """From now on the command cannot be deleted. NotFound if it has just been deleted."""
    row = CommandRow(*keys.command(where.id, _hash_of(command.id)))
    with conditional.otherwise(NotFound):
        row.update([CommandRow.seen_date.set(now)], CommandRow.pk.exists())


def acknowledge_command(where: Iteration, command_id: str, step: int | None, now: datetime) -> None:
    """Close a command. Conflict if it is unknown or acknowledged already: the first acknowledgement stays."""
    command_hash = _hash_of(command_id)
    actions: list[Action] = [CommandRow.acknowledged_date.set(now)]
    if step is not None:
        actions.append(CommandRow.step.set(step))
    write = Transaction()
    first = (CommandRow.id == command_id) & CommandRow.acknowledged_date.does_not_exist()
    write.update(CommandRow(*keys.command(where.id, command_hash)), actions, first, Conflict)
    write.update(_owner(where), [IterationRow.commands.delete({command_hash})], ALIVE, NotFound)
    write.commit()


def delete_command(where: Iteration, command: Command) -> None:
    """Delete a command that its writer has not seen. Conflict if it has, NotFound without the command."""
    command_hash = _hash_of(command.id)
    key = keys.command(where.id, command_hash)

    def refusal() -> DomainError:
        return _seen() if item.find(CommandRow, key) else NotFound()

    write = Transaction()
    unseen = CommandRow.pk.exists() & CommandRow.seen_date.does_not_exist()
    write.delete(CommandRow(*key), unseen, refusal)
    write.update(_owner(where), [IterationRow.commands.delete({command_hash})], ALIVE, NotFound)
    write.commit()


def _owner(where: Iteration) -> IterationRow:
    return IterationRow(*keys.iteration(where.experiment_id, where.id))


def _hash_of(command_id: str) -> str:
    return ids.split_id(command_id)[-1]


def _seen() -> Conflict:
    return Conflict("The writer of the iteration has seen the command already: it cannot be withdrawn any more")


def _refusal(where: Iteration) -> DomainError:
    """The error of a creation: the iteration has ended, was deleted, or has too many open commands."""
    found = iterations.find_iteration(where.experiment_id, where.id)
    if found is None:
        return NotFound()
    if found.end_date is not None:
        return ended()
    most = limits.MAX_PENDING_COMMANDS
    return InvalidPayload(f"The writer has not acknowledged {most} commands yet; delete one, or wait", field="kind")


def ended() -> InvalidPayload:
    return InvalidPayload("The iteration has ended: no writer would carry out the command", field="end_date")


def _shape(row: CommandRow, open_hashes: Collection[str]) -> Command:
    return shape_of(row, Command, kind=row.word, state=_state(row, open_hashes))


def _state(row: CommandRow, open_hashes: Collection[str]) -> str:
    if row.acknowledged_date:
        return "acknowledged"
    if _hash_of(row.id) not in open_hashes:
        return "lapsed"
    return "pending" if row.seen_date is None else "seen"
