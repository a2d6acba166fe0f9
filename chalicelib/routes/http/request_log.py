"""The request log in the cloud: one line of JSON for each request, for CloudWatch to search and count.

A line names the route, its status and its cost. It holds nothing that the caller sent: no token, body, id or URL. Of an
error it holds the type and the stack frames, but not the message, which may quote the request. The alarms in
`infra/resources/monitoring.py` count the field `status`.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.aws import capacity

_log = logging.getLogger("deardiary.server")
FRAMES = 8
_process = {"is_new": True}


@contextmanager
def entry(route: str, context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Write a line at the end of the block, which adds to it what it knows: `status` at least."""
    line: dict[str, Any] = {"request_id": context.get("requestId"), "route": route}
    units, began = capacity.start(), time.perf_counter()
    try:
        yield line
    finally:
        line["duration_ms"] = round((time.perf_counter() - began) * 1000, 1)
        _write(line | {"read_units": units.reads, "write_units": units.writes})


def note_error(line: dict[str, Any], error: BaseException, *, expected: bool) -> None:
    """Add the type and the stack frames of an error.

    Outside Lambda the log belongs to the user of the machine: an unexpected error goes there whole, with its message.
    """
    if not (expected or config.settings().in_lambda):
        _log.error("unexpected error", exc_info=error)
    response = getattr(getattr(error, "cause", error), "response", {})
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    line["error"] = type(error).__name__ + (f" {code}" if code else "")
    line["where"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _write(line: dict[str, Any]) -> None:
    if config.settings().in_lambda:
        cold, _process["is_new"] = _process["is_new"], False
        print(json.dumps(line | ({"cold": True} if cold else {})), flush=True)
