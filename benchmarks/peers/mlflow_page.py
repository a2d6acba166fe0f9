"""MLflow's own page: the same runs in its server, and the address and the look of its table."""

from __future__ import annotations

import json
import time

from benchmarks.kit.connection import connected
from benchmarks.kit.experiments import metrics_of, parameters_of
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.reading import shared
from benchmarks.peers.mlflow_server import API, new_experiment

# Its table shows the newest 100 runs; the next ones come with a button.
FIRST_ROWS = 100
ROWS_PAINTED = "return document.querySelectorAll('.ag-center-cols-container [role=row], .ag-row').length >= 10"


def make_table(url: str, runs: int) -> str:
    """An experiment with the runs of `benchmarks.kit.experiments.make_table`. Returns its id."""
    with connected(url) as connection:
        experiment = new_experiment(connection, "table")
        body = json.dumps({"experiment_id": experiment, "start_time": int(time.time() * 1000)}).encode()
        send_all(url, shared([Sending(f"{API}/runs/create", body)] * runs))
        search = {"experiment_ids": [experiment], "max_results": runs}
        made = [run["info"]["run_id"] for run in connection.call("POST", f"{API}/runs/search", search)["runs"]]
    send_all(url, shared([Sending(f"{API}/runs/log-batch", _body(run, number)) for number, run in enumerate(made)]))
    return experiment


def table_url(url: str, experiment: str) -> str:
    return f"{url}/#/experiments/{experiment}/runs"


def _body(run: str, number: int) -> bytes:
    parameters = [{"key": key, "value": value} for key, value in parameters_of(number).items()]
    now = int(time.time() * 1000)
    metrics = [{"key": key, "value": value, "timestamp": now, "step": 0} for key, value in metrics_of(number).items()]
    return json.dumps({"run_id": run, "params": parameters, "metrics": metrics}).encode()
