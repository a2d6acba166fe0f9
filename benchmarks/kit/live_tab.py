"""What an open table costs while some of its iterations run: the requests of the tab, and the units that they read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Request

from benchmarks.kit.connection import connected
from benchmarks.kit.experiments import iterations_of
from benchmarks.kit.inside import server_inside
from benchmarks.kit.metering import Meter
from benchmarks.kit.pages import opened
from benchmarks.kit.processes import Served

HOUR = 3600
LOGGED_EVERY_S = 2.0
RUNNING = 1
_PAINTED = "return !!document.querySelector('.grid tbody tr[data-line]')"


def read_units_per_hour(browser: Browser, served: Served, experiment: str, running: int, seconds: float) -> float:
    """Resume so many iterations of the experiment, evenly scattered, and watch its table for these seconds."""
    with connected(served.url) as connection:
        every = iterations_of(connection, experiment)
        chosen = every[:: max(1, len(every) // running)][:running]
        for each in chosen:
            connection.call("PATCH", f"/iterations/{each}", {"status_id": RUNNING})
    url = f"{served.url}/ui#/experiments/{experiment}"
    asked: list[Request] = []
    with _logging(served.url, chosen), opened(browser, url, _PAINTED) as tab:
        tab.page.on("request", lambda request: asked.append(request))
        tab.page.wait_for_timeout(seconds * 1000)
    paths = [f"{parts.path}?{parts.query}" for parts in (urlsplit(each.url) for each in asked)]
    return sum(_units(served, paths)) * HOUR / seconds


def _units(served: Served, paths: Sequence[str]) -> Iterator[float]:
    with server_inside(served) as server, Meter.attached() as meter:
        for path in paths:
            with meter.measuring() as calls:
                server.call("GET", path)
            yield sum(call.read_units for call in calls)


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
