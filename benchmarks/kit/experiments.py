"""Experiments of DearDiary for benchmarks of its pages, made through the API by several writers at once."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from benchmarks.kit import diary
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.curves import make_curves
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.reading import WRITERS

PARAMETERS, METRICS = 20, 20
BATCH, SHORT = 1000, 100
_PAGE = 200


def parameters_of(number: int) -> dict[str, str]:
    """The parameters of a run: numbers and words, of which most differ between runs."""
    dice = random.Random(number)  # noqa: S311
    numbers = {f"parameter_{key:02}": f"{dice.uniform(0, 1):.4g}" for key in range(PARAMETERS - 5)}
    return numbers | {f"word_{key}": dice.choice(("adam", "sgd", "cosine", "linear")) for key in range(5)}


def metrics_of(number: int) -> dict[str, float]:
    """One value of each metric of a run."""
    dice = random.Random(-number)  # noqa: S311
    return {f"metric_{key:02}": dice.gauss(0, 1) for key in range(METRICS)}


def make_table(url: str, iterations: int) -> str:
    """An experiment with ended iterations, each with 20 parameters and 20 metrics. Returns its id."""
    with connected(url) as connection:
        experiment = diary.new_experiment(connection)
        made = make_iterations(url, connection, experiment, iterations)
    logs = [Sending(f"/iterations/{each}/log", _table_body(number)) for number, each in enumerate(made)]
    send_all(url, _shared([[log, _end(each)] for log, each in zip(logs, made, strict=True)]))
    return experiment


def make_curves_of(url: str, iterations: int, points: int) -> tuple[str, list[str]]:
    """An experiment with ended iterations that have one long curve each. Returns its id and theirs."""
    with connected(url) as connection:
        experiment = diary.new_experiment(connection)
        made = make_iterations(url, connection, experiment, iterations)
    whole = [diary.flushes(each, make_curves(1, points, seed=str(at)), BATCH) for at, each in enumerate(made)]
    send_all(url, _shared([[*flushes, _end(each)] for flushes, each in zip(whole, made, strict=True)]))
    return experiment, made


def make_iterations(url: str, connection: Connection, experiment: str, number: int) -> list[str]:
    """Return the ids of the iterations, the oldest first."""
    send_all(url, _shared([[Sending(f"/experiments/{experiment}/iterations", b"{}")]] * number))
    return iterations_of(connection, experiment)


def iterations_of(connection: Connection, experiment: str) -> list[str]:
    """All iterations of an experiment, the oldest first."""
    path = f"/experiments/{experiment}/iterations?order_by=created_date&limit={_PAGE}"
    return [row["id"] for page in diary.pages(connection, path) for row in page["data"]]


def _shared(parts: Sequence[Sequence[Sending]]) -> list[list[Sending]]:
    """Distribute the parts, each in its order, among a few writers; a short work is for one."""
    writers = WRITERS if len(parts) > SHORT else 1
    return [[each for part in parts[writer::writers] for each in part] for writer in range(writers)]


def _end(iteration: str) -> Sending:
    return Sending(f"/iterations/{iteration}", json.dumps({"status_id": 2}).encode(), "PATCH")


def _table_body(number: int) -> bytes:
    columns = {key: {"step": [0], "value": [value]} for key, value in metrics_of(number).items()}
    return json.dumps({"batch_id": "1", "parameters": parameters_of(number), "metrics": columns}).encode()
