"""Uploads and downloads of our client and of boto3, each in a process of its own, beside each other.

boto3 has its defaults, and speaks to the emulator's S3 without our server. For many files it uses as many threads as it
uses for the parts of one. Both have made their first connection before the clock starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.kit.environments import BOTO3, environment_of
from benchmarks.kit.processes import REPOSITORY, Served

BLOCK = 1_000_000

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rates:
    """What one client took for each round: of a large file up and down, and of a folder of small files up."""

    file: list[Figures]
    folder: list[Figures]

    def median(self, name: str) -> float:
        return median(each[name] for each in (self.folder if name == "small_s" else self.file))


def compare(
    server: Served, directory: Path, size_bytes: int, files: int, rounds: int, network: Mapping[str, str], *, peer: bool
) -> tuple[Rates, Rates]:
    """The rates of our client and of boto3, in turns; `network` are variables that lead both to a slow one."""
    ours, theirs = Rates([], []), Rates([], [])
    for _ in range(rounds):
        with new_folder(directory, files, BLOCK) as folder, new_folder(directory, 1, size_bytes) as large:
            _ours(server, large, folder, network, ours)
            if peer:
                _boto3(server, large, folder, network, theirs)
    return ours, theirs


def ratios(ours: Rates, theirs: Rates, prefix: str) -> dict[str, float]:
    names = {"up": "upload_s", "down": "download_s", "small": "small_s"}
    return {f"{prefix}boto3_ratio_{key}": theirs.median(name) / ours.median(name) for key, name in names.items()}


def _ours(server: Served, large: Path, folder: Path, network: Mapping[str, str], rates: Rates) -> None:
    variables = {**os.environ, **network}
    file, target = large / "0.bin", large / "copy"
    client = [sys.executable, "-m", "benchmarks.kit.artifact_client", server.url, str(file), str(target)]
    rates.file.append(_run(client, variables))
    target.unlink()
    found = _run([sys.executable, "-m", "benchmarks.kit.folder_client", server.url, str(folder)], variables)
    rates.folder.append({"small_s": found["upload_s"], "api_calls": found["api_calls"]})


def _boto3(server: Served, large: Path, folder: Path, network: Mapping[str, str], rates: Rates) -> None:
    environment = environment_of(BOTO3)
    variables = {**environment.variables(), **network}
    client = [str(environment.program("python")), "-m", "benchmarks.peers.boto3", server.aws_endpoint_url]
    rates.file.append(_run([*client, str(large / "0.bin"), str(large / "copy")], variables))
    rates.folder.append({"small_s": _run([*client, str(folder)], variables)["upload_s"]})


def _run(command: Sequence[str], variables: Mapping[str, str]) -> Figures:
    done = subprocess.run(  # noqa: S603 - our own clients
        command, cwd=REPOSITORY, env=variables, stdout=subprocess.PIPE, text=True, check=True
    )
    figures: Figures = json.loads(done.stdout)
    return figures


@contextmanager
def new_folder(directory: Path, files: int, size_bytes: int) -> Iterator[Path]:
    """A folder with files of random bytes, `0.bin` and so on; it is removed after the block."""
    with TemporaryDirectory(dir=directory) as name:
        for index in range(files):
            with (Path(name) / f"{index}.bin").open("wb") as stream:
                for at in range(0, size_bytes, BLOCK):
                    stream.write(os.urandom(min(BLOCK, size_bytes - at)))
        yield Path(name)
