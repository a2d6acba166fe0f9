"""The app as a process on loopback that a test can kill and restart, and clients in processes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import deardiary
from tests.support.server import server_on_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deardiary import Client, Iteration
    from tests.support.emulator import Emulator

REPOSITORY = Path(__file__).parents[2]
HANGS_SECONDS = 180
_SERVE = """
import sys, threading
from app import app
from infra.local.server import serving
with serving(app, int(sys.argv[1])) as url:
    print(url, flush=True)
    threading.Event().wait()
"""


class LiveServer:
    """A server without sign-in. ``url`` stays the same after a restart."""

    def __init__(self) -> None:
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        self._process = run(_SERVE, port)
        url = line_of(self._process)
        assert self.url in ("", url)
        self.url = url

    def kill(self) -> None:
        assert self._process is not None
        end(self._process)

    def client(self) -> deardiary.Client:
        return deardiary.connect(self.url)


@contextmanager
def live_server(emulator: Emulator) -> Iterator[LiveServer]:
    settings = {"DEARDIARY_ENABLE_AUTH": "false", "DEARDIARY_LISTEN": "127.0.0.1"}
    with server_on_emulator(emulator.environment(), **settings):
        server = LiveServer()
        try:
            yield server
        finally:
            server.kill()


def run(
    script: str,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    stdin: bool = False,
    quiet: bool = False,
) -> subprocess.Popen[str]:
    """A Python process whose output can be read line by line. ``quiet``: without its stderr."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-u", "-c", script, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(settings or {})},
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def exit_code(process: subprocess.Popen[str]) -> int:
    """Wait for its end; return its exit code. The limit allows slow imports under load."""
    process.communicate(timeout=HANGS_SECONDS)
    return process.returncode


def end(process: subprocess.Popen[str]) -> None:
    """Kill it (SIGKILL)."""
    process.kill()
    process.communicate()


def sync() -> list[deardiary.Synced]:
    return deardiary.sync(tell=lambda _: None)


def steps_of(client: Client, iteration: Iteration, key: str = "loss") -> list[int]:
    curves = client.metrics.curves(iteration.id, key)
    return list(curves[key].step) if key in curves else []
