"""A flush of a writer: parameters, tags, labels, points and printed lines in one request, safe to repeat."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.services import access, command
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.command import Acknowledgement
from chalicelib.services.iteration import reopen_if_lost
from chalicelib.services.label import LabelChanges, labelled, put_labels
from chalicelib.services.lifecycle import pace
from chalicelib.services.parameter import put_parameters
from chalicelib.services.points.batch import (
    Sent,
    check_rules,
    deliver,
    find_for_batch,
    is_stored,
    require_open,
    store_batch,
    touch,
)
from chalicelib.services.tag import put_tags
from chalicelib.storage.output import lines_of
from chalicelib.storage.reads import lineage as lineages
from chalicelib.storage.reads.lineage import IterationLineage
from deardiary.wire.shapes import BatchReceipt, FlushReceipt, Iteration

# A printed line: its stream, its text, its time in ms since 1970, None for the server's time.
SentLine = tuple[str, str, int | None]


def rows_of_flush(user_id: str, iteration_id: str, batch_id: str | None) -> Collection[Any]:
    """The keys of the rows that `accept_flush` reads first; without a batch those of a heartbeat."""
    batch_hash = ids.hash_text(batch_id) if batch_id else None
    return lineages.keys_of_iteration_lineage(iteration_id, user_id, batch_hash=batch_hash)


def accept_flush(
    actor: Actor,
    iteration_id: str,
    batch_id: str,
    *,
    parameters: dict[str, str],
    tags: list[str],
    labels: LabelChanges,
    points: dict[str, Sent],
    output: Sequence[SentLine] = (),
    acknowledged: Sequence[Acknowledgement] = (),
) -> FlushReceipt:
    """Store the flush. Answer its receipt, the commands that are still open, and the pace.

    Acknowledgements come after the rest: a flush that is refused acknowledges nothing.
    """
    is_heartbeat = not (parameters or tags or labels or points or output)
    line = _find(actor, iteration_id) if is_heartbeat else find_for_batch(actor, iteration_id, batch_id)
    receipt = _store(line, batch_id, parameters, tags, labels, points, output)
    command.acknowledge(line.iteration, acknowledged)
    return FlushReceipt(
        batch_id=receipt.batch_id,
        accepted=receipt.accepted,
        last_step=receipt.last_step,
        accepted_output=receipt.accepted_output,
        commands=command.pending(actor, line, acknowledged),
        flush_after_seconds=pace.flush_after_seconds(line),
    )


def _find(actor: Actor, iteration_id: str) -> IterationLineage:
    return access.iteration(actor, iteration_id, Need.CREATE)


def _store(
    line: IterationLineage,
    batch_id: str,
    parameters: dict[str, str],
    tags: list[str],
    labels: LabelChanges,
    points: dict[str, Sent],
    output: Sequence[SentLine],
) -> BatchReceipt:
    """Write the parameters first, and the chunk last.

    If a parameter conflicts (Conflict), labels are too many or a point is too late, nothing of the flush is written.
    Once the chunk is stored, even without points, the same batch_id changes nothing. An empty flush is a heartbeat.
    """
    iteration = line.iteration
    lines = [printed for sent in output for printed in lines_of(*sent)]
    if not (parameters or tags or labels or points or lines):
        touch(iteration)
        return BatchReceipt(batch_id=batch_id, accepted=0, last_step={})
    if (parameters or tags or labels) and not is_stored(line, batch_id):
        require_open(iteration, points, lines)
        before = labelled(line, labels)
        _put_parameters(iteration, parameters)
        put_tags(iteration, tags)
        put_labels(before, labels)
    return deliver(line, batch_id, points, lines)


def _put_parameters(iteration: Iteration, parameters: dict[str, str]) -> None:
    """Create the missing parameters. A Conflict names the field of the flush, and the parameter's key."""
    try:
        put_parameters(iteration, parameters)
    except Conflict as error:
        key = error.details.get("field")
        if key is None:
            raise
        raise Conflict(error.message, **{**error.details, "field": f"parameters.{key}", "key": key}) from None


def store_entries(
    line: IterationLineage,
    batch_id: str,
    *,
    parameters: dict[str, str],
    labels: LabelChanges,
    points: dict[str, Sent],
) -> None:
    """Store what a writer of another protocol logs: one that knows no flush and no lock at the end.

    Conflict or InvalidPayload before the first write, for a parameter of another value and for labels that are too
    many. An iteration that the server ended is open again.
    """
    iteration = line.iteration
    before = labelled(line, labels)
    reopen_if_lost(iteration)
    put_parameters(iteration, parameters, even_ended=True)
    put_labels(before, labels)
    if points:
        store_batch(iteration, batch_id, points, even_ended=True)
        check_rules(line, points)
