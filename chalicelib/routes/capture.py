"""The capture of SageMaker jobs: a function that runs when a job changes its state, if the settings name a project."""

from __future__ import annotations

from chalice.app import Blueprint, CloudWatchEvent

from chalicelib import deadline, outgoing
from chalicelib.routes.http import request_log
from chalicelib.services import event as events
from chalicelib.services.capture import jobs

PATTERN = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Training Job State Change", "SageMaker HyperParameter Tuning Job State Change"],
}

routes = Blueprint(__name__)


@routes.on_cw_event(PATTERN)
def capture(event: CloudWatchEvent) -> None:
    """Record the job that the event names. EventBridge's retries repeat the event if this raises."""
    with request_log.entry("capture", {"requestId": event.to_dict().get("id")}) as line, deadline.begun():
        with outgoing.collecting() as posted:
            line["outcome"] = jobs.capture(event.detail)
        if posted:
            line["events_left"] = events.send(posted)
