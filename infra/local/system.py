"""The whole system on this machine: the emulator on a directory, a stage in it, and the app that serves the stage."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import secrets
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.emulator.launcher import Emulator, running_emulator
from infra.local.server import FIRST_PORT, HOST, serving
from infra.stage import locate
from infra.up import bring_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chalice.app import Chalice

    from infra.stage import Clients, Stage

STORE, KEYS_FILE = "DEARDIARY_ARTIFACT_S3_", "AWS_SHARED_CREDENTIALS_FILE"
UPKEEP_SECONDS = 30.0
UPKEEP_THREAD = "upkeep"
# Enough for one call to the emulator. A longer run is interrupted, and the next start continues its work.
STOP_SECONDS = 2.0
_log = logging.getLogger("deardiary.server")


@dataclass(frozen=True, slots=True)
class System:
    """A server at `url` without sign-in, and its emulator."""

    url: str
    emulator: Emulator

    def address(self) -> dict[str, str | int]:
        """The address for other programs of this machine."""
        return {"url": self.url, "aws_endpoint_url": self.emulator.endpoint_url, "pid": os.getpid()}


@contextlib.contextmanager
def running_system(
    directory: Path, *, first_port: int = FIRST_PORT, say: Callable[[str], None] = print
) -> Iterator[System]:
    """Run the system on the state in this directory, in this process, and change its environment. Once per process.

    Take the first free port from ``first_port``; 0 takes any. InfraError if a part does not start.
    """
    _forget_the_cloud()
    with running_emulator(directory) as emulator:
        app = _app_on(emulator, say)
        with _upkeep_running(), serving(app, first_port) as url:
            yield System(url, emulator)


def _forget_the_cloud() -> None:
    """Remove AWS settings and server URLs of the user's shell from the environment. A store of artifacts stays."""
    kept = (STORE, KEYS_FILE) if os.environ.get(f"{STORE}ENDPOINT") else ()
    for name in list(os.environ):
        if name.startswith(("AWS_", "DEARDIARY_")) and not name.startswith(kept):
            del os.environ[name]


def _app_on(emulator: Emulator, say: Callable[[str], None]) -> Chalice:
    """The app on a complete stage. Set the environment before importing the server's code, which reads it."""
    stage, clients = _stage_on(emulator.environment())
    os.environ.update(stage.settings(), DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN=HOST)
    # Without sign-in the admin's password has no use: do not show one.
    password = secrets.token_urlsafe()
    for line in bring_up(stage, clients, cors_origins=(), username="admin", password=password):
        say(line)
    from app import app

    # Long-lived objects: scanning them for garbage again and again takes a fifth of a large request's time.
    gc.collect()
    gc.freeze()
    return app


def _stage_on(emulated: dict[str, str]) -> tuple[Stage, Clients]:
    """The local stage. The user's file with the keys of a store stays in force: the emulator's keys are no file."""
    store = {name: value for name, value in os.environ.items() if name.startswith(STORE)}
    os.environ.update({name: value for name, value in emulated.items() if not (store and name == KEYS_FILE)})
    stage, clients = locate("local")
    return replace(stage, store=store), clients


@contextlib.contextmanager
def _upkeep_running() -> Iterator[None]:
    """Run the scheduled function of the cloud in a thread, until the block ends."""
    stop = threading.Event()
    thread = threading.Thread(target=_run_upkeep, args=(stop,), name=UPKEEP_THREAD, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)


def _run_upkeep(stop: threading.Event) -> None:
    """Log a failed run and continue: the next run finds the remaining work in the table."""
    from chalicelib.routes import upkeep

    while not stop.is_set():
        try:
            upkeep.run(UPKEEP_SECONDS)
        except Exception:  # noqa: BLE001 - it is logged, and whatever failed is tried again
            _log.exception("upkeep failed; it runs again in %g seconds", UPKEEP_SECONDS)
        stop.wait(UPKEEP_SECONDS)
