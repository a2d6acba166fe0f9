"""Metrics: values and steps exact through the wire, automatic steps, order, late delivery."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deardiary.wire.form import decode_float, encode_float
from tests.support.api import check_invalid, check_refused, end, found, made, new_iteration
from tests.support.server import Reply, Server

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
EARLY = "2001-01-01T00:00:00.000Z"


def _bits(value: float) -> bytes:
    """The bits of a float. JSON can express only one of the many forms of NaN."""
    return struct.pack(">d", math.nan if math.isnan(value) else value)


def _post(server: Server, iteration: str, **point: Any) -> Reply:
    return server.call("POST", f"/iterations/{iteration}/metrics", {"key": "m", "value": 1.0, **point})


def _batch(server: Server, iteration: str, batch_id: str, points: list[Any]) -> Reply:
    body = {"batch_id": batch_id, "metrics": [{"key": "m", "value": 1.0, **point} for point in points]}
    return server.call("POST", f"/iterations/{iteration}/metrics/batch", body)


def _list(server: Server, iteration: str, query: str = "") -> list[Any]:
    listed: list[Any] = found(server.call("GET", f"/iterations/{iteration}/metrics?limit=200{query}"))["data"]
    return listed


def _steps(server: Server, iteration: str) -> list[int]:
    return [each["step"] for each in _list(server, iteration)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patterns=st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=100))
def test_every_float_comes_back_bit_for_bit(server: Server, patterns: list[bytes]) -> None:
    values = [struct.unpack(">d", pattern)[0] for pattern in patterns]
    iteration = new_iteration(server)
    made(_batch(server, iteration, "b", [{"value": encode_float(value)} for value in values]))
    back = [decode_float(each["value"]) for each in _list(server, iteration)]
    assert [_bits(value) for value in back] == [_bits(value) for value in values]


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", -0.0, 5e-324, 1.7976931348623157e308, 0.1, 2.0**53 + 2]
)
def test_values_at_the_edges(server: Server, value: Any) -> None:
    iteration = new_iteration(server)
    point = made(_post(server, iteration, value=value))
    assert repr(point["value"]) == repr(value)
    assert _list(server, iteration) == [point]


@pytest.mark.parametrize("value", ["nan", "1.0", "inf", "", None, True, [1.0]])
def test_an_invalid_value_is_refused(server: Server, value: Any) -> None:
    iteration = new_iteration(server)
    check_invalid(_post(server, iteration, value=value), "value")
    check_invalid(_batch(server, iteration, "b", [{}, {"value": value}]), "metrics[1].value")


@pytest.mark.parametrize("text", [b"1e400", b"-1e400"])
def test_a_number_beyond_a_float(server: Server, text: bytes) -> None:
    body = b'{"key": "m", "value": ' + text + b"}"
    check_invalid(server.call("POST", f"/iterations/{new_iteration(server)}/metrics", body), "value")


@pytest.mark.parametrize("step", [INT64_MIN, -1, 0, 2**53 + 1, INT64_MAX])
def test_steps_are_exact(server: Server, step: int) -> None:
    iteration = new_iteration(server)
    assert made(_post(server, iteration, step=step))["step"] == step
    assert _steps(server, iteration) == [step]


@pytest.mark.parametrize("step", [INT64_MIN - 1, INT64_MAX + 1, 0.5, "0", True])
def test_an_invalid_step_is_refused(server: Server, step: Any) -> None:
    check_invalid(_post(server, new_iteration(server), step=step), "step")


def test_there_is_no_step_after_the_last(server: Server) -> None:
    iteration = new_iteration(server)
    made(_post(server, iteration, step=INT64_MAX))
    assert _post(server, iteration).error == (422, "INVALID_PAYLOAD")
    made(_post(server, iteration, step=INT64_MAX))
    made(_post(server, iteration, key="other"))


def test_steps_count_themselves_per_key(server: Server) -> None:
    iteration = new_iteration(server)
    given: list[Any] = [{}, {}, {"key": "n"}, {"step": 10}, {}, {"step": 3}, {}, {"key": "n"}]
    assert [made(_post(server, iteration, **point))["step"] for point in given] == [0, 1, 0, 10, 11, 3, 12, 1]


def test_steps_count_themselves_within_a_batch(server: Server) -> None:
    iteration = new_iteration(server)
    points: list[Any] = [{}, {"step": 5}, {}, {"step": 2}, {}, {"key": "n"}]
    receipt = made(_batch(server, iteration, "b", points))
    assert receipt == {"batch_id": "b", "accepted": 6, "last_step": {"m": 7, "n": 0}}
    assert sorted(each["step"] for each in _list(server, iteration, "&key=m")) == [0, 2, 5, 6, 7]
    assert made(_post(server, iteration))["step"] == 8


def test_after_a_negative_step_comes_the_next(server: Server) -> None:
    iteration = new_iteration(server)
    made(_post(server, iteration, step=-5))
    assert made(_post(server, iteration))["step"] == -4


def test_points_are_in_the_order_of_step_then_time_then_arrival(server: Server) -> None:
    iteration, later = new_iteration(server), "2001-01-01T00:00:00.001Z"
    made(_batch(server, iteration, "z", [{"step": 1, "recorded_at": later, "value": 4.0}]))
    points = [(1, EARLY, 2.0), (1, EARLY, 3.0), (0, later, 1.0), (2, EARLY, 6.0), (1, later, 5.0)]
    made(_batch(server, iteration, "a", [{"step": s, "recorded_at": t, "value": v} for s, t, v in points]))
    assert [each["value"] for each in _list(server, iteration)] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    summary = found(server.call("GET", f"/iterations/{iteration}/metrics/summary"))["data"]
    assert summary == {"m": {"first": 1.0, "last": 6.0, "min": 1.0, "max": 6.0, "count": 6, "last_step": 2}}


def test_extremes_pass_over_nan(server: Server) -> None:
    iteration = new_iteration(server)
    for value in ("NaN", 2.0, "-Infinity", "NaN"):
        made(_post(server, iteration, value=value))
    summary = found(server.call("GET", f"/iterations/{iteration}/metrics/summary"))["data"]["m"]
    assert summary == {"first": "NaN", "last": "NaN", "min": "-Infinity", "max": 2.0, "count": 4, "last_step": 3}


def test_a_time_is_in_utc_and_milliseconds(server: Server) -> None:
    iteration = new_iteration(server)
    for sent in ("2026-01-02T03:04:05.6789", "2026-01-02T04:04:05.678+01:00"):
        assert made(_post(server, iteration, recorded_at=sent))["recorded_at"] == "2026-01-02T03:04:05.678Z"
    check_invalid(_post(server, iteration, recorded_at="soon"), "recorded_at")


def test_late_delivery_is_accepted_and_later_points_are_not(server: Server) -> None:
    iteration = new_iteration(server)
    date = end(server, iteration, end_date="2026-01-02T03:04:05.678Z")["end_date"]
    made(_batch(server, iteration, "late", [{"recorded_at": EARLY}, {"recorded_at": date}]))
    after = "2026-01-02T03:04:05.679Z"
    check_invalid(_batch(server, iteration, "mixed", [{"recorded_at": EARLY}, {"recorded_at": after}]), "end_date")
    check_invalid(_batch(server, iteration, "timeless", [{"recorded_at": EARLY}, {}]), "end_date")
    assert _steps(server, iteration) == [0, 1]
    assert found(server.call("GET", f"/iterations/{iteration}"))["end_date"] == date


def _summary(server: Server, iteration: str) -> Any:
    return found(server.call("GET", f"/iterations/{iteration}/metrics/summary"))["data"]


def test_a_point_by_its_id(server: Server) -> None:
    iteration = new_iteration(server)
    made(_batch(server, iteration, "b", [{"value": 1.0}, {"key": "n", "value": 2.0}, {"value": 3.0}]))
    for point in _list(server, iteration):
        assert found(server.call("GET", f"/metrics/{point['id']}")) == point


@pytest.mark.parametrize(
    "change", [{"value": "NaN"}, {"step": -7}, {"recorded_at": EARLY}, {"value": 9, "step": 5}, {}]
)
def test_a_point_is_changed_and_nothing_else(server: Server, change: Any) -> None:
    iteration = new_iteration(server)
    receipt = made(_batch(server, iteration, "b", [{"value": 1.0}, {"value": 2.0}, {"key": "n"}]))
    before = {point["id"]: point for point in _list(server, iteration)}
    chosen = next(point for point in before.values() if point["value"] == 2.0)
    after = found(server.call("PATCH", f"/metrics/{chosen['id']}", change))
    assert after == chosen | change
    assert {point["id"]: point for point in _list(server, iteration)} == before | {chosen["id"]: after}
    assert found(server.call("GET", f"/metrics/{chosen['id']}")) == after
    in_order = [point["value"] for point in _list(server, iteration, "&key=m")]
    assert [_summary(server, iteration)["m"][name] for name in ("first", "last")] == [in_order[0], in_order[-1]]
    assert made(_batch(server, iteration, "b", [{"value": 8.0}])) == receipt


def test_a_point_is_deleted_and_the_others_keep_their_ids(server: Server) -> None:
    iteration = new_iteration(server)
    receipt = made(_batch(server, iteration, "b", [{"value": value} for value in (3.0, 1.0, 2.0)]))
    first, second, third = _list(server, iteration)
    assert server.call("DELETE", f"/metrics/{second['id']}").status == 204
    assert _list(server, iteration) == [first, third]
    check_refused(server.call("GET", f"/metrics/{second['id']}"), 404, "NOT_FOUND")
    check_refused(server.call("DELETE", f"/metrics/{second['id']}"), 404, "NOT_FOUND")
    assert _summary(server, iteration)["m"] == {"first": 3, "last": 2, "min": 2, "max": 3, "count": 2, "last_step": 2}
    assert found(server.call("PATCH", f"/metrics/{third['id']}", {"value": 5.0}))["id"] == third["id"]
    for point in (first, third):
        assert server.call("DELETE", f"/metrics/{point['id']}").status == 204
    assert (_list(server, iteration), _summary(server, iteration)) == ([], {})
    assert made(_batch(server, iteration, "b", [{"value": 8.0}])) == receipt
    assert _list(server, iteration) == []
    assert made(_post(server, iteration))["step"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": None}, "value"),
        ({"value": "nan"}, "value"),
        ({"step": 0.5}, "step"),
        ({"recorded_at": "soon"}, "recorded_at"),
        ({"key": "n"}, "key"),
    ],
)
def test_an_invalid_change_is_refused(server: Server, change: Any, field: str) -> None:
    point = made(_post(server, new_iteration(server)))
    check_invalid(server.call("PATCH", f"/metrics/{point['id']}", change), field)


def test_a_locked_point_stays(server: Server) -> None:
    iteration = new_iteration(server)
    point = made(_post(server, iteration))
    end(server, iteration)
    check_invalid(server.call("PATCH", f"/metrics/{point['id']}", {"value": 2.0}), "end_date")
    check_invalid(server.call("DELETE", f"/metrics/{point['id']}"), "end_date")
    assert _list(server, iteration) == [point]


@pytest.mark.parametrize("ending", [".x.y.00000", ".x.y", "", ".x.y.00000.1", ".0.0.-1"])
def test_an_invalid_point_is_refused(server: Server, ending: str) -> None:
    check_refused(server.call("GET", f"/metrics/{new_iteration(server)}{ending}"), 404, "NOT_FOUND")


def test_pages_of_points_have_each_once(server: Server) -> None:
    iteration = new_iteration(server)
    for batch in range(4):
        given = [{"step": step, "recorded_at": EARLY, "key": f"k{step % 2}"} for step in (3, batch, 0, 7 - batch)]
        made(_batch(server, iteration, str(batch), given))
    whole, seen = _list(server, iteration), []
    cursor: str | None = ""
    while cursor is not None:
        page = found(server.call("GET", f"/iterations/{iteration}/metrics?limit=3{cursor}"))
        seen += page["data"]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == whole
    assert [point["step"] for point in whole] == sorted(point["step"] for point in whole)
