"""The log of the functions in the cloud: one line of JSON for each request, for CloudWatch to search and count.

It says which route was asked and what it took, and nothing that somebody sent: no token, no body, no id of the path,
no URL. Of an error that nobody foresaw it says which and where, but not its text, which may quote what was sent.
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

_log = logging.getLogger("deardiary")
FRAMES = 8
_process = {"is_new": True}


@contextmanager
def entry(route: str, context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A line about what is done inside, written at the end; what happened is put into it, `status` at least."""
    line: dict[str, Any] = {"request_id": context.get("requestId"), "route": route}
    units, began = capacity.start(), time.perf_counter()
    try:
        yield line
    finally:
        line["duration_ms"] = round((time.perf_counter() - began) * 1000, 1)
        _write(line | {"read_units": units.reads, "write_units": units.writes})


def note_error(line: dict[str, Any], error: BaseException, *, foreseen: bool) -> None:
    """What it is and where. On a machine of one's own, where logs are nobody else's, an unforeseen one as it is."""
    if not (foreseen or config.settings().in_lambda):
        _log.error("unforeseen error", exc_info=error)
    response = getattr(getattr(error, "cause", error), "response", {})
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    line["error"] = type(error).__name__ + (f" {code}" if code else "")
    line["where"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _write(line: dict[str, Any]) -> None:
    if config.settings().in_lambda:
        cold, _process["is_new"] = _process["is_new"], False
        print(json.dumps(line | ({"cold": True} if cold else {})), flush=True)
