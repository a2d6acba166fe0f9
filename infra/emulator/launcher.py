"""Start and stop the emulator as a child process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.emulator.process import CREDENTIALS, IN_USE
from infra.failure import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
STOP_SECONDS = 10
LOG_LINES_SHOWN = 15


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its endpoint and its process, which can be killed at any moment without loss."""

    endpoint_url: str
    process: subprocess.Popen[str]

    def environment(self) -> dict[str, str]:
        return environment_of(self.endpoint_url)


def environment_of(endpoint_url: str) -> dict[str, str]:
    """The environment variables that direct every AWS client to the emulator, whatever the AWS profile says."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        **CREDENTIALS,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }


@contextlib.contextmanager
def running_emulator(directory: Path) -> Iterator[Emulator]:
    """Run an emulator on the state in this directory until the block ends. Its log is emulator.log there.

    InfraError if it does not start, or if another process runs one on the same directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "emulator.log").open("a") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-m", "infra.emulator.process", str(directory.resolve())],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Emulator(_endpoint_of(process, directory), process)
    finally:
        _stop(process)


def _endpoint_of(process: subprocess.Popen[str], directory: Path) -> str:
    """The first line that it prints, when it is ready. InfraError if it ends before."""
    assert process.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
    endpoint = process.stdout.readline().strip()
    if endpoint:
        return endpoint
    if process.wait() == IN_USE:
        raise InfraError(f"Another process runs the emulator over {directory} already; stop that one first")
    log = (directory / "emulator.log").read_text().splitlines()[-LOG_LINES_SHOWN:]
    raise InfraError("The emulator did not start:\n" + "\n".join(log))


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
