"""Curves of several iterations on one grid, over HTTP."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.services.points import chart as service
from chalicelib.services.points import compaction
from chalicelib.storage import iteration as iterations
from tests.support.api import check_invalid, check_refused, end, found, made, new_experiment, new_iteration
from tests.support.server import Server

CREATED = "2026-01-01T00:00:00.000Z"
CREATED_MS = 1_767_225_600_000
LAST_STEP = 2**63 - 1


@pytest.fixture(scope="module")
def experiment(server: Server) -> str:
    return new_experiment(server)


def log(server: Server, iteration: str, key: str, points: list[tuple[int, Any, int]], batch: str = "b") -> None:
    """Log points of a step, a value, and a time in ms after the creation."""
    columns = {
        "step": [step for step, _, _ in points],
        "value": [value for _, value, _ in points],
        "recorded_at": [f"2026-01-01T00:{ms // 60_000:02}:{ms % 60_000 / 1000:06.3f}Z" for _, _, ms in points],
    }
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": f"{key}{batch}", "metrics": {key: columns}}))


@pytest.fixture(scope="module")
def pair(server: Server, experiment: str) -> tuple[str, str]:
    """Two iterations with a loss at steps 0 to 9 and 10 to 19; the first has an accuracy with holes too."""
    first, second = sorted(new_iteration(server, experiment, created_date=CREATED) for _ in range(2))
    log(server, first, "loss", [(step, step / 10, step * 1000) for step in range(10)])
    log(server, second, "loss", [(step, -step, step * 1000) for step in range(10, 20)])
    holes = [(0, "NaN", 0), (1, "Infinity", 1000), (1, 5, 1001), (2, 3, 1500), (2, "NaN", 1600)]
    log(server, first, "accuracy", [*holes, (19, "-Infinity", 2000)])
    return first, second


def chart(server: Server, experiment: str, *pairs: tuple[str, Any]) -> Any:
    return found(server.call("GET", f"/experiments/{experiment}/metrics/curves?{urlencode(pairs)}"))


def test_curves_share_one_grid(server: Server, experiment: str, pair: tuple[str, str]) -> None:
    first, second = pair
    answer = chart(server, experiment, ("key", "loss"), ("key", "accuracy"), ("key", "absent"), ("buckets", 4))
    assert (answer["x"], answer["min_x"], answer["max_x"]) == ([0, 8, 16], 0, 19)
    assert answer["next_cursor"] is None
    assert answer["data"] == {
        "loss": {
            first: {
                "last": [0.7, 0.9, None],
                "min": [0.0, 0.8, None],
                "max": [0.7, 0.9, None],
                "count": [8, 2, 0],
                "nan": [0, 0, 0],
                "total": 10,
            },
            second: {
                "last": [None, -15.0, -19.0],
                "min": [None, -15.0, -19.0],
                "max": [None, -10.0, -16.0],
                "count": [0, 6, 4],
                "nan": [0, 0, 0],
                "total": 10,
            },
        },
        "accuracy": {
            first: {
                "last": [3.0, None, "-Infinity"],
                "min": [3.0, None, "-Infinity"],
                "max": ["Infinity", None, "-Infinity"],
                "count": [5, 0, 1],
                "nan": [2, 0, 0],
                "total": 6,
            }
        },
        "absent": {},
    }


def test_numbers_can_be_rounded(server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, created_date=CREATED)
    log(server, iteration, "third", [(0, 1 / 3, 0), (1, -2e300 / 3, 1), (2, "Infinity", 2), (3, "NaN", 3), (4, 0, 4)])
    for digits, third, large in ((3, 0.333, -6.67e299), (17, 1 / 3, -2e300 / 3)):
        answer = chart(server, experiment, ("key", "third"), ("digits", digits))
        assert answer["data"]["third"][iteration]["last"] == [third, large, "Infinity", None, 0.0]


def test_each_of_few_steps_has_its_own_bucket(server: Server, experiment: str, pair: tuple[str, str]) -> None:
    answer = chart(
        server, experiment, ("key", "accuracy"), ("iteration_id", pair[0]), ("min_x", 1), ("max_x", 3), ("x", "step")
    )
    assert answer["x"] == [1, 2, 3]
    # Of two points at one step, the later counts as the last.
    curve = answer["data"]["accuracy"][pair[0]]
    assert curve["last"] == [5.0, 3.0, None]
    assert (curve["count"], curve["nan"], curve["total"]) == ([2, 2, 0], [0, 1, 0], 6)


@pytest.mark.parametrize(("x", "origin"), [("relative", 0), ("time", CREATED_MS)])
def test_a_grid_of_times(server: Server, experiment: str, pair: tuple[str, str], x: str, origin: int) -> None:
    first, second = pair
    answer = chart(server, experiment, ("key", "loss"), ("x", x), ("buckets", 4))
    starts, end = answer["x"], origin + 19_000
    assert (starts[0], answer["max_x"]) == (origin, end)
    assert 2 < len(starts) <= 4
    edges = list(pairwise([*starts, end + 1]))
    for iteration, steps in ((first, range(10)), (second, range(10, 20))):
        counts = [sum(low <= origin + 1000 * step < high for step in steps) for low, high in edges]
        assert answer["data"]["loss"][iteration]["count"] == counts
    part = chart(server, experiment, ("key", "loss"), ("x", x), ("min_x", origin + 500), ("max_x", origin + 2500))
    assert sum(part["data"]["loss"][first]["count"]) == 2
    assert set(part["data"]["loss"][second]["count"]) == {0}


def test_points_out_of_the_order_of_time_are_all_shown(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment, created_date=CREATED)
    log(server, iteration, "loss", [(0, 1, 5000), (1, 2, 1000), (2, 3, 20_000), (3, 4, 7000)])
    answer = chart(server, experiment, ("key", "loss"), ("x", "relative"), ("buckets", 2))
    assert (answer["min_x"], answer["max_x"]) == (5000, 7000)
    curve = answer["data"]["loss"][iteration]
    assert (curve["count"], curve["last"]) == ([2, 2], [1.0, 3.0])


def test_steps_at_both_ends_of_int64(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    log(server, iteration, "loss", [(-LAST_STEP - 1, 1, 0), (0, 2, 1), (LAST_STEP, 3, 2)])
    answer = chart(server, experiment, ("key", "loss"), ("buckets", 4))
    assert (answer["min_x"], answer["max_x"]) == (-LAST_STEP - 1, LAST_STEP)
    assert answer["data"]["loss"][iteration]["last"] == [1.0, None, 2.0, 3.0]


def test_packed_points_are_shown_too(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    for step in range(6):
        log(server, iteration, "loss", [(step, step, step)], f"b{step}")
        log(server, iteration, "accuracy", [(step, -step, step)], f"b{step}")
    before = chart(server, experiment, ("key", "loss"))
    stored = iterations.find_iteration(experiment, iteration)
    assert stored is not None
    assert compaction.compact(stored, 1) == 12
    assert chart(server, experiment, ("key", "loss")) == before
    assert before["data"]["loss"][iteration]["last"] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("limit", ["MOST_BUCKETS", "MOST_POINTS"])
def test_pages_have_the_grid_of_the_whole(
    server: Server, experiment: str, pair: tuple[str, str], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = (("key", "loss"), ("key", "accuracy"), ("buckets", 7))
    whole = chart(server, experiment, *query)
    monkeypatch.setattr(service, limit, 1)
    page = chart(server, experiment, *query)
    data = page["data"]
    assert list(data["loss"]) == [pair[0]]
    rest = chart(server, experiment, *query, ("cursor", page["next_cursor"]))
    assert rest["x"] == page["x"] == whole["x"]
    assert rest["next_cursor"] is None
    for key, curves in rest["data"].items():
        data[key] |= curves
    assert data == whole["data"]
    check_invalid(
        server.call("GET", f"/experiments/{experiment}/metrics/curves?key=loss&cursor={page['next_cursor']}"), "cursor"
    )


def test_a_chart_without_points_is_empty(server: Server, experiment: str, pair: tuple[str, str]) -> None:
    empty: dict[str, Any] = {"x": [], "min_x": None, "max_x": None, "next_cursor": None}
    assert chart(server, experiment, ("key", "absent")) == {**empty, "data": {"absent": {}}}
    assert chart(server, experiment, ("key", "loss"), ("min_x", 100)) == {**empty, "data": {"loss": {}}}
    assert chart(server, experiment, ("key", "loss"), ("iteration_id", "0" * 24))["data"] == {"loss": {}}


def test_a_chart_leaves_out_what_is_deleted_or_elsewhere(
    server: Server, experiment: str, pair: tuple[str, str]
) -> None:
    other = new_iteration(server)
    log(server, other, "loss", [(0, 1, 0)])
    gone = new_iteration(server, experiment)
    log(server, gone, "loss", [(1000, 1, 0)])
    end(server, gone)
    assert server.call("DELETE", f"/iterations/{gone}").status in (202, 204)
    ids = [("iteration_id", each) for each in (*pair, other, gone)]
    answer = chart(server, experiment, ("key", "loss"), *ids)
    assert answer["max_x"] == 19
    assert set(answer["data"]["loss"]) == set(pair)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "key"),
        ("key=", "key[0]"),
        ("key=loss&buckets=0", "buckets"),
        ("key=loss&buckets=1001", "buckets"),
        ("key=loss&x=epoch", "x"),
        ("key=loss&digits=0", "digits"),
        ("key=loss&digits=18", "digits"),
        ("key=loss&min_x=2&max_x=1", "max_x"),
        ("key=loss&min_x=1.5", "min_x"),
        ("&".join(f"key={at}" for at in range(51)), "key"),
        ("key=loss&" + "&".join(f"iteration_id={at}" for at in range(201)), "iteration_id"),
        ("key=loss&cursor=x", "cursor"),
    ],
)
def test_a_wrong_query_is_refused(server: Server, experiment: str, query: str, field: str) -> None:
    check_invalid(server.call("GET", f"/experiments/{experiment}/metrics/curves?{query}"), field)


def test_an_experiment_of_many_iterations_needs_their_ids(
    server: Server, experiment: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_ITERATIONS", 1)
    reply = server.call("GET", f"/experiments/{experiment}/metrics/curves?key=loss")
    check_refused(reply, 422, "INVALID_PAYLOAD", "iteration_id")
