from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError, Request, RetryingTransport
from tests.support.transports import respond

if TYPE_CHECKING:
    from deardiary import Response

GET = Request(method="GET", url="https://diary/x")
LOST = ClientError(0, "CONNECTION_FAILED", "lost")


class Scripted:
    """Returns these answers, or raises these failures, one after the other."""

    def __init__(self, *answers: Response | ClientError) -> None:
        self.answers = list(answers)

    def send(self, request: Request) -> Response:
        answer = self.answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        return answer

    def close(self) -> None:
        self.answers.clear()


def send(inner: Scripted, request: Request = GET) -> tuple[Response, list[float]]:
    """Return the answer, and the waits before it with maximal jitter."""
    waits: list[float] = []
    return RetryingTransport(inner, sleep=waits.append, jitter=lambda: 1.0).send(request), waits


@pytest.mark.parametrize("failure", [LOST, respond(429), respond(500), respond(503)])
def test_a_transient_failure_is_retried(failure: Response | ClientError) -> None:
    response, waits = send(Scripted(failure, respond(200)))
    assert (response.status, waits) == (200, [0.2])


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 409, 422])
def test_a_permanent_failure_is_returned_at_once(status: int) -> None:
    response, waits = send(Scripted(respond(status)))
    assert (response.status, waits) == (status, [])


def test_waits_double_and_the_last_failure_is_the_callers() -> None:
    inner = Scripted(LOST, LOST, LOST, LOST, respond(503))
    response, waits = send(inner)
    assert (response.status, waits) == (503, [0.2, 0.4, 0.8, 1.6])

    with pytest.raises(ClientError, match="lost"):
        send(Scripted(*[LOST] * 5))


def test_jitter_shortens_the_wait() -> None:
    waits: list[float] = []
    RetryingTransport(Scripted(LOST, respond(200)), sleep=waits.append, jitter=lambda: 0.25).send(GET)
    assert waits == [0.05]


def test_a_retry_after_is_waited_out() -> None:
    assert send(Scripted(respond(503, headers={"retry-after": "3"}), respond(200)))[1] == [3.0]


@pytest.mark.parametrize("text", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_without_seconds_is_passed_over(text: str) -> None:
    assert send(Scripted(respond(503, headers={"retry-after": text}), respond(200)))[1] == [0.2]


def test_a_long_retry_after_is_for_the_caller() -> None:
    response, waits = send(Scripted(respond(429, headers={"retry-after": "31"})))
    assert (response.status, waits) == (429, [])


def test_with_a_deadline_nothing_is_retried_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("deardiary.http.retries.time.monotonic", lambda: clock[0])

    def silent(request: Request) -> Response:
        clock[0] += 35.0
        raise LOST

    inner = Scripted()
    inner.send = silent  # type: ignore[method-assign]
    with pytest.raises(ClientError, match="lost"):
        RetryingTransport(inner, sleep=lambda _: None).with_deadline(10.0).send(GET)
    assert clock[0] == 135.0


def test_a_post_is_sent_once_unless_it_may_be_repeated() -> None:
    with pytest.raises(ClientError, match="lost"):
        send(Scripted(LOST), Request(method="POST", url="https://diary/x"))
    assert send(Scripted(respond(503)), Request(method="POST", url="https://diary/x"))[1] == []
    assert send(Scripted(LOST, respond(201)), Request(method="POST", url="https://diary/x", repeatable=True))[1] == [
        0.2
    ]


def test_an_error_that_is_an_answer_is_not_tried_again() -> None:
    with pytest.raises(ClientError, match="no"):
        send(Scripted(ClientError(422, "INVALID_PAYLOAD", "no")))
