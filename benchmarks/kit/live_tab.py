"""What an open table costs while some of its iterations run: the requests of the tab, and the units that they read."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from benchmarks.kit.connection import connected
from benchmarks.kit.experiments import iterations_of
from benchmarks.kit.inside import server_inside
from benchmarks.kit.metering import Meter
from benchmarks.kit.pages import Opened, opened
from benchmarks.kit.processes import Served

HOUR = 3600
LOGGED_EVERY_S, PATIENCE_S = 2.0, 300.0
_FEED = "/iterations/changes?"
RUNNING = 1
_PAINTED = "return !!document.querySelector('.grid tbody tr[data-line]')"


class TooFewPolls(Exception):
    """The page does not follow the changes feed."""


def read_units_per_hour(
    browser: Browser, served: Served, experiment: str, running: int, polls: int, settled: float
) -> float:
    """Resume `running` scattered iterations of the experiment, and watch its table for `polls` polls.

    The pace is the one that the server asks for: a busy machine is slower. The resumptions are edits, which the feed
    tells for about a minute: the table opens `settled` seconds after them.
    """
    with connected(served.url) as connection:
        every = iterations_of(connection, experiment)
        chosen = every[:: max(1, len(every) // running)][:running]
        for each in chosen:
            connection.call("PATCH", f"/iterations/{each}", {"status_id": RUNNING})
    time.sleep(settled)
    url = f"{served.url}/ui#/experiments/{experiment}"
    with _logging(served.url, chosen), opened(browser, url, _PAINTED) as tab:
        paths = _between_polls(tab, polls)
    units, pace = _replayed(served, paths)
    return units / polls * HOUR / pace


def _between_polls(tab: Opened, polls: int) -> list[str]:
    """The paths of the requests from the first poll with a position to the last one, which is left out."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        paths = [f"{parts.path}?{parts.query}" for parts in (urlsplit(each.url) for each in tab.requests)]
        found = [at for at, path in enumerate(paths) if _FEED in path and "since=" in path]
        if len(found) > polls:
            return paths[found[0] : found[polls]]
        if time.monotonic() > deadline:
            raise TooFewPolls(f"{len(found)} polls in {PATIENCE_S:.0f} s")
        tab.page.wait_for_timeout(500)


def _replayed(served: Served, paths: Sequence[str]) -> tuple[float, int]:
    """The read units of these requests, and the seconds between polls."""
    units, pace = 0.0, 0
    with server_inside(served) as server, Meter.attached() as meter:
        for path in paths:
            with meter.measuring() as calls:
                answer = server.call("GET", path)
            units += sum(call.read_units for call in calls)
            pace = answer["poll_after_seconds"] if _FEED in path else pace
    return units, pace


@contextmanager
def _logging(url: str, iterations: Sequence[str]) -> Iterator[None]:
    """Let each iteration log a point again and again."""
    stop = threading.Event()

    def log() -> None:
        with connected(url) as connection:
            step = 0
            while not stop.wait(LOGGED_EVERY_S):
                step += 1
                body = json.dumps(
                    {"batch_id": f"live-{step}", "metrics": {"metric_00": {"step": [step], "value": [0.5]}}}
                )
                for each in iterations:
                    connection.send("POST", f"/iterations/{each}/log", body.encode())

    thread = threading.Thread(target=log)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
