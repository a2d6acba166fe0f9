"""Alerts of iterations: over HTTP, and from a program through its spool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import deardiary
from chalicelib import limits as server_limits
from deardiary.errors import ClientError
from deardiary.wire import limits
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.events import BUS, Mailbox, mailbox
from tests.support.server import Server, server_on_emulator


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("Iris").id, "sweep")
    return client.iterations.create(experiment.id, name="heron")


def test_alerts_are_listed_in_order_and_stay_after_the_end(server: Server, iteration: deardiary.Iteration) -> None:
    client = server.client()
    first = client.iterations.create_alert(iteration.id, "diverged", "the loss is NaN", level="error")
    client.iterations.update(iteration.id, status_id=deardiary.IterationStatus.FAILED)
    second = client.iterations.create_alert(iteration.id, "late")
    assert (first.level, second.level, second.text) == ("error", "warning", "")
    assert list(client.iterations.alerts(iteration.id)) == [first, second]
    check_consistency()


def test_a_repeated_alert_is_one(server: Server, iteration: deardiary.Iteration) -> None:
    path, body = f"/iterations/{iteration.id}/alerts", {"title": "diverged", "id_key": "a"}
    first, again = server.call("POST", path, body), server.call("POST", path, body)
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert len(server.call("GET", path).body["data"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "t" * 256}, "title"),
        ({"title": "t", "text": "t" * (limits.MAX_ALERT_CHARACTERS + 1)}, "text"),
        ({"title": "t", "level": "panic"}, "level"),
    ],
)
def test_a_wrong_alert_is_refused(
    server: Server, iteration: deardiary.Iteration, body: dict[str, Any], field: str
) -> None:
    reply = server.call("POST", f"/iterations/{iteration.id}/alerts", body)
    assert (reply.status, reply.field) == (422, field)


def test_an_iteration_has_so_many_alerts_and_no_more(
    server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_limits, "MAX_ALERTS", 2)
    client = server.client()
    for title in ("one", "two"):
        client.iterations.create_alert(iteration.id, title, id_key=title)
    with pytest.raises(ClientError, match="at most 2 alerts"):
        client.iterations.create_alert(iteration.id, "three")
    assert client.iterations.create_alert(iteration.id, "two", id_key="two").title == "two"


def test_alerts_go_with_their_iteration(server: Server, iteration: deardiary.Iteration) -> None:
    client = server.client()
    client.iterations.create_alert(iteration.id, "diverged")
    assert server.call("DELETE", f"/iterations/{iteration.id}?purge=true").status in (202, 204)
    assert server.call("GET", f"/iterations/{iteration.id}/alerts").status == 404
    check_consistency()


def test_a_program_tells_an_alert_at_once_and_goes_on(server: Server) -> None:
    client = server.client()
    with deardiary.start("Iris", "sweep", client=client) as run:
        run.alert("diverged", "x" * 4000, level="error")
        assert run.flush()
        (alert,) = client.iterations.alerts(run.id)
        with pytest.raises(ValueError, match="level"):
            run.alert("diverged", level="panic")
        with pytest.raises(ValueError, match="title"):
            run.alert("")
    assert (alert.title, len(alert.text), alert.level) == ("diverged", limits.MAX_ALERT_CHARACTERS, "error")
    with pytest.raises(RuntimeError):
        run.alert("after the end")


@pytest.fixture
def box(emulator: Emulator) -> Iterator[tuple[Server, Mailbox]]:
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS=BUS) as running, mailbox() as opened:
        yield running, opened


def test_an_alert_is_an_event_once(box: tuple[Server, Mailbox]) -> None:
    client = box[0].client()
    iteration = client.iterations.create(client.experiments.create(client.projects.create("Iris").id, "sweep").id)
    for _ in range(2):
        alert = client.iterations.create_alert(iteration.id, "diverged", "loss\nis NaN", id_key="a")
    (found,) = box[1].take()
    detail = found["detail"]
    assert (found["detail-type"], detail["event"]) == ("DearDiary Iteration Alert", "alert")
    assert detail["alert"] == {
        "id": alert.id,
        "title": "diverged",
        "text": "loss is NaN",
        "level": "warning",
        "rule": None,
    }
    assert detail["text"] == f"{iteration.name} (Iris / sweep) alert: diverged: loss is NaN"
    assert detail["iteration"]["id"] == iteration.id
