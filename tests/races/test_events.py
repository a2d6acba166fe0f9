"""Each change sends its event once, whatever fails between the change and the event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

import deardiary
from chalicelib import clock
from chalicelib.routes import upkeep
from chalicelib.storage import event
from chalicelib.storage.table import keys
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.events import BUS, Mailbox, mailbox
from tests.support.faults import Delivery, Fault, failed_500, inject, lost_500, lost_connection
from tests.support.server import URL, Server, server_on_emulator, server_on_moto
from tests.support.suspension import SECONDS, Clocks
from tests.support.table import read_table


class _DeathError(BaseException):
    """The function is killed."""


def killed(_delivery: Delivery) -> Any:
    raise _DeathError


def killed_after(delivery: Delivery) -> Any:
    delivery.deliver()
    raise _DeathError


@pytest.fixture
def server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS=BUS) as running:
        yield running


@pytest.fixture
def box(server: Server) -> Iterator[Mailbox]:
    with mailbox() as opened:
        yield opened


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Advances the server's clock by minutes."""
    now = clock.now

    def move(minutes: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=minutes))

    return move


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("Iris").id, "sweep")
    return client.iterations.create(experiment.id, name="brisk heron")


def end(server: Server, iteration: deardiary.Iteration, **changes: Any) -> int:
    body = {"status_id": 3, "error_message": "Traceback …\nValueError: no data"} | changes
    return server.call("PATCH", f"/iterations/{iteration.id}", body).status


def outbox() -> list[str]:
    return [key.sk for key in read_table() if key.pk == keys.OUTBOX]


def test_the_end_of_an_iteration_arrives_with_what_a_reader_needs(
    server: Server, box: Mailbox, iteration: deardiary.Iteration
) -> None:
    assert end(server, iteration) == 200
    (found,) = box.take()
    assert (found["source"], found["detail-type"]) == ("deardiary", "DearDiary Iteration Ended")
    detail = found["detail"]
    stored = server.client().iterations.get(iteration.id)
    assert stored.end_date is not None
    assert (detail["version"], detail["event"]) == (1, "failed")
    assert detail["project"]["name"] == "Iris"
    assert detail["experiment"] == {"id": iteration.experiment_id, "name": "sweep"}
    assert detail["iteration"]["id"] == iteration.id
    assert detail["iteration"]["status"] == "FAILED"
    assert detail["iteration"]["error"] == "ValueError: no data"
    assert detail["url"] == f"{URL}/ui#/iterations/{iteration.id}"
    assert detail["text"] == "brisk heron (Iris / sweep) failed: ValueError: no data"
    assert outbox() == []
    check_consistency()


@pytest.mark.parametrize(("status", "word"), [(2, "succeeded"), (3, "failed"), (4, "killed")])
def test_every_end_has_a_word_and_a_repeated_end_no_event(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, status: int, word: str
) -> None:
    end(server, iteration, status_id=status)
    end(server, iteration, status_id=status)
    server.call("PATCH", f"/iterations/{iteration.id}", {"notes": "no end"})
    assert [each["event"] for each in box.details()] == [word]
    server.call("PATCH", f"/iterations/{iteration.id}", {"status_id": 1})
    assert box.details() == []
    end(server, iteration, status_id=status)
    assert [each["event"] for each in box.details()] == [word]


def test_a_lost_iteration_is_told_by_the_run_of_the_upkeep_that_ends_it(
    box: Mailbox, iteration: deardiary.Iteration, later: Any
) -> None:
    later(40)
    assert upkeep.run(60)
    (detail,) = [each for each in box.details() if each["iteration"]["id"] == iteration.id]
    assert (detail["event"], detail["iteration"]["status"], detail["url"]) == ("lost", "KILLED", None)
    assert detail["path"] == f"/ui#/iterations/{iteration.id}"
    assert outbox() == []


def test_an_event_whose_sender_is_killed_is_sent_by_the_upkeep_once(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, later: Any
) -> None:
    with inject(killed, {"PutEvents"}) as hit, pytest.raises(_DeathError):
        end(server, iteration)
    assert hit == ["PutEvents"]
    assert server.client().iterations.get(iteration.id).status_id == deardiary.IterationStatus.FAILED
    # As long as the killed request could still be at work, the event is its own.
    assert upkeep.run(60)
    assert box.details() == []
    later(2)
    assert upkeep.run(60)
    assert [each["event"] for each in box.details()] == ["failed"]
    assert upkeep.run(60)
    assert box.details() == []
    assert outbox() == []


def test_an_event_that_was_sent_but_not_removed_comes_again_under_its_id(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, later: Any
) -> None:
    """This window stays: EventBridge itself delivers at least once."""
    with inject(killed_after, {"PutEvents"}), pytest.raises(_DeathError):
        end(server, iteration)
    later(2)
    assert upkeep.run(60)
    first, second = box.details()
    assert first == second


@pytest.mark.parametrize("fault", [failed_500, lost_connection])
def test_a_bus_that_does_not_answer_fails_no_request(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, fault: Fault
) -> None:
    with inject(fault, {"PutEvents"}, first=None) as hit:
        assert end(server, iteration) == 200
    assert len(hit) == 1, "a request does not repeat it"
    assert len(outbox()) == 1


def test_an_event_that_is_refused_stays_until_it_is_accepted(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, later: Any
) -> None:
    def refused(delivery: Delivery) -> Any:
        raw, parsed = delivery.deliver()[0] or (None, {})
        return (raw, parsed | {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}), None

    with inject(refused, {"PutEvents"}):
        assert end(server, iteration) == 200
    later(2)
    with inject(refused, {"PutEvents"}), pytest.raises(Exception, match=r".*") as error:
        upkeep.run(60)
    assert type(error.value).__name__ == "NotDelivered"
    assert outbox()
    later(4)
    assert upkeep.run(60)
    assert outbox() == []


def test_a_lost_answer_to_the_change_sends_one_event(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, later: Any
) -> None:
    with inject(lost_500, {"TransactWriteItems"}):
        assert end(server, iteration) == 200
    later(2)
    assert upkeep.run(60)
    assert [each["event"] for each in box.details()] == ["failed"]


def test_a_change_that_was_not_committed_sends_nothing(
    server: Server, box: Mailbox, iteration: deardiary.Iteration
) -> None:
    with inject(killed, {"TransactWriteItems"}), pytest.raises(_DeathError):
        end(server, iteration)
    assert outbox() == []
    assert box.details() == []


def test_a_request_that_slept_leaves_its_event_to_the_upkeep(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It slept between its change and its event, and the upkeep has sent that meanwhile."""
    clocks = Clocks(monkeypatch)

    def slept(delivery: Delivery) -> Any:
        answer = delivery.deliver()
        clocks.ahead += SECONDS
        # A thread begins in an empty context: the upkeep has no part in the deadline of the request.
        with ThreadPoolExecutor(1) as other:
            assert len(other.submit(lambda: list(event.each_left())).result()) == 1
        return answer

    with inject(slept, {"TransactWriteItems"}):
        end(server, iteration)
    assert box.details() == []
    assert len(outbox()) == 1


def test_two_runs_of_the_upkeep_do_not_send_one_event_twice(
    server: Server, box: Mailbox, iteration: deardiary.Iteration, later: Any
) -> None:
    with inject(killed, {"PutEvents"}), pytest.raises(_DeathError):
        end(server, iteration)
    later(2)
    with inject(lost_500, {"UpdateItem"}) as hit:
        first = list(event.each_left())
    assert (len(first), len(hit)) == (1, 1), "a lost answer does not lose the claim"
    assert list(event.each_left()) == []
    assert event.send(first) == 1
    assert len(box.details()) == 1


def test_two_that_saw_the_same_row_send_one_event(server: Server, iteration: deardiary.Iteration, later: Any) -> None:
    with inject(killed, {"PutEvents"}), pytest.raises(_DeathError):
        end(server, iteration)
    later(2)
    others: list[Any] = []

    def overtaken(delivery: Delivery) -> Any:
        answer = delivery.deliver()
        others.extend(event.each_left())
        return answer

    with inject(overtaken, {"Query"}):
        mine = list(event.each_left())
    assert (len(others), mine) == (1, [])


def test_without_a_bus_the_same_requests_write_and_ask_nothing_more() -> None:
    """The calls of an end and of the upkeep, with and without the setting, differ only by the outbox."""
    with server_on_moto() as plain:
        without = _calls(plain)
    with server_on_moto(DEARDIARY_EVENT_BUS=BUS) as sending:
        with_bus = _calls(sending)
    assert not [each for each in without if keys.OUTBOX in each or "PutEvents" in each]
    assert [each for each in with_bus if keys.OUTBOX in each]
    assert len([each for each in with_bus if "PutEvents" in each]) == 1


def _calls(server: Server) -> list[str]:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("p").id, "e")
    iteration = client.iterations.create(experiment.id)
    calls: list[str] = []

    def note(delivery: Delivery) -> Any:
        calls.append(f"{delivery.sent.operation} {json.dumps(delivery.sent.body)}")
        return delivery.deliver()

    everything = {"PutEvents", "Query", "TransactWriteItems", "BatchWriteItem", "BatchGetItem", "GetItem", "UpdateItem"}
    with inject(note, everything, first=None), suppress(_DeathError):
        assert end(server, iteration) == 200
        assert upkeep.run(60)
    return calls
