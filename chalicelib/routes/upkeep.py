"""What the server does without being asked: a function that runs every few minutes and costs nothing when idle."""

from __future__ import annotations

from functools import partial

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.routes.http import request_log
from chalicelib.services.lifecycle import deletion, expiry, liveness
from chalicelib.services.lifecycle.budget import Budget, all_done

# Well under the 60 seconds that the function has.
SECONDS = 40.0

routes = Blueprint(__name__)


@routes.schedule(Rate(5, unit=Rate.MINUTES))
def upkeep(event: CloudWatchEvent) -> None:
    """End silent iterations, look at the uploads that are due, go on with deletions that a request left unfinished."""
    with request_log.entry("upkeep", {"requestId": event.to_dict().get("id")}) as line:
        line["finished"] = run(SECONDS)


def run(seconds: float) -> bool:
    """Whether nothing is left for the next time. What fails keeps nothing else from being done, and is raised last."""
    steps = (
        partial(liveness.end_silent_iterations, seconds / 4),
        partial(expiry.sweep_uploads, seconds / 4),
        partial(deletion.resume_deletions, seconds / 2),
    )
    return all_done(steps, Budget(seconds))
