"""What the server does without being asked: a function that runs every few minutes and costs nothing when idle."""

from __future__ import annotations

import logging

from chalice.app import Blueprint, CloudWatchEvent, Rate

from chalicelib.services import deletion

# Well under the 60 seconds that the function has.
SECONDS = 40.0

routes = Blueprint(__name__)


@routes.schedule(Rate(5, unit=Rate.MINUTES))
def upkeep(_event: CloudWatchEvent) -> None:
    """Go on with deletions that a request left unfinished."""
    if not deletion.resume_deletions(SECONDS):
        logging.getLogger("deardiary").info("deletions are left for the next time")
