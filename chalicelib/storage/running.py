"""Running iterations: a small row for each in one partition, so that the liveness sweep needs no Scan.

The rows of an experiment follow each other, so one Query finds its running iterations. Older servers keyed a row by the
iteration alone: the liveness sweep moves these rows.
"""

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
    write.replace(RunningRow(*keys.running(experiment_id, iteration_id), experiment_id=experiment_id))


def unmark_running(experiment_id: str, iteration_id: str, write: Transaction) -> None:
    write.delete(RunningRow(*keys.running(experiment_id, iteration_id)), None, Conflict)


def remove(experiment_id: str, iteration_id: str) -> None:
    """Remove the rows of an iteration that does not exist any more."""
    item.delete_items(every_key(experiment_id, iteration_id))


def every_key(experiment_id: str, iteration_id: str) -> list[keys.Key]:
    """The keys of an iteration's rows, that of older servers too."""
    return [keys.running(experiment_id, iteration_id), keys.running_of_older_servers(iteration_id)]


def each_running() -> Iterator[tuple[str, str]]:
    """The experiment's and the iteration's id of each running iteration, by experiment, the oldest first."""
    for row in item.query(RunningRow, keys.RUNNING, keys.EXPERIMENT):
        yield row.experiment_id, keys.iteration_of_running(row.sk)


def each_of_older_servers() -> Iterator[tuple[str, str]]:
    """The same of the rows of older servers."""
    for row in item.query(RunningRow, keys.RUNNING, keys.ITERATION):
        yield row.experiment_id, keys.iteration_of_running(row.sk)


def remove_of_older_servers(iteration_id: str) -> None:
    item.delete_items([keys.running_of_older_servers(iteration_id)])


def read_running_ids(experiment_id: str) -> list[str]:
    """The running iterations of one experiment, the oldest first, as of about a second ago at worst.

    This read is eventually consistent, at half the price.
    """
    rows = item.raw_rows(keys.running_span(experiment_id), ["SK"], consistent=False)
    return [keys.iteration_of_running(row["SK"]["S"]) for row in rows]
