"""Curves as columns: of one iteration, of many side by side, whole, in part and downsampled."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.paging import decode_cursor, encode_cursor
from chalicelib.services import series
from chalicelib.storage.points import chunk
from tests.support.api import check_invalid, check_refused, found, made, new_experiment, new_iteration, new_person
from tests.support.server import Reply, Server

TIME = "2026-01-02T03:04:05.678Z"


def _log(server: Server, iteration: str, batch_id: str, **columns: Any) -> None:
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": batch_id, "metrics": columns}))


def _curves(server: Server, iteration: str, query: str = "") -> Any:
    answer = found(server.call("GET", f"/iterations/{iteration}/metrics/series?{query}"))
    assert answer["next_cursor"] is None
    return answer["data"]


def _ask(server: Server, iteration: str, query: str) -> Reply:
    return server.call("GET", f"/iterations/{iteration}/metrics/series?{query}")


@pytest.fixture
def iteration(server: Server) -> str:
    made_here = new_iteration(server)
    _log(server, made_here, "1", loss={"value": [0.5, "NaN", 0.25], "step": [0, 2, 1], "recorded_at": [TIME] * 3})
    _log(server, made_here, "2", **{"acc/ü": {"value": [1, "Infinity"], "recorded_at": [TIME] * 2}})
    return made_here


def test_curves_are_columns_in_order(server: Server, iteration: str) -> None:
    loss = {"step": [0, 1, 2], "value": [0.5, 0.25, "NaN"], "recorded_at": [TIME] * 3}
    acc = {"step": [0, 1], "value": [1.0, "Infinity"], "recorded_at": [TIME] * 2}
    assert _curves(server, iteration) == {"acc/ü": acc, "loss": loss}
    assert _curves(server, iteration, "key=loss") == {"loss": loss}
    assert _curves(server, iteration, "key=loss&key=acc/%C3%BC&key=loss") == {"loss": loss, "acc/ü": acc}


def test_a_key_without_points_has_an_empty_curve(server: Server, iteration: str) -> None:
    assert _curves(server, iteration, "key=other") == {"other": {"step": [], "value": [], "recorded_at": []}}
    assert _curves(server, new_iteration(server)) == {}


@pytest.mark.parametrize(
    ("window", "steps"),
    [
        ("min_step=1", [1, 2]),
        ("max_step=1", [0, 1]),
        ("min_step=1&max_step=1", [1]),
        ("min_step=3", []),
        ("max_step=-1", []),
        ("max_points=2", [0, 2]),
        ("max_points=1", [2]),
        ("min_step=1&max_points=1", [2]),
    ],
)
def test_a_window(server: Server, iteration: str, window: str, steps: list[int]) -> None:
    assert _curves(server, iteration, f"key=loss&{window}")["loss"]["step"] == steps


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("max_points=0", "max_points"),
        ("min_step=x", "min_step"),
        ("max_step=9223372036854775808", "max_step"),
        ("key=", "key[0]"),
        ("cursor=nonsense", "cursor"),
        ("keys=loss", "keys"),
    ],
)
def test_an_invalid_query_is_refused(server: Server, iteration: str, query: str, field: str) -> None:
    check_invalid(_ask(server, iteration, query), field)


def test_a_long_answer_comes_in_pages(server: Server, iteration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_POINTS", 7)
    many = new_iteration(server)
    # Points that share step and time, so that a page ends among equals.
    _log(server, many, "1", a={"value": list(range(10)), "step": [0] * 5 + [1] * 5, "recorded_at": [TIME] * 10})
    _log(server, many, "2", b={"value": list(range(10, 14)), "recorded_at": [TIME] * 4})
    _log(server, many, "3", c={"value": list(range(14, 20)), "recorded_at": [TIME] * 6})
    for points, pages in (("", [7, 7, 6]), ("max_points=6&", [4, 4, 6])):
        values: list[float] = []
        cursor: str | None = ""
        sizes = []
        while cursor is not None:
            page = found(_ask(server, many, points + cursor))
            sizes.append(sum(len(curve["value"]) for curve in page["data"].values()))
            values += [value for curve in page["data"].values() for value in curve["value"]]
            cursor = page["next_cursor"] and f"cursor={page['next_cursor']}"
        assert sizes == pages
        assert len(values) == len(set(values)) == sum(pages)
    foreign = found(_ask(server, many, ""))["next_cursor"]
    check_invalid(_ask(server, many, f"key=a&cursor={foreign}"), "cursor")
    check_invalid(_ask(server, iteration, f"cursor={foreign}"), "cursor")
    scope, curve, *position = decode_cursor(foreign, 5)
    for forged in (["a", "b", "c"], [*position[:2], "-1"]):
        check_invalid(_ask(server, many, f"cursor={encode_cursor(scope, curve, *forged)}"), "cursor")


def test_one_curve_in_many_iterations(server: Server) -> None:
    experiment = new_experiment(server)
    iterations = [new_iteration(server, experiment) for _ in range(4)]
    for number, each in enumerate(iterations[:3]):
        _log(server, each, "1", loss={"value": [number] * 500}, other={"value": [9]})
    path = f"/experiments/{experiment}/metrics/series?key=loss"
    answer = found(server.call("GET", f"{path}&max_points=10"))
    assert list(answer["data"]) == iterations
    assert [set(curve["value"]) for curve in answer["data"].values()] == [{0}, {1}, {2}, set()]
    assert all(len(curve["step"]) <= 10 for curve in answer["data"].values())
    chosen = f"{path}&iteration_id={iterations[2]}&iteration_id={iterations[0]}&iteration_id={new_iteration(server)}"
    assert list(found(server.call("GET", chosen))["data"]) == [iterations[2], iterations[0]]
    check_invalid(server.call("GET", f"/experiments/{experiment}/metrics/series"), "key")
    too_many = "&iteration_id=x" * 201
    check_invalid(server.call("GET", path + too_many), "iteration_id")


def test_a_page_decodes_no_rows_of_earlier_pages(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    many, opened = new_iteration(server), list[int]()
    for number in range(6):
        _log(server, many, f"{number}", a={"value": [number] * 5, "step": [number * 4 + step for step in range(5)]})
    whole = found(_ask(server, many, "key=a"))["data"]["a"]
    decode = chunk.open_points

    def counting(*given: Any) -> Any:
        opened.append(1)
        return decode(*given)

    monkeypatch.setattr(chunk, "open_points", counting)
    monkeypatch.setattr(series, "MOST_POINTS", 7)
    pages, counts = [], []
    cursor: str | None = ""
    while cursor is not None:
        page = found(_ask(server, many, f"key=a{cursor}"))
        pages.append(page["data"]["a"])
        counts.append(len(opened))
        opened.clear()
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert {name: [each for page in pages for each in page[name]] for name in whole} == whole
    assert counts == [6, 5, 4, 3, 1]


def test_many_curves_come_in_pages(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    iterations = [new_iteration(server, experiment) for _ in range(5)]
    monkeypatch.setattr(series, "MOST_ITERATIONS", 2)
    path, seen = f"/experiments/{experiment}/metrics/series?key=loss", []
    cursor: str | None = ""
    while cursor is not None:
        page = found(server.call("GET", path + cursor))
        seen.append(list(page["data"]))
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == [iterations[:2], iterations[2:4], iterations[4:]]


@pytest.mark.parametrize("query", ["", "max_points=3", "min_step=1"])
def test_a_page_reads_a_bounded_number_of_points(server: Server, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """Of the curves of one iteration, and of one curve in many iterations, at least one."""
    experiment = new_experiment(server)
    iterations = [new_iteration(server, experiment) for _ in range(5)]
    for each in iterations:
        _log(server, each, "1", **{key: {"value": [1, 2, 3, 4], "step": [0, 1, 2, 3]} for key in "abcde"})
    paths = f"/iterations/{iterations[0]}/metrics/series?", f"/experiments/{experiment}/metrics/series?key=a&"
    whole = [found(server.call("GET", path + query)) for path in paths]
    monkeypatch.setattr(series, "MOST_READ", 9)
    for path, expected, curves_a_page in zip(paths, whole, (2, 1), strict=True):
        assert expected["next_cursor"] is None
        pages: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = found(server.call("GET", f"{path}{query}&cursor={cursor}" if cursor else path + query))
            pages.append(answer["data"])
            cursor = answer["next_cursor"]
        assert all(len(page) <= curves_a_page for page in pages)
        assert {name: curve for page in pages for name, curve in page.items()} == expected["data"]


def test_an_iteration_of_another_user_has_no_curve(server: Server, iteration: str) -> None:
    stranger = new_person(server)
    experiment = found(server.call("GET", f"/iterations/{iteration}"))["experiment_id"]
    for path in (f"/iterations/{iteration}/metrics/series", f"/experiments/{experiment}/metrics/series?key=loss"):
        check_refused(server.call("GET", path, token=stranger.token), 404, "NOT_FOUND")


def test_the_client_puts_pages_together(server: Server, iteration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_POINTS", 2)
    metrics = server.client().metrics
    curves = metrics.curves(iteration)
    assert {key: curve.step for key, curve in curves.items()} == {"acc/ü": (0, 1), "loss": (0, 1, 2)}
    assert [len(curve.recorded_at) for curve in curves.values()] == [2, 3]
    assert metrics.curves(iteration, "loss", min_step=1, max_step=1)["loss"].value == (0.25,)
    assert metrics.summary(iteration)["loss"].count == 3
    experiment = found(server.call("GET", f"/iterations/{iteration}"))["experiment_id"]
    assert metrics.curve_of_iterations(experiment, "loss", max_points=2)[iteration].step == (0, 2)


def test_summaries_of_several_iterations_come_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    iterations = [new_iteration(server, experiment) for _ in range(3)]
    foreign = new_iteration(server)
    for each in (*iterations, foreign):
        _log(server, each, "1", loss={"value": [0.5, 0.25]}, acc={"value": [1.0]})
    path = f"/experiments/{experiment}/metrics/summary"

    def ask(*ids: str) -> Any:
        return found(server.call("GET", f"{path}?{'&'.join(f'iteration_id={each}' for each in ids)}"))

    answer = ask(iterations[2], iterations[0], foreign, iterations[0])
    assert list(answer["data"]) == [iterations[2], iterations[0]]
    assert answer["left"] == []
    for each in answer["data"]:
        assert answer["data"][each] == found(server.call("GET", f"/iterations/{each}/metrics/summary"))["data"]
    monkeypatch.setattr(series, "MOST_SUMMARIES", 3)
    assert (list((first := ask(*iterations))["data"]), first["left"]) == (iterations[:1], iterations[1:])
    assert list(ask(*iterations[1:])["data"]) == iterations[1:2]
    check_invalid(server.call("GET", path), "iteration_id")
