"""Iterations that run: a small row for each in one partition, so that silent ones are found without a Scan."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from chalicelib.errors import Conflict
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction


class RunningRow(Item, discriminator="running"):
    experiment_id = UnicodeAttribute()


def watch(experiment_id: str, iteration_id: str, write: Transaction) -> None:
    write.replace(RunningRow(*keys.running(iteration_id), experiment_id=experiment_id))


def unwatch(iteration_id: str, write: Transaction) -> None:
    write.delete(RunningRow(*keys.running(iteration_id)), None, Conflict)


def each_running() -> Iterator[tuple[str, str]]:
    """Experiment and iteration ids, the oldest iteration first."""
    for row in item.query(RunningRow, keys.RUNNING):
        yield row.experiment_id, keys.iteration_of_running(row.sk)
