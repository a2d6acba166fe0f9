"""`start(strict=False)` when the server or the settings refuse this user."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import ClientError, IterationStatus
from tests.support.transports import FakeServer, client_of, experiment, iteration, page, project, taken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CREATE = "POST /experiments/e1/iterations"
LOG = "POST /iterations/i1/log"
UPLOAD = "POST /experiments/e1/resources"


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1/experiments": (200, page(experiment())),
        CREATE: (201, iteration()),
        LOG: taken,
        "GET /iterations/i1": (200, iteration()),
        "PATCH /iterations/i1": (200, iteration()),
    }
    return server


def refusal(status: int) -> tuple[int, dict[str, str]]:
    code = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 422: "INVALID_PAYLOAD", 503: "UNAVAILABLE"}[status]
    return status, {"code": code, "message": "not you"}


@pytest.mark.parametrize("refused", ["GET /projects", CREATE])
@pytest.mark.parametrize("status", [401, 403, 404])
def test_work_goes_on_where_the_server_refuses_its_start(
    server: FakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, refused: str, status: int
) -> None:
    answer = server.answers[refused]
    server.answers[refused] = refusal(status)
    (tmp_path / "model.bin").write_text("weights")
    with deardiary.start("Iris", "sweep", client=client_of(server), strict=False) as active:
        assert active.id  # the server has answered
        (told,) = [each.getMessage() for each in caplog.records]
        assert (f"not you [{status} " in told, "deardiary sync" in told, str(tmp_path) in told) == (True, True, True)
        active.log({"loss": 1})
        active.child(parameters={"lr": 1}).finish()
        assert active.log_resource(tmp_path / "model.bin").state == "pending"
        assert active.register_model("m", "model.bin").version == 0
    assert LOG not in server.names()
    server.answers[refused] = answer
    server.answers[UPLOAD] = refusal(503)
    deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert any("loss" in body["metrics"] for body in server.bodies(LOG))


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_file_waits_when_the_server_refuses_it_later(server: FakeServer, tmp_path: Path, status: int) -> None:
    server.answers[UPLOAD] = refusal(status)
    (tmp_path / "model.bin").write_text("weights")
    with deardiary.start("Iris", "sweep", client=client_of(server), strict=False) as active:
        assert active.log_resource(tmp_path / "model.bin").state == "pending"
        assert active.register_model("m", "model.bin").version == 0
        child = active.child()
        assert child.log_resource(tmp_path / "model.bin").state == "pending"
    with (
        deardiary.start("Iris", "sweep", client=client_of(server)) as strict,
        pytest.raises(ClientError, match="not you"),
    ):
        strict.log_resource(tmp_path / "model.bin")


def test_a_child_goes_on_when_only_its_own_start_is_refused(server: FakeServer) -> None:
    active = deardiary.start("Iris", "sweep", client=client_of(server), strict=False)
    server.answers[CREATE] = refusal(401)
    active.child().log({"loss": 1})


def _damaged_login(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "config" / "deardiary").mkdir(parents=True)
    (folder / "config" / "deardiary" / "credentials.json").write_text("{")
    monkeypatch.delenv("DEARDIARY_URL")


def _setting(name: str, value: str) -> Callable[[pytest.MonkeyPatch, Path], None]:
    return lambda monkeypatch, _: monkeypatch.setenv(f"DEARDIARY_{name}", value)


def _without_boto3(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setenv("DEARDIARY_TOKEN_SECRET", "diary/token")


@pytest.mark.parametrize(
    ("break_settings", "named"),
    [
        pytest.param(_setting("URL", "ftp://diary.example"), "ftp://diary.example", id="url"),
        pytest.param(_setting("USERNAME", "ada"), "ada", id="no password"),
        pytest.param(_setting("LOGIN", "work"), "work", id="no such login"),
        pytest.param(_damaged_login, "credentials.json", id="login file"),
        pytest.param(_without_boto3, "pip install boto3", id="no boto3"),
        pytest.param(_setting("FINISH_SECONDS", "soon"), "DEARDIARY_FINISH_SECONDS", id="seconds"),
    ],
)
def test_work_goes_on_where_a_setting_is_wrong(
    server: FakeServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    break_settings: Callable[[pytest.MonkeyPatch, Path], None],
    named: str,
) -> None:
    if named != "DEARDIARY_FINISH_SECONDS":
        server.answers["GET /projects"] = refusal(401)
    monkeypatch.setattr("deardiary.client._default_transport", lambda: server)
    monkeypatch.setenv("DEARDIARY_URL", "https://diary.example/api")
    break_settings(monkeypatch, tmp_path)
    with pytest.raises((ValueError, ClientError), match=named):
        assert deardiary.start("Iris", "sweep").id
    with deardiary.start("Iris", "sweep", strict=False) as active:
        active.log({"loss": 1})
        active.child().log({"loss": 1})
    assert named in caplog.text


def test_records_that_the_server_never_accepts_are_an_error_all_the_same(server: FakeServer) -> None:
    server.answers[CREATE] = (422, {"code": "INVALID_PAYLOAD", "message": "too long", "details": {"field": "notes"}})
    with pytest.raises(ClientError, match="notes"):
        assert deardiary.start("Iris", "sweep", client=client_of(server), strict=False).id


def test_a_success_is_not_continued_all_the_same(server: FakeServer) -> None:
    ended = iteration(status_id=int(IterationStatus.SUCCEEDED), end_date="2026-01-02T03:04:05.678Z")
    server.answers[CREATE] = (201, ended)
    with pytest.raises(ValueError, match="SUCCEEDED"):
        assert deardiary.start("Iris", "sweep", id_key="job", client=client_of(server), strict=False).id
