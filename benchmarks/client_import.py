"""The cost of the client: the time of its import beyond Python's own start, its size, and its packages.

Ours is installed from the repository into a folder of its own, the peers by pip. A time is the median over processes
that alternate with `python -c pass` of the same Python, with everything compiled before. The client imports its parts
at their first use: `ready_ms` is the time until its `start` (or the peers' equivalent) is imported too. Sizes are in MB
of 10^6 bytes, without compiled files and without pip and setuptools; packages include the client itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.kit import environments
from benchmarks.kit.processes import REPOSITORY
from benchmarks.kit.report import Number, parse_options, show

ROUNDS = 15
_TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence", "wheel", "bin")


@dataclass(frozen=True, slots=True)
class Contender:
    """An installed client: the code that imports it, the code that starts a run, and its folder."""

    name: str
    module: str
    begin: str
    python: str
    variables: Mapping[str, str]
    packages: Path


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("client_import", __doc__, arguments)
    show(options, measure(peer=options.peer))
    return 0


def measure(*, peer: bool, rounds: int = ROUNDS) -> dict[str, Number]:
    figures: dict[str, Number] = {}
    with tempfile.TemporaryDirectory() as folder:
        for each in (_ours(Path(folder)), *(_theirs() if peer else ())):
            figures |= _figures(each, rounds)
    return figures


def _ours(folder: Path) -> Contender:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    # Built from a copy: files of an earlier build in the repository would enter the package.
    source, target = folder / "client", folder / "installed"
    shutil.copytree(REPOSITORY / "client", source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)  # noqa: S603
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DEARDIARY_"))}
    return Contender("", "deardiary", "start", sys.executable, kept | {"PYTHONPATH": str(target)}, target)


def _theirs() -> Iterator[Contender]:
    begins = {
        environments.MLFLOW: "start_run",
        environments.TRACKIO: "init",
        environments.WANDB: "init",
        environments.GOODSEED: "Run",
    }
    for peer, begin in begins.items():
        environment = environments.environment_of(peer)
        (packages,) = environment.directory.glob("lib/python*/site-packages")
        quiet = {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "HF_HUB_OFFLINE": "1"}
        python = str(environment.program("python"))
        yield Contender(f"{peer.name}_", peer.name, begin, python, environment.variables() | quiet, packages)


def _figures(contender: Contender, rounds: int) -> dict[str, Number]:
    codes = {
        "import_ms": f"import {contender.module}",
        "ready_ms": f"import {contender.module}; {contender.module}.{contender.begin}",
    }
    times: dict[str, list[float]] = {name: [] for name in ("bare", *codes)}
    for at in range(-1, rounds):  # the first process compiles, and is not measured
        for name, code in {"bare": "pass", **codes}.items():
            took = _run(contender, code)
            if at >= 0:
                times[name].append(took)
    return {
        **{f"{contender.name}{name}": median(times[name]) - median(times["bare"]) for name in codes},
        f"{contender.name}installed_mb": sum(map(_size, _files(contender.packages))) / 1e6,
        f"{contender.name}packages": sum(1 for each in contender.packages.glob("*.dist-info") if not _is_tool(each)),
    }


def _run(contender: Contender, code: str) -> float:
    """The duration of a process in milliseconds."""
    started = time.perf_counter()
    subprocess.run([contender.python, "-c", code], env=dict(contender.variables), cwd="/", check=True)  # noqa: S603
    return (time.perf_counter() - started) * 1e3


def _files(folder: Path) -> Iterator[Path]:
    for each in folder.iterdir():
        if not _is_tool(each):
            found = each.rglob("*") if each.is_dir() else iter([each])
            yield from (path for path in found if path.is_file() and path.suffix != ".pyc")


def _is_tool(path: Path) -> bool:
    return path.name.split("-")[0].removesuffix(".pth") in _TOOLS or path.name.startswith("distutils-precedence")


def _size(path: Path) -> int:
    return path.lstat().st_size


if __name__ == "__main__":
    sys.exit(main())
