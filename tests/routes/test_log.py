"""Batches and flushes: stored once however often they are sent, in either form, up to their limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import check_invalid, check_refused, end, found, made, new_iteration
from tests.support.server import Reply, Server

MIB = 1024 * 1024
TIMES = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z"]


def _log(server: Server, iteration: str, **body: Any) -> Reply:
    return server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "b", **body})


def _points(server: Server, iteration: str) -> list[Any]:
    listed = found(server.call("GET", f"/iterations/{iteration}/metrics?limit=200"))["data"]
    return [{name: each[name] for name in ("key", "value", "step", "recorded_at")} for each in listed]


def test_columns_say_the_same_as_a_list(server: Server) -> None:
    one, other = new_iteration(server), new_iteration(server)
    columns = {
        "loss": {"step": [3, None], "value": [0.5, "NaN"], "recorded_at": TIMES},
        "accuracy": {"value": [1.0], "recorded_at": TIMES[:1]},
    }
    listed = [
        {"key": "loss", "value": 0.5, "step": 3, "recorded_at": TIMES[0]},
        {"key": "loss", "value": "NaN", "recorded_at": TIMES[1]},
        {"key": "accuracy", "value": 1.0, "recorded_at": TIMES[0]},
    ]
    receipt = {"batch_id": "b", "accepted": 3, "last_step": {"loss": 4, "accuracy": 0}, "flush_after_seconds": 5.0}
    assert [made(_log(server, one, metrics=columns)), made(_log(server, other, metrics=listed))] == [receipt] * 2
    assert _points(server, one) == _points(server, other)


@pytest.mark.parametrize("path", ["log", "metrics/batch"])
def test_the_same_batch_again_changes_nothing_and_answers_alike(server: Server, path: str) -> None:
    iteration = new_iteration(server)
    target = f"/iterations/{iteration}/{path}"
    body = {"batch_id": "b", "metrics": [{"key": "m", "value": 1.0}, {"key": "m", "value": 2.0}]}
    first = server.call("POST", target, body)
    made(_log(server, iteration, batch_id="other", metrics=[{"key": "m", "value": 3.0}]))
    before = _points(server, iteration)
    assert server.call("POST", target, body) == first
    end(server, iteration)
    assert server.call("POST", target, body) == first
    assert _points(server, iteration) == before
    assert [each["value"] for each in before] == [1.0, 2.0, 3.0]


def test_a_whole_flush_is_taken_again_after_the_end(server: Server) -> None:
    iteration = new_iteration(server)
    flush: dict[str, Any] = {"parameters": {"k": "v"}, "tags": ["t"], "metrics": {"m": {"value": [1.0]}}}
    first = _log(server, iteration, **flush)
    end(server, iteration)
    assert _log(server, iteration, **flush) == first


def test_the_same_batch_id_in_another_iteration_is_another_batch(server: Server) -> None:
    for iteration in (new_iteration(server), new_iteration(server)):
        made(_log(server, iteration, metrics={"m": {"value": [1.0]}}))
        assert len(_points(server, iteration)) == 1


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"value": [1.0], "step": [1, 2]}, "metrics.m.step"),
        ({"value": [1.0], "recorded_at": []}, "metrics.m.recorded_at"),
        ({"value": [1.0, "one"]}, "metrics.m.value[1]"),
        ({"step": [1]}, "metrics.m.value"),
        ({"value": [None]}, "metrics.m.value[0]"),
    ],
)
def test_columns_of_the_wrong_form(server: Server, columns: Any, field: str) -> None:
    check_invalid(_log(server, new_iteration(server), metrics={"m": columns}), field)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"parameters": {"k" * 251: "v"}}, "parameters"),
        ({"parameters": {"": "v"}}, "parameters"),
        ({"parameters": {"bad\n": "v"}}, "parameters"),
        ({"metrics": {"k" * 251: {"step": [1], "value": [1.0]}}}, "metrics"),
    ],
    ids=str,
)
def test_an_invalid_key_names_the_part_of_the_flush(server: Server, content: Any, field: str) -> None:
    check_invalid(_log(server, new_iteration(server), **content), field)


@pytest.mark.parametrize("batch_id", ["", "b" * 129, None, 1])
def test_an_invalid_batch_id_is_refused(server: Server, batch_id: Any) -> None:
    check_invalid(_log(server, new_iteration(server), batch_id=batch_id), "batch_id")


def test_a_batch_has_at_most_ten_thousand_points(server: Server) -> None:
    iteration = new_iteration(server)
    full: list[Any] = [{"key": "m", "value": float(at)} for at in range(10_000)]
    path = f"/iterations/{iteration}/metrics/batch"
    receipt = made(server.call("POST", path, {"batch_id": "full", "metrics": full}))
    assert (receipt["accepted"], receipt["last_step"]) == (10_000, {"m": 9_999})
    more = {"batch_id": "more", "metrics": [*full, full[0]]}
    check_invalid(server.call("POST", path, more), "metrics")
    columns = {"m": {"value": [1.0] * 5_000}, "n": {"value": [1.0] * 5_001}}
    check_invalid(_log(server, iteration, metrics=columns), "metrics")
    last = found(server.call("GET", f"/iterations/{iteration}/metrics/summary"))["data"]["m"]
    assert (last["count"], last["last"]) == (10_000, 9_999.0)


def test_too_many_keys_are_refused_and_leave_the_iteration_whole(server: Server) -> None:
    iteration = new_iteration(server)
    for step in (None, 1):
        many = [{"key": f"key {at}", "value": 1.0, "step": step} for at in range(10_000)]
        for _ in range(2):
            check_invalid(_log(server, iteration, metrics=many), "metrics")
    made(_log(server, iteration, metrics={"m": {"value": [1.0]}}))
    assert [each["key"] for each in _points(server, iteration)] == ["m"]
    assert server.call("DELETE", f"/iterations/{iteration}").status == 204


def test_a_body_has_at_most_four_mebibytes(server: Server) -> None:
    iteration = new_iteration(server)
    body = json.dumps({"batch_id": "b", "metrics": []}).encode()
    path = f"/iterations/{iteration}/log"
    made(server.call("POST", path, body + b" " * (4 * MIB - len(body))))
    check_refused(server.call("POST", path, body + b" " * (4 * MIB - len(body) + 1)), 413, "PAYLOAD_TOO_LARGE")
