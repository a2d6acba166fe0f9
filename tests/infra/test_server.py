"""The local HTTP server around an app: cases that Chalice's own server leaves unanswered."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from chalice.app import Chalice

from infra.local.server import HOST, MAX_BODY_BYTES, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


def small_app() -> Chalice:
    app = Chalice("small")
    both = threading.Barrier(2)

    @app.route("/size", methods=["POST"], content_types=["application/octet-stream"])
    def size() -> dict[str, int]:
        request: Any = app.current_request
        return {"size": len(request.raw_body)}

    @app.route("/mlflow-artifacts/artifacts/{name}", methods=["PUT"], content_types=["application/octet-stream"])
    def put(name: str) -> dict[str, Any]:
        request: Any = app.current_request
        declared = request.headers.get("content-length")
        return {"name": name, "size": len(request.raw_body), "declared": declared}

    @app.route("/echo/{word}")
    def echo(word: str) -> dict[str, str]:
        both.wait(timeout=60)  # two requests are inside at the same time
        request: Any = app.current_request
        return {"word": request.uri_params["word"]}

    return app


@pytest.fixture
def url() -> Iterator[str]:
    with serving(small_app(), first_port=9300) as address:
        yield address


def test_a_taken_port_gives_the_next(url: str) -> None:
    taken = urlsplit(url).port
    assert taken is not None
    with serving(small_app(), first_port=taken) as other:
        assert other != url
        assert urlsplit(other).hostname == HOST


def test_requests_at_the_same_time_do_not_mix(url: str) -> None:
    answers: dict[str, str] = {}

    def ask(word: str) -> None:
        answers[word] = requests.get(f"{url}/echo/{word}", timeout=60).json()["word"]

    threads = [threading.Thread(target=ask, args=(word,)) for word in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"one": "one", "two": "two"}


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_may_have_ten_megabytes(url: str, size: int, status: int) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    answer = requests.post(f"{url}/size", data=b"x" * size, headers=headers, timeout=60)
    assert answer.status_code == status
    assert answer.json() in ({"size": size}, {"code": "PAYLOAD_TOO_LARGE", "message": answer.json().get("message")})


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/size")])
def test_an_unknown_route_says_so(url: str, method: str, path: str) -> None:
    answer = requests.request(method, f"{url}{path}", timeout=60)
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "NOT_FOUND",
        "message": "There is no such route",
        "details": {"kind": "route"},
    }


BYTES = {"Content-Type": "application/octet-stream"}


@pytest.mark.parametrize("pieces", [[], [b"a"], [b"a", b"b" * 100_000]])
def test_a_chunked_body_is_read(url: str, pieces: list[bytes]) -> None:
    with requests.Session() as session:
        for _ in range(2):
            answer = session.post(f"{url}/size", data=iter(pieces), headers=BYTES, timeout=60)
            assert answer.json() == {"size": len(b"".join(pieces))}


def test_a_chunked_body_may_have_ten_megabytes(url: str) -> None:
    pieces = iter([b"x" * MAX_BODY_BYTES, b"x"])
    answer = requests.post(f"{url}/size", data=pieces, headers=BYTES, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "headers",
    [
        "Transfer-Encoding: gzip\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_body_of_unclear_length_is_refused(url: str, headers: str) -> None:
    assert raw(url, f"POST /size HTTP/1.1\r\nHost: {HOST}\r\n{headers}").startswith(
        (b"HTTP/1.1 400 ", b"HTTP/1.1 411 ")
    )


def test_of_a_large_artifact_the_app_gets_the_headers(url: str) -> None:
    """It answers with the URL of the store, where the client sends the bytes again."""
    size = MAX_BODY_BYTES + 1
    with requests.Session() as session:
        for data, got in ((b"x" * size, 0), (b"x" * 5, 5)):
            answer = session.put(f"{url}/mlflow-artifacts/artifacts/a;b", data=data, headers=BYTES, timeout=60)
            assert answer.json() == {"name": "a%3Bb", "size": got, "declared": str(len(data))}


@pytest.mark.parametrize("length", ["x", "-1", "1.5", "+1", "\u0661", ""])
def test_a_length_that_is_no_number_is_refused(url: str, length: str) -> None:
    answer = raw(url, f"POST /size HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code": "INVALID_PAYLOAD"' in answer


def raw(url: str, request: str) -> bytes:
    """The answer to a request that no HTTP library would send."""
    address = urlsplit(url)
    assert address.port is not None
    with socket.create_connection((HOST, address.port), timeout=30) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()
