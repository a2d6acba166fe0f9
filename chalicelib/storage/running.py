"""Running iterations: a small row for each in one partition, so that the liveness sweep needs no Scan."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from chalicelib.errors import Conflict
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction


class RunningRow(Item, discriminator="running"):
    experiment_id = UnicodeAttribute()


def mark_running(experiment_id: str, iteration_id: str, write: Transaction) -> None:
    write.replace(RunningRow(*keys.running(iteration_id), experiment_id=experiment_id))


def unmark_running(iteration_id: str, write: Transaction) -> None:
    write.delete(RunningRow(*keys.running(iteration_id)), None, Conflict)


def remove(iteration_id: str) -> None:
    """Remove the row of an iteration that does not exist any more."""
    item.delete_items([keys.running(iteration_id)])


def each_running() -> Iterator[tuple[str, str]]:
    """The experiment's and the iteration's id of each running iteration, the oldest first."""
    for row in item.query(RunningRow, keys.RUNNING):
        yield row.experiment_id, keys.iteration_of_running(row.sk)
