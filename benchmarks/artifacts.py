"""Files to the artifact store and back, beside boto3 and `mlflow server --serve-artifacts`.

One file of 200 MB and one of 1 GB; MLflow only the smaller one. boto3 stores and fetches 200 MB directly in the same
emulator, and stores 100 files of 1 MB, as our client does. Both do it also over a slow network (`limited_…`): 25 MB/s
for each connection, 20 ms for each round trip. A ratio above 1 means that ours is faster.

Ours is the local server with the emulator as S3; both servers run the whole time, on this machine, and write to its
disk. Each file has new random bytes. A client process of its own stores it; the memory peak is that of this process.
The downloaded bytes are compared. 200 MB are medians over rounds in which the servers take turns. The second upload is
the same file under another name.
"""

from __future__ import annotations

import filecmp
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.kit.environments import MLFLOW, environment_of
from benchmarks.kit.processes import REPOSITORY, Served, local_server, peak_mb
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.kit.slow_network import slow_network
from benchmarks.kit.transfers import Figures, compare, new_folder, ratios
from benchmarks.peers import mlflow_server

# Bytes of a first file, which is not measured: memory that a server loads at its first use is no growth.
WARM_UP = 80_000_000
MLFLOW_CLIENT = """
import json, pathlib, resource, sys, time
import mlflow
url, file, target = sys.argv[1:]
mlflow.set_tracking_uri(url)
with mlflow.start_run() as run:
    begin = time.monotonic()
    mlflow.log_artifact(file)
    upload_s = time.monotonic() - begin
begin = time.monotonic()
name = pathlib.Path(file).name
found = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=name, dst_path=target)
download_s = time.monotonic() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(json.dumps({"upload_s": upload_s, "download_s": download_s, "peak_mb": peak, "found": found}))
"""


class BytesLost(Exception):
    """The downloaded bytes differ from the stored ones."""


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes of the two files. `rounds` is for the smaller one; `files` is a number of files of 1 MB, stored at once."""

    small: int
    large: int
    rounds: int
    warm_up: int
    files: int


FULL = Load(200_000_000, 1_000_000_000, rounds=3, warm_up=WARM_UP, files=100)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("artifacts", __doc__, arguments)
    show(options, measure(FULL, peer=options.peer))
    return 0


def measure(load: Load, *, peer: bool) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        server = stack.enter_context(local_server(directory / "ours"))
        theirs = stack.enter_context(mlflow_server.mlflow_server(directory / "mlflow")) if peer else None
        _ours(server, directory, load.warm_up)
        before = peak_mb(server.pid)
        ours, peers = [], []
        for _ in range(load.rounds):
            ours.append(_ours(server, directory, load.small))
            peers += [_mlflow(theirs, directory, load.small)] if theirs else []
        large = _ours(server, directory, load.large)
        figures = _figures(ours, large, peers) | _beside_boto3(server, directory, load, peer=peer)
        return figures | {
            "server_peak_mb": peak_mb(server.pid),
            "server_growth_mb": peak_mb(server.pid) - before,
            "rounds": load.rounds,
        }


def _beside_boto3(server: Served, directory: Path, load: Load, *, peer: bool) -> dict[str, Number]:
    """The times of our client, with and without a slow network; with a peer also the ratios."""
    figures: dict[str, Number] = {}
    ports = [urlsplit(url).port or 0 for url in (server.url, server.aws_endpoint_url)]
    with slow_network(ports, directory / "network.log") as slow:
        for prefix, network in {"": {}, "limited_": slow}.items():
            ours, theirs = compare(server, directory, load.small, load.files, load.rounds, network, peer=peer)
            figures[f"{prefix}upload_{load.files}_files_s"] = ours.median("small_s")
            figures[f"api_calls_{load.files}_files"] = max(int(each["api_calls"]) for each in ours.folder)
            if peer:
                figures |= ratios(ours, theirs, prefix)
    return figures


def _ours(server: Served, directory: Path, size_bytes: int) -> Figures:
    with new_folder(directory, 1, size_bytes) as folder:
        file, target = folder / "0.bin", folder / "copy"
        command = [sys.executable, "-m", "benchmarks.kit.artifact_client", server.url, str(file), str(target)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S603
        _compare(file, target)
        figures: Figures = json.loads(done.stdout)
        return figures


def _mlflow(server: Served, directory: Path, size_bytes: int) -> Figures:
    with new_folder(directory, 1, size_bytes) as folder:
        file, target = folder / "0.bin", folder / "copy"
        target.mkdir()
        said = environment_of(MLFLOW).run("-c", MLFLOW_CLIENT, server.url, str(file), str(target), cwd=directory)
        figures = json.loads(said.splitlines()[-1])
        _compare(file, Path(figures.pop("found")))
        return {name: float(value) for name, value in figures.items()}


def _compare(file: Path, copy: Path) -> None:
    if not filecmp.cmp(file, copy, shallow=False):
        raise BytesLost(f"{copy} is not {file}")


def _figures(ours: Sequence[Figures], large: Figures, peers: Sequence[Figures]) -> dict[str, Number]:
    found: dict[str, Number] = {
        "upload_200mb_s": _median(ours, "upload_s"),
        "download_200mb_s": _median(ours, "download_s"),
        "upload_1gb_s": large["upload_s"],
        "download_1gb_s": large["download_s"],
        "second_upload_1gb_s": large["second_upload_s"],
        "second_upload_bytes": max(int(each["second_upload_bytes"]) for each in (*ours, large)),
        "client_peak_mb": max(each["peak_mb"] for each in (*ours, large)),
    }
    if peers:
        found |= {
            "mlflow_upload_200mb_s": _median(peers, "upload_s"),
            "mlflow_download_200mb_s": _median(peers, "download_s"),
            "mlflow_client_peak_mb": max(each["peak_mb"] for each in peers),
        }
        found["upload_ratio"] = found["mlflow_upload_200mb_s"] / found["upload_200mb_s"]
        found["download_ratio"] = found["mlflow_download_200mb_s"] / found["download_200mb_s"]
    return found


def _median(figures: Sequence[Figures], name: str) -> float:
    return median(each[name] for each in figures)


if __name__ == "__main__":
    sys.exit(main())
