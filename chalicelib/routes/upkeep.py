"""The upkeep: a scheduled function that runs every few minutes."""

from __future__ import annotations

from functools import partial

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.routes.http import request_log
from chalicelib.services.lifecycle import expiry, liveness, outbox, packing, purge, sweep
from chalicelib.services.lifecycle.budget import Budget, all_done

# Well below the timeout of the function, 60 seconds.
SECONDS = 40.0

routes = Blueprint(__name__)


@routes.schedule(Rate(5, unit=Rate.MINUTES))
def upkeep(event: CloudWatchEvent) -> None:
    """End silent iterations, send events, check due uploads, purge the trash, resume deletions, write column blocks."""
    with request_log.entry("upkeep", {"requestId": event.to_dict().get("id")}) as line:
        line["finished"] = run(SECONDS)


def run(seconds: float) -> bool:
    """Run all steps; True if no work is left. A failing step does not stop the others; its error is raised last."""
    steps = (
        partial(liveness.end_silent_iterations, seconds / 4),
        partial(outbox.send_events, seconds / 8),
        partial(expiry.sweep_uploads, seconds / 8),
        partial(purge.purge_due, seconds / 8),
        partial(sweep.resume_deletions, seconds / 4),
        partial(packing.pack_requested, seconds / 4),
    )
    return all_done(steps, Budget(seconds))
