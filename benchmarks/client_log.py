"""The duration of a call of `log` with five metrics, and how many of 10,000 points are lost if the process is killed.

Each tracker logs in a process of its own, in its own environment, as fast as possible, and kills itself (SIGKILL)
directly after the last call returns. DearDiary and MLflow log to their servers on this machine, which continue to run;
Trackio, W&B (offline) and GoodSeed to files. `deardiary.sync` then sends the spool of DearDiary's process, as the next
start would. MLflow's synchronous calls are so slow that it makes fewer; its losses are scaled to 10,000 too.

`start_ms` is the time of the first `deardiary.start` of a process, with the server near. `capture_ratio` compares a
training of some seconds with the default capture and without: medians over processes that alternate. The capture of the
environment takes some ten milliseconds of its first second, whatever its length.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.kit import environments
from benchmarks.kit.pace import KEYS
from benchmarks.kit.processes import REPOSITORY, local_server
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers.mlflow_server import mlflow_server

POINTS = 10_000
CALLS = POINTS // len(KEYS)
SLOW_CALLS = 200
ROUNDS, STEPS = 11, 10_000


class LoggerFailed(Exception):
    """A logging program did not reach its end."""


@dataclass(frozen=True, slots=True)
class Contender:
    """The program of one tracker. Its module is in `benchmarks.peers`."""

    name: str
    module: str
    python: str
    variables: Mapping[str, str]
    calls: int = CALLS


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("client_log", __doc__, arguments)
    show(options, measure(peer=options.peer))
    return 0


def measure(*, peer: bool, calls: int = CALLS, rounds: int = ROUNDS, steps: int = STEPS) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ours = _ours(folder, stack, calls)
        figures = _figures(ours, folder) | _starts(ours, folder, rounds, steps)
        for each in _theirs(folder, stack) if peer else ():
            figures |= _figures(each, folder)
        return figures | {"points": calls * len(KEYS), "keys": len(KEYS)}


def _ours(folder: Path, stack: ExitStack, calls: int) -> Contender:
    served = stack.enter_context(local_server(folder / "server"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEARDIARY_")}
    # Without the login of this machine's user.
    variables = {"DEARDIARY_URL": served.url, "DEARDIARY_DIR": str(folder / "spool"), "XDG_CONFIG_HOME": str(folder)}
    return Contender("", "deardiary", sys.executable, kept | variables, calls)


def _theirs(folder: Path, stack: ExitStack) -> Iterator[Contender]:
    served = stack.enter_context(mlflow_server(folder / "mlflow-server"))
    mlflow = {"MLFLOW_TRACKING_URI": served.url, "MLFLOW_DISABLE_TELEMETRY": "true"}
    yield _peer(environments.MLFLOW, "mlflow_sync", mlflow, SLOW_CALLS)
    yield _peer(environments.MLFLOW, "mlflow_async", mlflow | {"MLFLOW_ENABLE_ASYNC_LOGGING": "true"})
    yield _peer(environments.TRACKIO, "trackio", {"TRACKIO_DIR": str(folder / "trackio" / "trackio")})
    yield _peer(environments.WANDB, "wandb", {"WANDB_MODE": "offline", "WANDB_SILENT": "true"})
    yield _peer(environments.GOODSEED, "goodseed", {})


def _peer(peer: environments.Peer, name: str, variables: Mapping[str, str], calls: int = CALLS) -> Contender:
    environment = environments.environment_of(peer)
    quiet = {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    python = str(environment.program("python"))
    return Contender(name, peer.name, python, {**environment.variables(), **quiet, **variables}, calls)


def _figures(contender: Contender, folder: Path) -> dict[str, Number]:
    own = folder / (contender.name or "deardiary")
    own.mkdir()
    took = json.loads(_run(contender, "log", str(own), str(contender.calls), expected=-9).splitlines()[-1])
    sent = contender.calls * len(KEYS)
    there = int(_run(contender, "count", str(own), expected=0).splitlines()[-1])
    prefix = f"{contender.name}_" if contender.name else ""
    return {
        f"{prefix}log_p50_us": took["p50_us"],
        f"{prefix}log_p99_us": took["p99_us"],
        f"{prefix}lost_after_sigkill": round((sent - there) * POINTS / sent),
    }


def _starts(ours: Contender, folder: Path, rounds: int, steps: int) -> dict[str, Number]:
    took: dict[str, list[dict[str, float]]] = {"none": [], "environment,output,system": []}
    for _ in range(rounds):
        for capture, found in took.items():
            each = replace(ours, variables={**ours.variables, "DEARDIARY_CAPTURE": capture})
            said = _run(each, "train", str(folder / "deardiary"), str(steps), expected=0)
            found.append(json.loads(said.splitlines()[-1]))
    without, captured = took.values()
    trained = [median(each["train_ms"] for each in found) for found in (without, captured)]
    return {
        "start_ms": median(each["start_ms"] for each in captured),
        "start_without_capture_ms": median(each["start_ms"] for each in without),
        "capture_ratio": trained[1] / trained[0],
    }


def _run(contender: Contender, *arguments: str, expected: int) -> str:
    command = [contender.python, "-m", f"benchmarks.peers.{contender.module}", *arguments]
    done = subprocess.run(  # noqa: S603 - our own modules
        command, cwd=REPOSITORY, env=dict(contender.variables), capture_output=True, text=True, check=False
    )
    if done.returncode != expected:
        raise LoggerFailed(
            f"{contender.module} {arguments[0]} ended with {done.returncode}: {done.stderr[-environments.SHOWN :]}"
        )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
