"""MLflow's tracking server with SQLite, as the peer of our benchmarks: started in its environment, called over REST."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.kit.connection import Connection
from benchmarks.kit.curves import Curves, batches, mlflow_body
from benchmarks.kit.environments import MLFLOW, environment_of
from benchmarks.kit.load import Sending
from benchmarks.kit.processes import HOST, Served, answering, free_port, running

API = "/api/2.0/mlflow"
# The limits of `runs/log-batch` and of one page of `metrics/get-history`.
MAX_BATCH, MAX_PAGE = 1000, 25_000
# The limit of one page of `runs/search`.
MAX_RUNS = 50_000
WORKERS = 4


@contextlib.contextmanager
def mlflow_server(directory: Path) -> Iterator[Served]:
    """Run `mlflow server` with its default workers, its SQLite file in this directory.

    Its job runner, which has no work here and only uses CPU, is off. The first time MLflow is installed.
    """
    environment = environment_of(MLFLOW)
    directory.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), directory / "server.log"
    command = [
        *(str(environment.program("mlflow")), "server", "--host", HOST, "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{directory / 'mlflow.db'}"),
        *("--artifacts-destination", str(directory / "artifacts")),
    ]
    variables = environment.variables() | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    with running(command, log, cwd=directory, environment=variables) as process:
        url = f"http://{HOST}:{port}"
        answering(f"{url}/health", process, log)
        yield Served(url, process.pid)


def new_experiment(connection: Connection, name: str) -> str:
    made: str = connection.call("POST", f"{API}/experiments/create", {"name": name})["experiment_id"]
    return made


def new_run(connection: Connection, experiment_id: str) -> str:
    body = {"experiment_id": experiment_id, "start_time": int(time.time() * 1000)}
    made: str = connection.call("POST", f"{API}/runs/create", body)["run"]["info"]["run_id"]
    return made


def log_batches(run_id: str, curves: Curves, points: int = MAX_BATCH) -> list[Sending]:
    """The curves as requests of this many points, by default the most, all keys in each."""
    pieces = batches(curves, points // len(curves))
    return [Sending(f"{API}/runs/log-batch", mlflow_body(piece, run_id)) for piece in pieces]


def history(connection: Connection, run_id: str, key: str) -> Iterator[dict[str, Any]]:
    """All points of a key, page by page."""
    token = ""
    while True:
        query = {"run_id": run_id, "metric_key": key, "max_results": MAX_PAGE, "page_token": token}
        page = connection.call("GET", f"{API}/metrics/get-history?{urlencode(query)}")
        yield from page.get("metrics", [])
        token = page.get("next_page_token", "")
        if not token:
            return


def few_points(connection: Connection, run_id: str, key: str, number: int) -> list[dict[str, Any]]:
    """The points at this many steps, as a sample of all: the request of MLflow's own page."""
    query = {"run_ids": run_id, "metric_key": key, "max_results": number}
    page = connection.call("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{urlencode(query)}")
    metrics: list[dict[str, Any]] = page["metrics"]
    return metrics


def chart(connection: Connection, run_ids: Sequence[str], key: str, number: int) -> list[dict[str, Any]]:
    """Like `few_points`, of several runs: the request of MLflow's chart."""
    query = [*(("run_ids", each) for each in run_ids), ("metric_key", key), ("max_results", number)]
    page = connection.call("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{urlencode(query)}")
    metrics: list[dict[str, Any]] = page["metrics"]
    return metrics


def table(connection: Connection, experiment_id: str, key: str, most: int, condition: str = "") -> list[dict[str, Any]]:
    """Runs that meet the condition, sorted by a metric, with all their metrics, in pages of the requested size."""
    order = [f"metrics.{key} ASC"]
    body = {"experiment_ids": [experiment_id], "order_by": order, "max_results": most, "filter": condition}
    runs: list[dict[str, Any]] = connection.call("POST", f"{API}/runs/search", body)["runs"]
    return runs


def whole_table(connection: Connection, experiment_id: str, key: str) -> Iterator[dict[str, Any]]:
    """All runs sorted by a metric, with all their metrics, page by page."""
    body = {"experiment_ids": [experiment_id], "order_by": [f"metrics.{key} ASC"], "max_results": MAX_RUNS}
    while True:
        page = connection.call("POST", f"{API}/runs/search", body)
        yield from page.get("runs", [])
        if not page.get("next_page_token"):
            return
        body["page_token"] = page["next_page_token"]
