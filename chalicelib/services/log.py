"""One flush of a writer: everything that it gathered, each part safe to send again."""

from __future__ import annotations

from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.metric import Point, is_taken, take_batch
from chalicelib.services.parameter import put_parameters
from chalicelib.services.tag import put_tags
from deardiary.shapes import BatchReceipt


def take_flush(
    actor: Actor, iteration_id: str, batch_id: str, *, parameters: dict[str, str], tags: list[str], points: list[Point]
) -> BatchReceipt:
    """Parameters first: when one clashes (Conflict) nothing of the flush is written.

    The chunk comes last, also when it holds no points: once it is there, the same batch_id changes nothing any more.
    """
    where = access.iteration(actor, iteration_id, Need.CREATE).iteration
    if not is_taken(where, batch_id):
        put_parameters(where, parameters)
        put_tags(where, tags)
    return take_batch(where, batch_id, points)
