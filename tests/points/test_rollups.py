"""Rollups over HTTP: the first reader makes them, later ones read no points, and no answer shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.services.points import compaction, rollups
from chalicelib.storage import iteration as iterations
from chalicelib.storage.points import rollup, rows
from chalicelib.storage.points.rollup import RollupRow
from chalicelib.storage.table import item, keys
from tests.support.api import end, found, made, new_experiment, new_iteration
from tests.support.consistency import check_consistency
from tests.support.server import Server

CREATED = "2026-01-01T00:00:00.000Z"
AXES = ("step", "relative", "time")


@pytest.fixture(autouse=True)
def short_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves of a few points have rollups, of fewer."""
    monkeypatch.setattr(rollups, "WORTH_POINTS", 40)
    monkeypatch.setattr(rollups, "MOST", 16)


@pytest.fixture
def experiment(server: Server) -> Iterator[str]:
    yield new_experiment(server)
    check_consistency()


@pytest.fixture
def iteration(server: Server, experiment: str) -> str:
    """An ended iteration with two metrics of 50 points."""
    iteration = new_iteration(server, experiment, created_date=CREATED)
    log(server, iteration, "b", 50)
    end(server, iteration)
    return iteration


def log(server: Server, iteration: str, batch: str, points: int, first: int = 0) -> None:
    times = [f"2026-01-01T00:00:{number % 60:02}.000Z" for number in range(first, first + points)]
    values = ["NaN" if number % 7 == 3 else number * (-1) ** number for number in range(first, first + points)]
    column = {"step": list(range(first, first + points)), "value": values, "recorded_at": times}
    made(
        server.call("POST", f"/iterations/{iteration}/log", {"batch_id": batch, "metrics": {"a": column, "z": column}})
    )


def look(server: Server, experiment: str, iteration: str, **query: Any) -> list[Any]:
    """Charts over all axes, and few points of the iteration and of the experiment."""
    charts = [f"metrics/curves?{urlencode({'key': 'a', 'buckets': 10, 'x': x, **query})}" for x in AXES]
    paths = [f"/experiments/{experiment}/{each}" for each in (*charts, "metrics/series?key=a&max_points=9")]
    paths.append(f"/iterations/{iteration}/metrics/series?max_points=9")
    return [found(server.call("GET", path)) for path in paths]


def plainly(server: Server, experiment: str, iteration: str) -> list[Any]:
    """The same from the points."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "WORTH_POINTS", 1_000_000)
        return look(server, experiment, iteration)


def stored(iteration: str) -> list[str]:
    return [key.sk for key in item.raw_keys(keys.iteration_partition(iteration), keys.ROLLUP)]


def test_later_readers_of_an_ended_iteration_read_no_points(server: Server, experiment: str, iteration: str) -> None:
    before = plainly(server, experiment, iteration)
    assert stored(iteration) == []
    assert look(server, experiment, iteration) == before
    assert {sk.split("#")[1] for sk in stored(iteration)} == {*AXES, "rank"}

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("points were read")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "read_rows", refuse)
        assert look(server, experiment, iteration) == before


def test_late_points_and_edits_are_shown(server: Server, experiment: str, iteration: str) -> None:
    look(server, experiment, iteration)
    late = {"a": {"step": [3, 70], "value": [500, 5], "recorded_at": [CREATED, CREATED]}}
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "late", "metrics": late}))
    assert look(server, experiment, iteration) == plainly(server, experiment, iteration)
    for method, value in (("PATCH", 500), ("DELETE", 70)):
        # An edit needs the iteration open; with the next end, the rollups of before would be used again.
        found(server.call("PATCH", f"/iterations/{iteration}", {"status_id": 1}))
        points = found(server.call("GET", f"/iterations/{iteration}/metrics?key=a&limit=200"))["data"]
        (chosen,) = [each["id"] for each in points if value in (each["value"], each["step"])]
        body = {"value": -1000} if method == "PATCH" else None
        assert server.call(method, f"/metrics/{chosen}", body).status in (200, 204)
        end(server, iteration)
        assert look(server, experiment, iteration) == plainly(server, experiment, iteration)


def test_a_range_is_read_from_the_points_if_some_are_outside(server: Server, experiment: str, iteration: str) -> None:
    look(server, experiment, iteration)
    (chart, *_) = look(server, experiment, iteration, min_x=10, max_x=20)
    assert sum(chart["data"]["a"][iteration]["count"]) == 11
    (chart, *_) = look(server, experiment, iteration, min_x=-5, max_x=500)
    assert sum(chart["data"]["a"][iteration]["count"]) == 50
    (chart, *_) = look(server, experiment, iteration, buckets=50)
    assert chart["data"]["a"][iteration]["count"] == [1] * 50


def test_a_window_reads_its_own_chunks_only(server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, created_date=CREATED)
    for number in range(12):
        log(server, iteration, f"batch {number}", 5, 5 * number)
    end(server, iteration)

    def window(low: int, high: int) -> Any:
        query = f"key=a&min_step={low}&max_step={high}"
        return found(server.call("GET", f"/iterations/{iteration}/metrics/series?{query}"))["data"]["a"]

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("all points were read")

    first = window(13, 22)
    assert first["step"] == list(range(13, 23))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "read_rows", refuse)
        assert window(13, 22) == first
        assert window(100, 200)["step"] == []
        query = urlencode({"key": "a", "min_x": 13, "max_x": 22})
        chart = found(server.call("GET", f"/experiments/{experiment}/metrics/curves?{query}"))
    assert sum(chart["data"]["a"][iteration]["count"]) == 10
    log(server, iteration, "late", 3, 14)
    assert window(13, 22)["step"] == sorted([*range(13, 23), 14, 15, 16])
    compact(experiment, iteration)
    assert window(13, 22)["step"] == sorted([*range(13, 23), 14, 15, 16])


def compact(experiment: str, iteration: str) -> int:
    stored_iteration = iterations.find_iteration(experiment, iteration)
    assert stored_iteration is not None
    return compaction.compact(stored_iteration, 1)


def points_of(server: Server, iteration: str, limit: int, **query: Any) -> list[Any]:
    """All points as JSON, in pages."""
    path = f"/iterations/{iteration}/metrics"
    page = found(server.call("GET", f"{path}?{urlencode({'limit': limit, **query})}"))
    points: list[Any] = page["data"]
    while page["next_cursor"]:
        page = found(
            server.call("GET", f"{path}?{urlencode({'limit': limit, 'cursor': page['next_cursor'], **query})}")
        )
        points += page["data"]
    return points


@pytest.mark.parametrize("is_compacted", [False, True], ids=["chunks", "packed rows"])
@pytest.mark.parametrize("query", [{}, {"key": "a"}], ids=["all", "one key"])
def test_a_page_of_points_reads_its_own_rows_only(
    server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch, is_compacted: bool, query: dict[str, str]
) -> None:
    monkeypatch.setattr(compaction, "POINTS_PER_ROW", 5)
    iteration = new_iteration(server, experiment, created_date=CREATED)
    for number in (3, 0, 11, 7, 2, 9, 10, 1, 4, 8, 6, 5):
        log(server, iteration, f"batch {number}", 6, 5 * number)
    before = points_of(server, iteration, 200, **query)
    end(server, iteration)
    if is_compacted:
        assert compact(experiment, iteration) == 12
    assert points_of(server, iteration, 200, **query) == before
    opened: list[int] = []
    read = rows.read_visible

    def counted(wanted: Any) -> Any:
        opened.append(len(wanted))
        return read(wanted)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("all points were read")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "read_rows", refuse)
        patch.setattr(rows, "read_visible", counted)
        assert points_of(server, iteration, 200, **query) == before
        assert points_of(server, iteration, 7, **query) == before
        opened.clear()
        path = f"/iterations/{iteration}/metrics?{urlencode({'limit': 3, **query})}"
        assert found(server.call("GET", path))["data"] == before[:3]
    # Of chunks, those of four points and one more.
    assert opened == [4 if is_compacted else 2]


def test_a_window_of_packed_rows_reads_its_own_only(
    server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "POINTS_PER_ROW", 5)
    iteration = new_iteration(server, experiment, created_date=CREATED)
    for number in range(12):
        log(server, iteration, f"batch {number}", 5, 5 * number)
    end(server, iteration)
    assert compact(experiment, iteration) == 12
    path = f"/iterations/{iteration}/metrics/series?key=a&min_step=13&max_step=22"
    before = found(server.call("GET", path))
    assert before["data"]["a"]["step"] == list(range(13, 23))

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("all points were read")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "read_rows", refuse)
        assert found(server.call("GET", path)) == before


def test_a_page_of_points_during_a_compaction(server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    iteration = new_iteration(server, experiment, created_date=CREATED)
    for number in range(12):
        log(server, iteration, f"batch {number}", 5, 5 * number)
    end(server, iteration)
    before = points_of(server, iteration, 200)
    read = rows.read_visible

    def compact_first(*arguments: Any) -> Any:
        compact(experiment, iteration)
        return read(*arguments)

    monkeypatch.setattr(rows, "read_visible", compact_first)
    assert points_of(server, iteration, 7) == before
    assert points_of(server, iteration, 200) == before


def test_an_edit_of_a_point_shows_on_its_page(server: Server, experiment: str, iteration: str) -> None:
    first = points_of(server, iteration, 200)
    found(server.call("PATCH", f"/iterations/{iteration}", {"status_id": 1}))
    assert found(server.call("PATCH", f"/metrics/{first[0]['id']}", {"step": 48}))["step"] == 48
    assert server.call("DELETE", f"/metrics/{first[5]['id']}").status == 204
    end(server, iteration)
    pages = points_of(server, iteration, 7)
    assert sorted(each["id"] for each in pages) == sorted(each["id"] for each in (*first[:5], *first[6:]))
    assert [each["step"] for each in pages] == sorted(each["step"] for each in pages)


def test_a_chunk_that_is_moved_while_a_window_is_read(
    server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    iteration = new_iteration(server, experiment, created_date=CREATED)
    for number in range(10):
        log(server, iteration, f"batch {number}", 5, 5 * number)
    end(server, iteration)
    stored_iteration = iterations.find_iteration(experiment, iteration)
    assert stored_iteration is not None
    path, read = f"/iterations/{iteration}/metrics/series?key=a&min_step=7&max_step=11", rows.read_visible
    before = found(server.call("GET", path))

    def compact_first(*arguments: Any) -> Any:
        assert compaction.compact(stored_iteration, 1) == 10
        return read(*arguments)

    monkeypatch.setattr(rows, "read_visible", compact_first)
    assert found(server.call("GET", path)) == before


def test_a_rollup_that_cannot_be_read_is_made_anew(server: Server, experiment: str, iteration: str) -> None:
    before = look(server, experiment, iteration)
    for sk in stored(iteration):
        row = RollupRow(keys.iteration_partition(iteration), sk)
        row.update([RollupRow.columns.set(b"DDR\x02 of a later version")])
    assert look(server, experiment, iteration) == before


def test_a_deletion_removes_them_and_refuses_a_late_one(
    server: Server, experiment: str, iteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = rollup.put_rollups

    def delete_first(*arguments: Any) -> None:
        assert server.call("DELETE", f"/iterations/{iteration}?purge=true").status in (202, 204)
        put(*arguments)

    monkeypatch.setattr(rollup, "put_rollups", delete_first)
    found(server.call("GET", f"/iterations/{iteration}/metrics/series?key=a&max_points=9"))
    assert stored(iteration) == []


def test_the_trash_keeps_them(server: Server, experiment: str, iteration: str) -> None:
    before = look(server, experiment, iteration)
    rolled_up = stored(iteration)
    assert server.call("DELETE", f"/iterations/{iteration}").status == 204
    found(server.call("POST", f"/trash/{iteration}", {}))
    assert stored(iteration) == rolled_up
    assert look(server, experiment, iteration) == before
