"""Answers from a proxy between client and server: none of them ends a training, and none loses a record."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import ClientError
from deardiary.sending import sender
from tests.support.loopback import Loopback, Reply, serve
from tests.support.transports import experiment, iteration, page, project, receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML = {"Content-Type": "text/html; charset=utf-8"}
PORTAL = {**HTML, "Location": "http://portal.invalid/sign-in"}
PAGES = {
    "302": Reply(302, b"<html>Sign in</html>", PORTAL),
    "303": Reply(303, b"", PORTAL),
    "307 that says nothing": Reply(307, b"", {"Location": "http://portal.invalid/"}),
    "401": Reply(401, b"<html>Who are you?</html>", HTML),
    "403": Reply(403, b"<html>Blocked by policy</html>", HTML),
    "404": Reply(404, b"<html>No such page</html>", HTML),
    "404 that says nothing": Reply(404, b""),
    "403 in plain text": Reply(403, b"Access denied", {"Content-Type": "text/plain"}),
    "403 in another's JSON": Reply(403, b'{"error": "blocked"}', {"Content-Type": "application/json"}),
    "407": Reply(407, b"<html>", HTML),
    "200": Reply(200, b"<html>Welcome to the network</html>", HTML),
    "502": Reply(502, b'{"message": "Internal server error"}'),
    "504": Reply(504, b'{"message": "Endpoint request timed out"}'),
}


def answers_to_a_run() -> list[Reply]:
    """The answers of the API to a start, a flush and an end."""
    bodies = [page(project()), page(experiment()), iteration(), receipt(), iteration()]
    return [Reply(200, json.dumps(body).encode()) for body in bodies]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setattr(sender, "FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(sender, "HURRIED_BACKOFF", 0.01)
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(time, "sleep", lambda _seconds, sleep=time.sleep: sleep(0.001))
    with serve() as loopback:
        monkeypatch.setenv("DEARDIARY_URL", loopback.url)
        yield loopback


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_at_the_start_does_not_end_the_training(server: Loopback, name: str, times: int) -> None:
    server.replies = [PAGES[name]] * times + answers_to_a_run()
    with deardiary.start("Iris", "sweep") as active:
        active.log({"loss": 1})
        assert active.flush(20)
        assert active.id == "i1"
    assert server.replies == []
    (flush,) = [json.loads(seen.body) for seen in server.seen if seen.target.endswith("/log")]
    assert flush["metrics"]["loss"]["value"] == [1]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_later_loses_nothing_and_is_no_refusal(
    server: Loopback, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answers = answers_to_a_run()
    server.replies = [*answers[:3], *[PAGES[name]] * 4, *answers[3:]]
    with deardiary.start("Iris", "sweep") as active:
        active.log({"loss": 1})
        assert active.flush(20)
    assert server.replies == []
    assert "sign in again" not in caplog.text
    assert "delete" not in caplog.text


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(403, b'{"code": "PROJECT_PERMISSION_REQUIRED", "message": "not you"}'),
        Reply(404, b'{"code": "NOT_FOUND", "message": "not there"}'),
        Reply(403, b'{"message": "Missing Authentication Token"}'),
        Reply(403, b'{"message": "Forbidden"}'),
        Reply(308, b"", {"Location": "https://diary.example/api"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body.decode()}",
)
def test_a_refusal_of_the_api_or_its_gateway_is_an_error_at_once(server: Loopback, refusal: Reply) -> None:
    server.replies = [refusal]
    with deardiary.connect() as client, pytest.raises(ClientError) as caught:
        assert deardiary.start("Iris", "sweep", client=client).id
    assert caught.value.status == refusal.status
    assert len(server.seen) == 1


def test_a_page_about_an_iteration_to_resume_makes_no_second_one(server: Loopback) -> None:
    answers = answers_to_a_run()
    server.replies = [*[PAGES["404"]] * 8, Reply(200, json.dumps(iteration()).encode()), *answers[3:]]
    with deardiary.start("Iris", "sweep", resume="i1") as active:
        active.log({"loss": 1})
        assert active.flush(20)
    assert [seen.method for seen in server.seen if seen.target.endswith("/iterations")] == []
