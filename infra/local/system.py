"""The whole system on this machine: the emulator over a directory, a stage in it, the app that serves it."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.emulator.launcher import Emulator, running_emulator
from infra.local.server import FIRST_PORT, HOST, serving
from infra.stage import locate
from infra.up import bring_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chalice.app import Chalice

UPKEEP_SECONDS = 30.0
UPKEEP_THREAD = "upkeep"
# Enough for one call to the emulator; a run that takes longer is cut off, and the next start goes on with its work.
STOP_SECONDS = 2.0
_log = logging.getLogger("deardiary")


@dataclass(frozen=True, slots=True)
class System:
    """A server that answers at `url` without asking who is there, and the emulator behind it."""

    url: str
    emulator: Emulator

    def address(self) -> dict[str, str | int]:
        """Where other programs of this machine find it."""
        return {"url": self.url, "aws_endpoint_url": self.emulator.endpoint_url, "pid": os.getpid()}


@contextlib.contextmanager
def running_system(
    directory: Path, *, first_port: int = FIRST_PORT, say: Callable[[str], None] = print
) -> Iterator[System]:
    """The system over the state in this directory, in this process, whose environment it changes. Once per process.

    It takes the first free port from ``first_port``; 0 is any. InfraError when one of its parts does not start.
    """
    _forget_the_cloud()
    with running_emulator(directory) as emulator:
        app = _app_on(emulator, say)
        with _upkeep_running(), serving(app, first_port) as url:
            yield System(url, emulator)


def _forget_the_cloud() -> None:
    """What the user's shell says of AWS and of other servers must not reach this one."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "DEARDIARY_")):
            del os.environ[name]


def _app_on(emulator: Emulator, say: Callable[[str], None]) -> Chalice:
    """The app on a stage that has all it needs. The environment is set before the server's code is imported."""
    os.environ.update(emulator.environment())
    stage, clients = locate("local")
    os.environ.update(stage.settings(), DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN=HOST)
    # Without sign-in the admin's password opens nothing: do not show one.
    password = secrets.token_urlsafe()
    for line in bring_up(stage, clients, cors_origins=(), username="admin", password=password):
        say(line)
    from app import app

    # What is there now stays: looking through it for garbage again and again is a fifth of a large request's time.
    gc.collect()
    gc.freeze()
    return app


@contextlib.contextmanager
def _upkeep_running() -> Iterator[None]:
    """Run what a schedule runs in the cloud, in a thread, until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=_run_upkeep, args=(stop,), name=UPKEEP_THREAD, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)


def _run_upkeep(stop: threading.Event) -> None:
    """Log a failed run and go on: the next run finds in the table what this one has left."""
    from chalicelib.routes import upkeep

    while not stop.is_set():
        try:
            upkeep.run(UPKEEP_SECONDS)
        except Exception:  # noqa: BLE001 - it is logged, and whatever failed is tried again
            _log.exception("upkeep failed; it runs again in %g seconds", UPKEEP_SECONDS)
        stop.wait(UPKEEP_SECONDS)
