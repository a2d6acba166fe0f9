"""Captured output: stored once like points, in order, live by cursor, within its limits."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.services import output as service
from chalicelib.services.points import compaction, trimming
from chalicelib.storage import output as storage
from deardiary.wire import limits
from tests.support.api import check_invalid, end, found, made, new_iteration
from tests.support.consistency import check_consistency
from tests.support.server import Reply, Server

TIME = "2026-01-01T00:00:00.000Z"


def line(text: str, stream: str = "stdout", **fields: Any) -> dict[str, Any]:
    return {"stream": stream, "text": text, **fields}


def send(server: Server, iteration: str, batch_id: str, *lines: dict[str, Any] | str, **body: Any) -> Reply:
    output = [line(each) if isinstance(each, str) else each for each in lines]
    return server.call("POST", f"/iterations/{iteration}/log", {"batch_id": batch_id, "output": output, **body})


def read(server: Server, iteration: str, query: str = "") -> Any:
    return found(server.call("GET", f"/iterations/{iteration}/output{query}"))


def pages(server: Server, iteration: str, query: str = "?") -> Iterator[Any]:
    page = read(server, iteration, query)
    yield page
    while page["next_cursor"]:
        page = read(server, iteration, f"{query}&after={page['next_cursor']}")
        yield page


def texts(server: Server, iteration: str, query: str = "?") -> list[str]:
    return [each["text"] for page in pages(server, iteration, query) for each in page["data"]]


def test_lines_come_back_as_they_were_sent_in_the_order_of_the_flushes(server: Server) -> None:
    iteration = new_iteration(server)
    strange = ["", "\x1b[31mred\x1b[0m", "\r 10%|#   |", "a\ttab\n", "😀 é\u2028", "\x00\x7f", " " * 9]
    sent = [line(text, "stderr" if number % 2 else "stdout", recorded_at=TIME) for number, text in enumerate(strange)]
    metrics = {"loss": {"value": [0.5]}}
    receipt = made(send(server, iteration, "1", *sent, metrics=metrics, tags=["t"]))
    assert (receipt["accepted"], receipt["accepted_output"]) == (1, len(strange))
    assert made(send(server, iteration, "2", "next"))["accepted_output"] == 1
    page = read(server, iteration)
    assert [{name: each[name] for name in ("stream", "text", "recorded_at")} for each in page["data"][:-1]] == sent
    assert page["data"][-1]["text"] == "next"
    assert (page["next_cursor"], page["cursor"], page["gap"]) == (None, page["data"][-1]["cursor"], None)
    check_consistency()


def test_a_flush_without_output_answers_as_before(server: Server) -> None:
    iteration = new_iteration(server)
    assert "accepted_output" not in made(send(server, iteration, "1", metrics=[]))
    assert read(server, iteration) == {"data": [], "next_cursor": None, "cursor": None, "gap": None}


def test_the_same_flush_again_stores_nothing_and_answers_alike(server: Server) -> None:
    iteration = new_iteration(server)
    first = send(server, iteration, "1", "a", "b")
    made(send(server, iteration, "2", "c"))
    assert send(server, iteration, "1", "a", "b") == first
    assert texts(server, iteration) == ["a", "b", "c"]


def test_a_follower_reads_every_line_once(server: Server) -> None:
    iteration = new_iteration(server)
    seen, cursor = [], ""
    for number in range(4):
        made(send(server, iteration, str(number), f"{number} a", line(f"{number} b", "stderr"), f"{number} c"))
        page = read(server, iteration, cursor)
        seen += [each["text"] for each in page["data"]]
        cursor = f"?after={page['cursor']}"
        assert read(server, iteration, cursor) == {**page, "data": []}
    assert seen == [f"{number} {letter}" for number in range(4) for letter in "abc"]
    middle = read(server, iteration)["data"][4]["cursor"]
    assert texts(server, iteration, f"?after={middle}") == seen[5:]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("stream", ["", "&stream=stdout", "&stream=stderr"])
def test_pages_hold_every_line_of_a_stream(server: Server, limit: int, stream: str) -> None:
    iteration = new_iteration(server)
    for number in range(3):
        made(send(server, iteration, str(number), f"{number} a", line(f"{number} b", "stderr"), f"{number} c"))
    everything = [f"{number} {letter}" for number in range(3) for letter in "abc"]
    wanted = {"": everything, "stderr": everything[1::3], "stdout": [each for each in everything if "b" not in each]}
    assert texts(server, iteration, f"?limit={limit}{stream}") == wanted[stream.rpartition("=")[2]]
    newest = read(server, iteration, f"?tail={limit}{stream}")
    assert [each["text"] for each in newest["data"]] == wanted[stream.rpartition("=")[2]][-limit:]
    assert newest["cursor"] == read(server, iteration)["cursor"]


def test_a_page_has_a_mebibyte_and_what_cannot_be_compressed_comes_back(server: Server) -> None:
    iteration = new_iteration(server)
    long = secrets.token_hex(limits.MAX_FLUSH_OUTPUT_BYTES // 2)
    made(send(server, iteration, "1", long))
    made(send(server, iteration, "2", *["\x1b" * 10_000] * 50))
    found_pages = list(pages(server, iteration))
    parts = [each["text"] for page in found_pages for each in page["data"]]
    assert "".join(parts[:-50]) == long
    assert parts[-50:] == ["\x1b" * 10_000] * 50
    sizes = [sum(len(each["text"]) for each in page["data"]) for page in found_pages]
    assert max(sizes) <= limits.MIB
    assert len(sizes) > 4  # an escape takes six bytes of JSON
    assert len(read(server, iteration, "?tail=10000")["data"]) < 20
    check_consistency()


def test_a_filter_reads_a_bounded_part_at_a_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "READ_BYTES", 100)
    iteration = new_iteration(server)
    for number in range(6):
        made(send(server, iteration, str(number), secrets.token_hex(100)))
    made(send(server, iteration, "last", line("here", "stderr")))
    found_pages = list(pages(server, iteration, "?stream=stderr"))
    assert [len(page["data"]) for page in found_pages] == [*[0] * (len(found_pages) - 1), 1]
    assert len(found_pages) > 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"output": [line("a", "stdin")]}, "output[0].stream"),
        ({"output": [line("a"), {"stream": "stdout"}]}, "output[1].text"),
        ({"output": [line("a", recorded_at="soon")]}, "output[0].recorded_at"),
        ({"output": [line("a", recorded_at="0001-01-01T00:00:00+23:59")]}, "output[0].recorded_at"),
        ({"output": [line("a", color="red")]}, "output[0].color"),
        ({"output": "text"}, "output"),
        ({"output": [line("é" * (limits.MAX_FLUSH_OUTPUT_BYTES // 2)), line("a")]}, "output"),
        ({"output": [line("")] * (limits.MAX_FLUSH_LINES + 1)}, "output"),
    ],
)
def test_wrong_output_is_refused_and_nothing_is_written(server: Server, body: Any, field: str) -> None:
    iteration = new_iteration(server)
    check_invalid(send(server, iteration, "1", **{"tags": ["t"], **body}), field)
    assert read(server, iteration)["data"] == []
    assert found(server.call("GET", f"/iterations/{iteration}/tags"))["data"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?after=x", "after"),
        ("?after=", "after"),
        ("?after=1.1.1", "after"),
        ("?stream=stdin", "stream"),
        ("?tail=0", "tail"),
        ("?limit=10001", "limit"),
        ("?tail=1&after=1.0", "tail"),
    ],
)
def test_a_wrong_query_is_refused(server: Server, query: str, field: str) -> None:
    check_invalid(server.call("GET", f"/iterations/{new_iteration(server)}/output{query}"), field)


def test_after_the_end_only_lines_from_before_it_are_taken(server: Server) -> None:
    iteration = new_iteration(server)
    end(server, iteration, end_date="2030-01-01T00:00:00Z")
    for late in (line("late"), line("late", recorded_at="2030-01-01T00:00:00.001Z")):
        check_invalid(send(server, iteration, "1", line("early", recorded_at=TIME), late), "end_date")
    made(send(server, iteration, "1", line("early", recorded_at=TIME)))
    assert texts(server, iteration) == ["early"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An iteration keeps 100 bytes of output, 30 of them from its beginning."""
    monkeypatch.setattr(limits, "MAX_OUTPUT_BYTES", 100)
    monkeypatch.setattr(storage, "FIRST_BYTES", 30)
    monkeypatch.setattr(trimming, "SLACK_BYTES", 20)


@pytest.mark.usefixtures("small")
def test_the_beginning_and_the_newest_lines_are_kept_and_the_gap_is_said(server: Server) -> None:
    iteration = new_iteration(server)
    everything = [f"line {number:04}" for number in range(40)]
    for number in range(0, 40, 2):
        made(send(server, iteration, str(number), *everything[number : number + 2]))
    first, *later = pages(server, iteration)
    rest = [each["text"] for page in later for each in page["data"]]
    assert [each["text"] for each in first["data"]] == everything[:2]
    assert first["gap"] is None
    kept = len(rest)
    assert rest == everything[-kept:]
    assert 50 <= (kept + 2) * 10 <= 100
    assert [page["gap"] for page in later] == [{"lines": 38 - kept, "bytes": 10 * (38 - kept)}]
    assert texts(server, iteration, "?tail=100") == rest
    # A follower that was in the beginning, and one that is past the gap.
    after = read(server, iteration, f"?after={first['data'][0]['cursor']}")
    assert [each["text"] for each in after["data"]] == everything[1:2]
    assert read(server, iteration, f"?after={later[0]['data'][0]['cursor']}")["gap"] is None
    only = read(server, iteration, "?stream=stderr")
    assert (only["data"], only["gap"]) == ([], later[0]["gap"])
    assert read(server, iteration, f"?stream=stderr&after={only['cursor']}")["gap"] is None
    check_consistency()


@pytest.mark.usefixtures("small")
def test_a_full_iteration_keeps_its_size_whatever_the_flushes_hold(server: Server) -> None:
    iteration = new_iteration(server)
    sizes = [1, 95, 3, 60, 1, 1, 40, 99, 2, 2, 2, 2, 30, 30, 30]
    for number, size in enumerate(sizes):
        made(send(server, iteration, str(number), "x" * size))
        kept = sum(len(text) + 1 for text in texts(server, iteration))
        assert kept <= 101 + 99
    assert texts(server, iteration)[0] == "x"
    gaps = [page["gap"] for page in pages(server, iteration) if page["gap"]]
    assert gaps[0]["lines"] + len(texts(server, iteration)) == len(sizes)
    check_consistency()


@pytest.mark.usefixtures("small")
def test_nothing_of_the_output_is_left_after_a_deletion(server: Server) -> None:
    iteration = new_iteration(server)
    for number in range(20):
        made(send(server, iteration, str(number), "x" * 20))
    assert server.call("DELETE", f"/iterations/{iteration}?purge=true").status == 204
    check_consistency()


@pytest.mark.usefixtures("small")
def test_the_client_reads_lines_across_pages_and_says_the_gap(server: Server) -> None:
    iteration = new_iteration(server)
    client = server.client()
    for number in range(20):
        client.iterations.log_columns(iteration, {}, batch_id=str(number), output=[line("x" * 10)])
    lines = list(client.iterations.output(iteration))
    gaps = [(number, each.gap) for number, each in enumerate(lines) if each.gap]
    assert [(number, gap.lines) for number, gap in gaps if gap] == [(2, 20 - len(lines))]
    assert list(client.iterations.output(iteration, after=lines[4].cursor)) == lines[5:]
    assert list(client.iterations.output(iteration, stream="stderr")) == []
    page = client.iterations.output_page(iteration, tail=2)
    assert (page.data, page.cursor) == (tuple(lines[-2:]), lines[-1].cursor)


def test_a_batch_whose_points_were_moved_still_answers_alike(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "ENOUGH_AT_END", 1)
    iteration = new_iteration(server)
    first = send(server, iteration, "1", "a", "b", metrics={"loss": {"value": [0.5]}})
    end(server, iteration)
    again = send(server, iteration, "1", "a", "b", metrics={"loss": {"value": [0.5]}})
    assert (again.body["accepted"], again.body["accepted_output"]) == (1, 2)
    assert first.status == again.status
    assert texts(server, iteration) == ["a", "b"]
    check_consistency()
