"""Environments of the trackers that we compare with: outside the repository, created once and kept.

Each has a folder of its own under `$XDG_CACHE_HOME/deardiary-benchmarks` (by default `~/.cache/…`), with pinned
versions. An interrupted installation, other versions or another Python cause a new one.
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
# For the largest environment, of some gigabytes, from a slow index.
INSTALL_SECONDS = 900


class PeerFailed(Exception):
    """An environment could not be created, or a program in it failed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tracker to compare with: the name of its environment, and the arguments of its pip install.

    `alone` are requirements of a second pip install, without their dependencies: it replaces a release by one whose
    own packages are not all published.
    """

    name: str
    requirements: tuple[str, ...]
    alone: tuple[str, ...] = ()


MLFLOW = Peer("mlflow", ("mlflow==3.17.2",))
BOTO3 = Peer("boto3", ("boto3==1.43.106",))
TRACKIO = Peer("trackio", ("trackio==0.43.0",))
WANDB = Peer("wandb", ("wandb==0.31.0",))
GOODSEED = Peer("goodseed", ("goodseed==0.4.0",))


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer's virtual environment, ready."""

    directory: Path

    def program(self, name: str) -> Path:
        """The path of `python`, or of a program that a package of the peer installed."""
        return self.directory / "bin" / name

    def variables(self) -> dict[str, str]:
        """Our environment variables without those that redirect Python, and no proxy for this machine."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        path = f"{self.directory / 'bin'}{os.pathsep}{kept.get('PATH', '')}"
        return kept | {"PATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    def run(self, *arguments: str, cwd: Path, stdin: str = "") -> str:
        """Run the environment's Python; return its stdout. PeerFailed, with the end of stderr, if it fails."""
        return _run(str(self.program("python")), *arguments, cwd=cwd, stdin=stdin, variables=self.variables())


def environment_of(peer: Peer) -> Environment:
    """Return its environment. Create it if necessary, which takes a minute or more; PeerFailed if pip fails."""
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
    # The pip of our own Python installs into it, so that it contains only the peer.
    venv.create(directory, with_pip=False, symlinks=True)
    ours = ("-m", "pip", "--python", str(environment.program("python")))
    install = (*ours, "install", "--quiet", "--disable-pip-version-check")
    _run(sys.executable, *install, *peer.requirements, cwd=directory, seconds=INSTALL_SECONDS)
    if peer.alone:
        _run(sys.executable, *install, "--no-deps", *peer.alone, cwd=directory, seconds=INSTALL_SECONDS)
    # Written last: it shows that the installation is complete.
    _receipt(directory).write_text(_made_of(peer))


def _run(
    *command: str,
    cwd: Path,
    stdin: str = "",
    variables: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a Python that we know, our arguments
            command, cwd=cwd, env=variables, input=stdin, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"{' '.join(command)} took more than {seconds:.0f} s") from None
    if done.returncode:
        raise PeerFailed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-SHOWN:]}")
    return done.stdout


def _is_whole(environment: Environment, peer: Peer) -> bool:
    receipt = _receipt(environment.directory)
    return receipt.exists() and receipt.read_text() == _made_of(peer) and environment.program("python").exists()


def _made_of(peer: Peer) -> str:
    return "\n".join((platform.python_version(), *peer.requirements, *peer.alone, ""))


def _receipt(directory: Path) -> Path:
    return directory / "made-of.txt"


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Lock the environment: of two benchmarks that start at once, one creates it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
