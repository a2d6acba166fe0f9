"""W&B's own package in this process, from the environment of the trackers."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integrations.environments import ORIGINS, installed
from tests.support.wandb_server import API_KEY, WandbServer


@contextmanager
def wandb_in_this_process(folder: Path) -> Iterator[None]:
    """Let `import wandb` find the package. Its caches and settings are in the folder."""
    packages = next((installed(ORIGINS).directory / "lib").glob("python*/site-packages"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(packages)])
        for name, value in settings(folder).items():
            patch.setenv(name, value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import wandb
        try:
            yield
        finally:
            wandb.teardown()
            for name in [each for each in sys.modules if each == "wandb" or each.startswith("wandb.")]:
                del sys.modules[name]


def settings(folder: Path) -> dict[str, str]:
    own = {"WANDB_DIR": "dir", "WANDB_CACHE_DIR": "cache", "WANDB_CONFIG_DIR": "config", "WANDB_DATA_DIR": "data"}
    paths = {name: str(folder / each) for name, each in own.items()}
    (folder / "dir").mkdir(exist_ok=True)
    return paths | {"WANDB_API_KEY": API_KEY, "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}


def sync(server: WandbServer, runs: Path, folder: Path) -> None:
    """Send offline runs to the server, by wandb's own command."""
    environment = installed(ORIGINS)
    command = [str(environment.program("wandb")), "sync", "--yes", "-e", server.entity, str(runs)]
    variables = environment.variables() | settings(folder) | {"WANDB_BASE_URL": server.url}
    subprocess.run(command, env=variables, check=True, capture_output=True, timeout=300)  # noqa: S603 - a known program
