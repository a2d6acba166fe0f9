"""Servers in processes of their own: start them, wait for them, measure them, and stop them with their children."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).parents[2]
HOST = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 120.0, 15.0
LOG_LINES_SHOWN = 15


class ServerFailed(Exception):
    """A server did not start, or ended while it was used."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its URL and process; of ours, also the URL of its emulator."""

    url: str
    pid: int
    aws_endpoint_url: str = ""


@contextlib.contextmanager
def local_server(directory: Path) -> Iterator[Served]:
    """Run `python -m infra.local serve` over the state in this directory, which stays after its end."""
    directory.mkdir(parents=True, exist_ok=True)
    command, log = [sys.executable, "-m", "infra.local", "serve", str(directory)], directory / "server.log"
    with running(command, log, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
        line = process.stdout.readline()
        if not line:
            raise ServerFailed(f"infra.local did not start:\n{_end_of(log)}")
        yield Served(**json.loads(line))


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a process in a group of its own, and stop it with its children; its stderr goes to the log."""
    with log.open("a") as errors:
        process = subprocess.Popen(  # noqa: S603 - commands of the benchmarks
            command,
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    except Exception as error:
        if process.poll() is None or isinstance(error, ServerFailed):
            raise
        raise ServerFailed(f"the server ended with status {process.returncode}:\n{_end_of(log)}") from error
    finally:
        _stop(process)


def answering(url: str, process: subprocess.Popen[str], log: Path) -> None:
    """Return when a GET of this URL is answered with 200. ServerFailed if the process ends or the time is over."""
    parts, deadline = urlsplit(url), time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", parts.path)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        time.sleep(0.1)
    raise ServerFailed(f"nothing answers at {url}:\n{_end_of(log)}")


def end_on_sigterm() -> None:
    """Stop all started processes on SIGTERM, as on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def peak_mb(pid: int) -> float:
    """The peak of this process's resident memory since its start, in MB of 10^6 bytes (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"/proc/{pid}/status has no VmHWM")


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process until now, in steps of about 10 ms."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _stop(process: subprocess.Popen[str]) -> None:
    """Stop it by its pid first; then kill the rest of its group, which it created."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-LOG_LINES_SHOWN:])
