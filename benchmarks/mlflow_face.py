"""MLflow's protocol, spoken to our server and to `mlflow server` with SQLite: the same requests to both.

Both servers run on this machine, ours with the emulator, and without sign-in. Figures are medians over rounds in which
the servers take turns:

log_batch_points_per_s   one client that sends `runs/log-batch` requests of 1,000 metrics of 10 keys
search_1000_s            `runs/search` of 1,000 runs with 20 keys each, sorted by one, in pages as large as the server
                         sends them
history_100k_s           all 100,000 points of a key by `metrics/get-history`, page by page
autolog_s                the time that `mlflow.sklearn.autolog` adds to ten fits: a run with parameters, metrics and a
                         model each

Ratios are of speed: ours over MLflow's. `autolog_overhead_ratio` is of time: below 1, ours adds less.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.curves import make_curves
from benchmarks.kit.environments import MLFLOW, environment_of
from benchmarks.kit.load import send_all
from benchmarks.kit.processes import REPOSITORY, end_on_sigterm, local_server
from benchmarks.kit.reading import KEY, of_run, one_key, shared
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server

KEYS = 10
AUTOLOG = "benchmarks.peers.mlflow_autolog"


@dataclass(frozen=True, slots=True)
class Load:
    """The numbers of points, runs and fits, and of repetitions."""

    points: int
    runs: int
    history: int
    fits: int
    rounds: int


FULL = Load(points=50_000, runs=1000, history=100_000, fits=10, rounds=3)


class WrongAnswer(Exception):
    """A server returned less than was logged."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that speaks the protocol, filled: the experiment of the table, the run of the history."""

    prefix: str
    url: str
    connection: Connection
    table: str
    history: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("mlflow_face", __doc__, arguments)
    end_on_sigterm()
    show(options, measure(FULL, peer=options.peer))
    return 0


def measure(load: Load, *, peer: bool) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        urls = {"": stack.enter_context(local_server(folder / "ours")).url}
        if peer:
            urls["mlflow_"] = stack.enter_context(mlflow_server.mlflow_server(folder / "mlflow")).url
        contenders = [_filled(prefix, url, stack.enter_context(connected(url)), load) for prefix, url in urls.items()]
        figures = _measured(contenders, load, peer=peer)
    return figures | (_ratios(figures) if peer else {})


def _filled(prefix: str, url: str, connection: Connection, load: Load) -> Contender:
    table = mlflow_server.new_experiment(connection, "table")
    runs = [mlflow_server.new_run(connection, table) for _ in range(load.runs)]
    requests = [mlflow_server.log_batches(run, of_run(number))[0] for number, run in enumerate(runs)]
    send_all(url, shared(requests))
    history = mlflow_server.new_run(connection, mlflow_server.new_experiment(connection, "history"))
    send_all(url, [mlflow_server.log_batches(history, one_key(load.history))])
    return Contender(prefix, url, connection, table, history)


def _measured(contenders: Sequence[Contender], load: Load, *, peer: bool) -> dict[str, Number]:
    """The medians of all rounds. A first round, which is not measured, warms both servers up."""
    kinds: dict[str, Callable[[Contender], float]] = {
        "log_batch_points_per_s": lambda contender: load.points / _log_batches(contender, load),
        "search_1000_s": lambda contender: _search(contender, load),
        "history_100k_s": lambda contender: _history(contender, load),
    }
    if peer:
        # The client is in the environment of the peer.
        kinds["autolog_s"] = lambda contender: _autolog(contender, load)
    figures: dict[str, Number] = {}
    for name, run in kinds.items():
        rounds = [[run(contender) for contender in contenders] for _ in range(load.rounds + 1)][1:]
        for at, contender in enumerate(contenders):
            figures[contender.prefix + name] = median(row[at] for row in rounds)
    return figures


def _log_batches(contender: Contender, load: Load) -> float:
    run = mlflow_server.new_run(contender.connection, contender.table)
    curves = make_curves(KEYS, load.points // KEYS)
    seconds = send_all(contender.url, [mlflow_server.log_batches(run, curves)]).seconds
    contender.connection.call("POST", f"{mlflow_server.API}/runs/delete", {"run_id": run})
    return seconds


def _search(contender: Contender, load: Load) -> float:
    begin = time.perf_counter()
    found = sum(1 for _ in mlflow_server.whole_table(contender.connection, contender.table, KEY))
    seconds = time.perf_counter() - begin
    if found != load.runs:
        raise WrongAnswer(f"{found} of {load.runs} runs were found")
    return seconds


def _history(contender: Contender, load: Load) -> float:
    begin = time.perf_counter()
    points = sum(1 for _ in mlflow_server.history(contender.connection, contender.history, KEY))
    seconds = time.perf_counter() - begin
    if points != load.history:
        raise WrongAnswer(f"{points} of {load.history} points were read")
    return seconds


def _autolog(contender: Contender, load: Load) -> float:
    environment = environment_of(MLFLOW)
    given = ("-m", AUTOLOG, contender.url, str(load.fits))
    return float(environment.run(*given, cwd=REPOSITORY).split()[-1])


def _ratios(figures: dict[str, Number]) -> dict[str, Number]:
    return {
        "log_batch_ratio": figures["log_batch_points_per_s"] / figures["mlflow_log_batch_points_per_s"],
        "search_1000_ratio": figures["mlflow_search_1000_s"] / figures["search_1000_s"],
        "history_100k_ratio": figures["mlflow_history_100k_s"] / figures["history_100k_s"],
        "autolog_overhead_ratio": figures["autolog_s"] / figures["mlflow_autolog_s"],
    }


if __name__ == "__main__":
    sys.exit(main())
