"""Stored points that the client decodes are the points that the server itself decodes, whatever happened to them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deardiary
from chalicelib.routes import series
from chalicelib.services.points import compaction
from chalicelib.storage.points import rows
from chalicelib.storage.table import item
from deardiary.http.transport import Request, Response
from deardiary.wire.points_page import decode_page
from deardiary.wire.times import format_time
from tests.support.api import check_invalid, check_refused, end, found, new_iteration, pages
from tests.support.server import URL, Server, server_on_moto

KEYS = ("loss", "naïve/acc", "c")
BYTES = {"Accept": "application/octet-stream"}
Point = tuple[str, int, Any, str]

steps = st.integers(-2, 6) | st.sampled_from([-(2**63), 2**62])
values = st.sampled_from([0.0, -0.0, 1.5, 2.25, "NaN", "Infinity"])
times = st.sampled_from(["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:06.000Z", "1969-12-31T23:59:59.999Z"])
points = st.fixed_dictionaries(
    {"key": st.sampled_from(KEYS), "value": values}, optional={"step": steps, "recorded_at": times}
)
# Of several writers: any batch may come at any time, and again.
batches = st.lists(points, min_size=1, max_size=4)
deeds = st.lists(
    st.tuples(st.just("send"), batches)
    | st.tuples(st.sampled_from(["edit", "delete", "send again"]), st.integers(0, 50))
    | st.tuples(st.sampled_from(["pack", "end and resume"]), st.none()),
    min_size=1,
    max_size=10,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_BYTES", 1024 + 400)


class Interrupting:
    """A transport that does something else after each page of points."""

    def __init__(self, server: Server, between: Callable[[], object]) -> None:
        self._server, self._between = server, between
        self.paths: list[str] = []

    def send(self, request: Request) -> Response:
        response = self._server.transport.send(request)
        if "/metrics/columns" in request.url:
            self.paths.append(request.url)
            self._between()
        return response

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def client(server: Server, between: Callable[[], object] = lambda: None) -> tuple[deardiary.Client, Interrupting]:
    transport = Interrupting(server, between)
    return deardiary.connect(URL, token=server.token(), transport=transport), transport


def decoded(columns: dict[str, list[Any]]) -> list[Point]:
    found = zip(columns["key"], columns["step"], columns["value"], columns["recorded_at"], strict=True)
    return [(key, step, repr(value), format_time(time)) for key, step, value, time in found]


def history(server: Server, iteration: str, key: str) -> list[Point]:
    """The points as the server's JSON has them."""
    listed = pages(server, f"/iterations/{iteration}/metrics?{urlencode({'key': key})}", 200)
    return [(key, each["step"], repr(float(each["value"])), each["recorded_at"]) for each in listed]


def do(server: Server, iteration: str, deed: str, given: Any, sent: list[list[Any]]) -> None:
    if deed == "send":
        sent.append(given)
    if deed in ("send", "send again") and sent:
        number = len(sent) - 1 if deed == "send" else given % len(sent)
        body = {"batch_id": f"{number}", "metrics": sent[number]}
        assert server.call("POST", f"/iterations/{iteration}/metrics/batch", body).status == 201
    if deed in ("edit", "delete") and (points := pages(server, f"/iterations/{iteration}/metrics", 200)):
        path = f"/metrics/{points[given % len(points)]['id']}"
        reply = server.call("DELETE", path) if deed == "delete" else server.call("PATCH", path, {"step": 3, "value": 9})
        assert reply.status in (200, 204)
    if deed == "pack":
        compaction.compact(server.client().iterations.get(iteration), 1)
    if deed == "end and resume":
        end(server, iteration)
        found(server.call("PATCH", f"/iterations/{iteration}", {"status_id": 1}))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=deeds, low=st.none() | st.integers(-2, 6), high=st.none() | st.integers(-2, 6), packs=st.booleans())
def test_columns_are_the_plain_history(
    server: Server, deeds: list[tuple[str, Any]], low: int | None, high: int | None, *, packs: bool
) -> None:
    iteration, sent = new_iteration(server), list[list[Any]]()
    for deed, given_to_it in deeds:
        do(server, iteration, deed, given_to_it, sent)
    plain = {key: history(server, iteration, key) for key in KEYS}
    own = server.client().iterations.get(iteration)
    # A compaction between two pages moves points that the client has seen, and others that it has not.
    reader, transport = client(server, (lambda: compaction.compact(own, 1)) if packs else lambda: None)
    assert decoded(reader.metrics.columns(iteration)) == [point for key in sorted(KEYS) for point in plain[key]]
    assert decoded(reader.metrics.columns(own, "c")) == plain["c"]
    within = [each for each in plain["loss"] if (low is None or each[1] >= low) and (high is None or each[1] <= high)]
    assert decoded(reader.metrics.columns(own, ["loss"], min_step=low, max_step=high)) == within
    assert len(transport.paths) == len(set(transport.paths))


def test_a_batch_that_moves_between_two_pages_is_read_once(server: Server) -> None:
    """Whichever page shows its chunk, and whichever its packed row."""
    iteration = new_iteration(server)
    for number in range(20):
        do(server, iteration, "send", [{"key": "loss", "value": number, "step": number}], [[]] * number)
    own = server.client().iterations.get(iteration)
    reader, transport = client(server, lambda: compaction.compact(own, 1))
    assert reader.metrics.columns(iteration)["value"] == list(map(float, range(20)))
    assert len(transport.paths) > 1
    assert len(rows.read_rows(iteration).homes) == 20


def test_no_row_is_read_twice(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    iteration = new_iteration(server)
    for number in range(12):
        do(server, iteration, "send", [{"key": "loss", "value": number}], [[]] * number)
    given, answers = list[str](), item.raw_answers

    def in_fives(span: Any, names: Any, *, start: Any) -> Iterator[Any]:
        """The answers of a table that ends each after five rows."""
        for answer, following in answers(span, names, start=start, per_call=5):
            given.extend(row["SK"]["S"] for row in answer)
            yield answer, following

    monkeypatch.setattr(item, "raw_answers", in_fives)
    monkeypatch.setattr(rows, "_ANSWER_BYTES", 900)
    monkeypatch.setattr(series, "MOST_BYTES", 1024 + 1300)
    reader, transport = client(server)
    assert reader.metrics.columns(iteration, ["loss"])["step"] == list(range(12))
    assert len(transport.paths) > 1
    assert len(given) == len(set(given))


def test_values_keep_every_bit(server: Server) -> None:
    iteration = new_iteration(server)
    numbers = [5e-324, 1.7976931348623157e308, -0.0, 0.1, 2.0**53 + 2]
    do(server, iteration, "send", [{"key": "loss", "value": number} for number in numbers], [])
    back = server.client().metrics.columns(iteration)["value"]
    assert [struct.pack(">d", each) for each in back] == [struct.pack(">d", each) for each in numbers]


def test_an_iteration_without_points_has_empty_columns(server: Server) -> None:
    columns = server.client().metrics.columns(new_iteration(server), ["loss"])
    assert columns == {"key": [], "step": [], "value": [], "recorded_at": []}


def test_a_cursor_of_another_request_is_refused(server: Server) -> None:
    iteration = new_iteration(server)
    for number in range(30):
        do(server, iteration, "send", [{"key": "loss", "value": number}], [[]] * number)
    path = f"/iterations/{iteration}/metrics/columns"
    cursor = decode_page(found_bytes(server, path)).next_cursor
    assert found_bytes(server, f"{path}?cursor={cursor}")[:4] == b"DDP\x01"
    for other in (f"{path}?key=loss", f"{path}?min_step=1"):
        check_invalid(server.call("GET", f"{other}&cursor={cursor}", headers=BYTES), "cursor")
    check_invalid(server.call("GET", f"{path}?cursor=x", headers=BYTES), "cursor")
    check_invalid(server.call("GET", f"{path}?min_step=x", headers=BYTES), "min_step")


def found_bytes(server: Server, path: str) -> bytes:
    reply = server.call("GET", path, headers=BYTES)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
    content: bytes = reply.body
    return content


class Altering(Interrupting):
    """A transport that alters each page of points."""

    def __init__(self, server: Server, alter: Callable[[bytes], bytes]) -> None:
        super().__init__(server, lambda: None)
        self._alter = alter

    def send(self, request: Request) -> Response:
        response = super().send(request)
        if "/metrics/columns" not in request.url:
            return response
        return Response(response.status, response.headers, io.BytesIO(self._alter(response.read())))


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda page: page[:3], "not DearDiary's"),
        (lambda page: page[:30], "not DearDiary's"),
        (lambda page: page[:-1], "not DearDiary's"),
        (lambda page: page.replace(b"DDP\x01", b"DDP\x02"), "not DearDiary's"),
        (lambda page: page[:-1] + bytes([page[-1] ^ 1]), "are damaged: checksum does not match"),
    ],
)
def test_an_altered_answer_is_an_error(server: Server, alter: Callable[[bytes], bytes], message: str) -> None:
    iteration = new_iteration(server)
    do(server, iteration, "send", [{"key": "loss", "value": 1}], [])
    reader = deardiary.connect(URL, token=server.token(), transport=Altering(server, alter))
    with pytest.raises(deardiary.ClientError, match=message) as caught:
        reader.metrics.columns(iteration)
    assert caught.value.code == "ANSWER_INVALID"


def test_a_missing_iteration_is_not_found(server: Server) -> None:
    with pytest.raises(deardiary.NotFound):
        server.client().metrics.columns("nowhere")
    check_refused(server.call("GET", "/iterations/nowhere/metrics/columns", headers=BYTES), 404, "NOT_FOUND")
