"""The keys that the iterations of an experiment use, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.routes.http import answer, endpoint
from tests.support.api import check_refused, found, made, new_experiment, new_iteration
from tests.support.server import Server


def log(server: Server, iteration: str, **body: Any) -> None:
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "b", **body}))


def use(key: str, kind: str, count: int) -> dict[str, Any]:
    return {"key": key, "type": kind, "count": count}


def test_the_keys_in_use_have_types_and_counts(server: Server) -> None:
    experiment = new_experiment(server)
    keys = f"/experiments/{experiment}/keys"
    assert found(server.call("GET", keys)) == {"parameters": [], "metrics": [], "labels": [], "tags": []}
    first = new_iteration(server, experiment, labels={"team": "nlp", "long": "x" * 3000})
    second = new_iteration(server, experiment, labels={"team": "1"})
    gone = new_iteration(server, experiment, labels={"gone": "1"})
    log(server, first, parameters={"lr": "1e-3", "seed": "NaN", "depth": "12"}, metrics={"loss": {"value": [1, 2]}})
    log(server, second, parameters={"lr": "0.1", "depth": "deep", "b": ""}, metrics={"loss": {"value": ["NaN"]}})
    log(server, first, parameters={}, tags=["best", "1"], batch_id="c")
    log(server, gone, parameters={"gone": "1"}, tags=["gone"], metrics={"gone": {"value": [1]}})
    assert server.call("DELETE", f"/iterations/{gone}").status in (202, 204)
    assert found(server.call("GET", keys)) == {
        "parameters": [
            use("b", "string", 1),
            use("depth", "string", 2),
            use("lr", "number", 2),
            use("seed", "number", 1),
        ],
        "metrics": [use("loss", "number", 2)],
        "labels": [use("long", "string", 1), use("team", "string", 2)],
        "tags": [use("1", "string", 1), use("best", "string", 1)],
    }
    used = server.client().iterations.keys(experiment)
    assert [(each.key, each.count) for each in used.parameters] == [("b", 1), ("depth", 2), ("lr", 2), ("seed", 1)]


def test_more_keys_than_an_answer_can_hold_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    log(server, iteration, parameters={f"{number}".ljust(250, "x"): "1" for number in range(50)})
    found(server.call("GET", f"/experiments/{experiment}/keys"))
    for module in (endpoint, answer):
        monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 10_000)
    check_refused(server.call("GET", f"/experiments/{experiment}/keys"), 413, "PAYLOAD_TOO_LARGE")
