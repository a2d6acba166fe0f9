"""An iteration ends with its block, and its end reaches the server or waits for `sync`."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ClientError, IterationStatus
from deardiary.tracking.outcome import message_of
from deardiary.wire import limits
from deardiary.wire.times import parse_time
from tests.support import transports
from tests.support.active import END, begin
from tests.support.transports import FakeServer, client_of, iteration

if TYPE_CHECKING:
    from pathlib import Path


def end_of(server: FakeServer) -> dict[str, Any]:
    (end,) = server.bodies(END)
    assert isinstance(end, dict)
    return end


def test_a_clean_exit_succeeds(server: FakeServer) -> None:
    with begin(server) as active:
        assert active.id == "i1"
    end = end_of(server)
    assert parse_time(end.pop("end_date")) > parse_time(transports.NOW)
    assert end == {"status_id": IterationStatus.SUCCEEDED}


def test_an_exception_fails_with_its_traceback_and_goes_on_unchanged(server: FakeServer) -> None:
    error = ZeroDivisionError("loss is gone")
    with pytest.raises(ZeroDivisionError) as caught, begin(server):
        raise error

    assert caught.value is error
    assert end_of(server)["status_id"] == IterationStatus.FAILED
    assert end_of(server)["error_message"].startswith("Traceback (most recent call last):")
    assert end_of(server)["error_message"].endswith("ZeroDivisionError: loss is gone\n")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), IterationStatus.KILLED),
        (SystemExit(), IterationStatus.SUCCEEDED),
        (SystemExit(0), IterationStatus.SUCCEEDED),
        (SystemExit(2), IterationStatus.FAILED),
        (SystemExit("no data"), IterationStatus.FAILED),
        (GeneratorExit(), IterationStatus.FAILED),
    ],
)
def test_how_else_a_block_can_end(server: FakeServer, error: BaseException, status: IterationStatus) -> None:
    with pytest.raises(type(error)), begin(server):
        raise error
    assert end_of(server)["status_id"] == status
    assert ("error_message" in end_of(server)) == (status != IterationStatus.SUCCEEDED)


def test_a_long_traceback_keeps_its_end() -> None:
    message = message_of(ValueError("é" * limits.MAX_TEXT_BYTES + "the end"))
    assert len(message.encode()) <= limits.MAX_TEXT_BYTES
    assert message.endswith("éthe end\n")


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_an_end_that_cannot_be_recorded_now_is_left_to_sync(
    server: FakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setenv("DEARDIARY_FINISH_SECONDS", "0.05")
    server.answers[END] = ClientError(0, "CONNECTION_FAILED", "gone")
    with contextlib.suppress(ZeroDivisionError), begin(server):
        if error:
            raise error
    assert "`deardiary sync` sends it" in caplog.text
    server.answers[END] = (200, iteration())
    (synced,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert synced.is_done
    assert server.bodies(END)[-1]["status_id"] == (IterationStatus.FAILED if error else IterationStatus.SUCCEEDED)


def test_an_end_that_is_refused_is_kept_with_the_reason(
    server: FakeServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    server.answers[END] = (422, {"code": "INVALID_PAYLOAD", "message": "no such status"})
    server.answers["GET /iterations/i1"] = (200, iteration())
    with begin(server):
        pass
    (kept,) = (tmp_path / "data").rglob("rejected/*.json")
    assert "no such status" in json.loads(kept.read_text())["error"]
    assert str(kept) in caplog.text


@pytest.mark.parametrize(("field", "kept"), [("end_date", 0), ("error_message", 1)])
def test_of_an_iteration_that_has_ended_only_its_lock_is_no_reason_to_keep_the_end(
    server: FakeServer, tmp_path: Path, field: str, kept: int
) -> None:
    server.answers[END] = (422, {"code": "INVALID_PAYLOAD", "message": "no", "details": {"field": field}})
    server.answers["GET /iterations/i1"] = (200, iteration(end_date=transports.NOW))
    with begin(server):
        pass
    assert len(list((tmp_path / "data").rglob("rejected/*.json"))) == kept


def test_an_ended_iteration_takes_nothing_more(server: FakeServer, tmp_path: Path) -> None:
    with begin(server) as active:
        active.finish(IterationStatus.KILLED)
        active.finish()
    assert end_of(server)["status_id"] == IterationStatus.KILLED
    with pytest.raises(RuntimeError, match="has ended"):
        active.log({"a": 1})
    with pytest.raises(RuntimeError, match="has ended"):
        active.log_resource(tmp_path / "model.bin")


def test_a_client_made_for_the_iteration_is_disconnected_with_it(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deardiary.tracking.start.connect_later", lambda: client_of(server))
    with deardiary.start("Iris", "sweep") as active, active.child():
        pass
    assert server.names().count(END) == 2
    assert server.requests[-1].method == "CLOSE"
    assert [request.method for request in server.requests].count("CLOSE") == 1
