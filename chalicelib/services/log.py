"""One flush of a writer: everything that it gathered, each part safe to send again."""

from __future__ import annotations

from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.parameter import put_parameters
from chalicelib.services.points.batch import Sent, deliver, is_taken, touch
from chalicelib.services.tag import put_tags
from deardiary.wire.shapes import BatchReceipt


def accept_flush(
    actor: Actor,
    iteration_id: str,
    batch_id: str,
    *,
    parameters: dict[str, str],
    tags: list[str],
    points: dict[str, Sent],
) -> BatchReceipt:
    """Parameters first: when one clashes (Conflict) nothing of the flush is written.

    The chunk comes last, also when it holds no points: once it is there, the same batch_id changes nothing any more.
    A flush of nothing is a sign of life.
    """
    where = access.iteration(actor, iteration_id, Need.CREATE).iteration
    if not (parameters or tags or points):
        touch(where)
        return BatchReceipt(batch_id=batch_id, accepted=0, last_step={})
    if (parameters or tags) and not is_taken(where, batch_id):
        put_parameters(where, parameters)
        put_tags(where, tags)
    return deliver(where, batch_id, points)
