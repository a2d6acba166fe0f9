"""A server with sign-in that MLflow clients and our integrations reach by HTTP, and our client to read from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import deardiary
from app import app
from benchmarks.kit.environments import Environment, Peer
from infra.local.server import serving
from tests.integrations.environments import installed
from tests.support.emulator import Emulator
from tests.support.server import server_on_emulator

PROGRAMS = Path(__file__).parent / "programs"
CLIENT = Path(__file__).parents[2] / "client" / "src"
FIRST_PORT = 9700
# The frameworks download nothing and report nothing to their makers.
OFFLINE = {"KERAS_BACKEND": "torch", "HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "true", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass(frozen=True)
class Diary:
    """The server, with a token of its admin."""

    url: str
    token: str

    def client(self) -> deardiary.Client:
        return deardiary.connect(self.url, token=self.token)

    def run(self, peer: Peer, program: str, folder: Path, **variables: str) -> Any:
        """Run a program in an environment of its own. Return what it prints at last, which is JSON."""
        given = {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_TOKEN": self.token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            **OFFLINE,
            **variables,
        }
        environment = _with(installed(peer), given)
        printed = environment.run(str(PROGRAMS / f"{program}.py"), cwd=folder)
        return json.loads(printed.strip().splitlines()[-1])

    def run_ours(self, peer: Peer, program: Path, *arguments: str, folder: Path) -> str:
        """Run a program that uses our client in an environment of its own. Return what it prints."""
        given = {
            "PYTHONPATH": str(CLIENT),
            "DEARDIARY_URL": self.url,
            "DEARDIARY_TOKEN": self.token,
            "DEARDIARY_DIR": str(folder),
            "DEARDIARY_CAPTURE": "output",
            "YOLO_CONFIG_DIR": str(folder),
            "HYDRA_FULL_ERROR": "1",
            **OFFLINE,
        }
        return _with(installed(peer), given).run(str(program), *arguments, cwd=folder)


@dataclass(frozen=True, slots=True)
class _With(Environment):
    given: dict[str, str]

    def variables(self) -> dict[str, str]:
        return Environment.variables(self) | self.given


def _with(environment: Environment, given: dict[str, str]) -> Environment:
    return _With(environment.directory, given)


@pytest.fixture(scope="session")
def diary(emulator: Emulator) -> Iterator[Diary]:
    with server_on_emulator(emulator.environment()) as server, serving(app, FIRST_PORT) as url:
        yield Diary(url, server.token())
