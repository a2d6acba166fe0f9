"""Environments for the trackers that we measure against: outside the repository, made once and kept.

Each has a folder of its own under `$XDG_CACHE_HOME/deardiary-benchmarks` (`~/.cache/…` where that is not set), with
pinned versions. What was cut short, or was made of other versions or by another Python, is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SHOWN = 2000


class PeerFailed(Exception):
    """An environment could not be made, or a program in it failed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tracker to measure against: the name of its environment, and what pip installs in it."""

    name: str
    requirements: tuple[str, ...]


MLFLOW = Peer("mlflow", ("mlflow==3.17.2",))
TRACKIO = Peer("trackio", ("trackio==0.43.0",))
WANDB = Peer("wandb", ("wandb==0.31.0",))
GOODSEED = Peer("goodseed", ("goodseed==0.4.0",))


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer's virtual environment, ready."""

    directory: Path

    def program(self, name: str) -> Path:
        """`python`, or what a package of the peer put beside it."""
        return self.directory / "bin" / name

    def variables(self) -> dict[str, str]:
        """Ours without what leads Python elsewhere, and no proxy between programs of this machine."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        path = f"{self.directory / 'bin'}{os.pathsep}{kept.get('PATH', '')}"
        return kept | {"PATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    def run(self, *arguments: str, cwd: Path, stdin: str = "") -> str:
        """What the environment's Python prints for these arguments. PeerFailed, with the end of stderr, if it fails."""
        return _run(str(self.program("python")), *arguments, cwd=cwd, stdin=stdin, variables=self.variables())


def environment_of(peer: Peer) -> Environment:
    """Its environment, made now if it is not there whole, which takes a minute or more. PeerFailed when pip does."""
    directory = cache_directory() / peer.name
    environment = Environment(directory)
    with _alone(directory):
        if not _is_whole(environment, peer):
            _make(environment, peer)
    return environment


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "deardiary-benchmarks"


def _make(environment: Environment, peer: Peer) -> None:
    directory = environment.directory
    print(f"Installing {' '.join(peer.requirements)} into {directory}, this once", file=sys.stderr, flush=True)
    shutil.rmtree(directory, ignore_errors=True)
    # The pip of our own Python installs into it, so that nothing but the peer is in there.
    venv.create(directory, with_pip=False, symlinks=True)
    ours = ("-m", "pip", "--python", str(environment.program("python")))
    _run(sys.executable, *ours, "install", "--quiet", "--disable-pip-version-check", *peer.requirements, cwd=directory)
    # Written last: it says that all before it was done.
    _receipt(directory).write_text(_made_of(peer))


def _run(*command: str, cwd: Path, stdin: str = "", variables: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - a Python that we know, our arguments
        command, cwd=cwd, env=variables, input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PeerFailed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-SHOWN:]}")
    return done.stdout


def _is_whole(environment: Environment, peer: Peer) -> bool:
    receipt = _receipt(environment.directory)
    return receipt.exists() and receipt.read_text() == _made_of(peer) and environment.program("python").exists()


def _made_of(peer: Peer) -> str:
    return "\n".join((platform.python_version(), *peer.requirements, ""))


def _receipt(directory: Path) -> Path:
    return directory / "made-of.txt"


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Two benchmarks that begin at once make an environment once."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
