"""Export and import of projects by the command line, from and into a server on this machine, with the emulator.

import_100_runs_s     `deardiary import` of 100 exported runs of 10 metrics with 100 points each, and 10 parameters
export_1000_runs_s    `deardiary export` of 1,000 such runs, from nothing
export_points_per_s   points a second of an export of 10 runs with 200,000 points each, from nothing
peak_mb               the highest peak of memory of these commands and of an import of the 10 long runs' first one

Each command is a process of its own; its time includes its start. An export is checked against its manifest, and the
number of points in it against the number that was written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyarrow import parquet

from benchmarks.kit import diary
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.curves import Curves, make_curves
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.processes import end_on_sigterm, local_server
from benchmarks.kit.report import Number, parse_options, show

_COMMAND = """
import resource, sys, time
begin = time.monotonic()
from deardiary.cli.main import main
status = main(sys.argv[1:])
seconds = time.monotonic() - begin
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, file=sys.stderr)
sys.exit(status)
"""
_PARAMETERS = {f"parameter_{number}": str(number) for number in range(10)}


class Wrong(Exception):
    """An export or import has not what was written."""


@dataclass(frozen=True, slots=True)
class Load:
    """The runs: how many, their metrics, the points of each metric, and the points of a request."""

    runs: int
    keys: int
    points: int
    batch: int

    @property
    def total(self) -> int:
        return self.runs * self.keys * self.points


@dataclass(frozen=True, slots=True)
class Done:
    """A finished command."""

    seconds: float
    peak_mb: float


MANY, FEW, LONG = Load(1000, 10, 100, 1000), Load(100, 10, 100, 1000), Load(10, 2, 100_000, 10_000)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("exchange", __doc__, arguments)
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        show(options, measure(Path(folder), many=MANY, few=FEW, long=LONG))
    return 0


def measure(folder: Path, *, many: Load, few: Load, long: Load) -> dict[str, Number]:
    with local_server(folder / "server") as server:
        projects = {name: _filled(server.url, load) for name, load in (("many", many), ("few", few), ("long", long))}
        run = _runner(server.url)
        whole = _exported(run, projects["many"], folder / "many", many)
        curves = _exported(run, projects["long"], folder / "long", long)
        _exported(run, projects["few"], folder / "few", few)
        brought = run("import", str(folder / "few"), "--to", "imported")
        again = run("import", str(folder / "long"), "--to", "imported long")
        _check_import(server.url, "imported", few)
    return {
        "import_100_runs_s": brought.seconds,
        "export_1000_runs_s": whole.seconds,
        "export_points_per_s": long.total / curves.seconds,
        "import_points_per_s": long.total / again.seconds,
        "peak_mb": max(each.peak_mb for each in (whole, curves, brought, again)),
    }


class _runner:  # noqa: N801 - called as a function
    """Runs a command of `deardiary` against a server."""

    def __init__(self, url: str) -> None:
        self._environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environment |= {"DEARDIARY_URL": url}

    def __call__(self, *words: str) -> Done:
        command = [sys.executable, "-c", _COMMAND, *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise Wrong(done.stderr)
        seconds, peak_mb = done.stderr.splitlines()[-1].split()
        return Done(float(seconds), float(peak_mb))


def _filled(url: str, load: Load) -> str:
    """Create a project with these runs, all ended; return its id."""
    with connected(url) as connection:
        project: str = connection.call("POST", "/projects", {"name": f"{load.runs} runs of {load.points}"})["id"]
        experiment = connection.call("POST", f"/projects/{project}/experiments", {"name": "benchmark"})["id"]
        ids = [_new_run(connection, experiment) for _ in range(load.runs)]
        curves = make_curves(load.keys, load.points)
        send_all(url, [[each for id_ in ids for each in _requests(id_, curves, load)]])
    return project


def _new_run(connection: Connection, experiment_id: str) -> str:
    body = {"tags": ["baseline"], "created_date": "2024-01-01T00:00:00Z"}
    made: str = connection.call("POST", f"/experiments/{experiment_id}/iterations", body)["id"]
    return made


def _requests(iteration_id: str, curves: Curves, load: Load) -> list[Sending]:
    parameters = json.dumps({"batch_id": "parameters", "parameters": _PARAMETERS}).encode()
    end = json.dumps({"status_id": 2}).encode()
    return [
        Sending(f"/iterations/{iteration_id}/log", parameters),
        *diary.flushes(iteration_id, curves, load.batch),
        Sending(f"/iterations/{iteration_id}", end, "PATCH"),
    ]


def _exported(run: _runner, project_id: str, folder: Path, load: Load) -> Done:
    done = run("export", project_id, str(folder))
    run("export", "--verify", str(folder))
    written = sum(parquet.read_metadata(path).num_rows for path in (folder / "metrics").glob("*.parquet"))
    if written != load.total:
        raise Wrong(f"The export has {written} points in place of {load.total}")
    return done


def _check_import(url: str, name: str, load: Load) -> None:
    with connected(url) as connection:
        (project,) = connection.call("GET", f"/projects?name={name}")["data"]
        (experiment,) = connection.call("GET", f"/projects/{project['id']}/experiments")["data"]
        listed = list(diary.pages(connection, f"/experiments/{experiment['id']}/iterations?include=metrics&limit=200"))
        found = sum(
            summary["count"] for page in listed for each in page["data"] for summary in each["metrics"].values()
        )
    if found != load.total:
        raise Wrong(f"The imported project has {found} points in place of {load.total}")


if __name__ == "__main__":
    sys.exit(main())
