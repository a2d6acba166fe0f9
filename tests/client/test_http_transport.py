from __future__ import annotations

import base64
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import ClientError, HttpTransport, Request
from deardiary.http.transport import FileSlice
from tests.support.loopback import Loopback, Reply, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve() as loopback:
        yield loopback


@pytest.fixture
def transport(server: Loopback) -> Iterator[HttpTransport]:  # closed before the server, whose threads wait for it
    transport = HttpTransport(connect_timeout=30, read_timeout=30)
    yield transport
    transport.close()


def get(server: Loopback, *, streamed: bool = False) -> Request:
    return Request(method="GET", url=f"{server.url}/x?a=%20b", streamed=streamed)


def post(server: Loopback, *, repeatable: bool = False) -> Request:
    return Request(method="POST", url=f"{server.url}/x", body=b"{}", repeatable=repeatable)


def test_a_request_arrives_and_its_answer_comes_back(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(201, b"made", {"X-Name": "v"})]
    request = Request(method="POST", url=f"{server.url}/a/b?c=%20d", headers={"X-Asked": "yes"}, body=b"body")

    response = transport.send(request)

    assert (response.status, response.headers["x-name"], response.read()) == (201, "v", b"made")
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.headers["x-asked"], seen.body) == ("POST", "/a/b?c=%20d", "yes", b"body")


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", "0"), ("PUT", "0")])
def test_no_body_is_sent_as_none(server: Loopback, transport: HttpTransport, method: str, length: str | None) -> None:
    transport.send(Request(method=method, url=server.url))
    (seen,) = server.seen
    assert (seen.target, seen.headers.get("content-length")) == ("/", length)
    assert "transfer-encoding" not in seen.headers


def test_a_connection_is_kept(server: Loopback, transport: HttpTransport) -> None:
    for _ in range(3):
        transport.send(get(server))
        transport.send(post(server))
    assert (len(server.seen), server.connections) == (6, 1)


def test_threads_do_not_share_a_connection_at_the_same_time(server: Loopback, transport: HttpTransport) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: transport.send(get(server)).read(), range(40)))
    assert answers == [b"{}"] * 40
    assert server.connections <= 4


def test_a_connection_that_was_closed_meanwhile_is_replaced(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(hang_up=True), Reply(hang_up=True)]
    assert [transport.send(get(server)).status for _ in range(3)] == [200, 200, 200]
    assert (len(server.seen), server.connections) == (3, 3)


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_kept_connection_that_answers_nothing_is_tried_afresh_once(
    server: Loopback, transport: HttpTransport, repeatable: bool
) -> None:
    server.replies = [Reply(), Reply(status=0, hang_up=True)]
    transport.send(get(server))
    if repeatable:
        assert transport.send(post(server, repeatable=True)).status == 200
        assert len(server.seen) == 3
    else:  # it may have been carried out
        with pytest.raises(ClientError, match="No answer"):
            transport.send(post(server))
        assert len(server.seen) == 2


def test_a_new_connection_that_answers_nothing_is_a_failure(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(status=0, hang_up=True)]
    with pytest.raises(ClientError) as caught:
        transport.send(get(server))
    assert (caught.value.status, caught.value.code) == (0, "CONNECTION_FAILED")
    assert len(server.seen) == 1


def test_a_refused_connection_is_a_failure_that_names_the_url(transport: HttpTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ClientError, match=rf"No answer from http://127\.0\.0\.1:{port}/x .*refused"):
        transport.send(Request(method="GET", url=f"http://127.0.0.1:{port}/x"))


def test_a_file_is_sent_in_pieces_and_again_after_a_lost_connection(
    server: Loopback, transport: HttpTransport, tmp_path: Path
) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 4096)
    body = FileSlice(path, offset=3, size_bytes=1_000_000)
    server.replies = [Reply(), Reply(status=0, hang_up=True)]
    transport.send(get(server))

    transport.send(Request(method="PUT", url=f"{server.url}/x", body=body))

    assert [seen.body == path.read_bytes()[3:1_000_003] for seen in server.seen[1:]] == [True, True]
    assert server.seen[-1].headers["content-length"] == "1000000"
    assert "transfer-encoding" not in server.seen[-1].headers


def test_a_file_that_became_shorter_is_not_waited_for(server: Loopback, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(10))
    with pytest.raises(ClientError, match="90 bytes early") as error:
        HttpTransport(read_timeout=5).send(Request(method="PUT", url=f"{server.url}/x", body=FileSlice(path, 0, 100)))
    assert error.value.code == "FILE_CHANGED"


def test_a_refusal_before_the_body_is_read_is_understood(transport: HttpTransport, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(8_000_000))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        response = transport.send(Request(method="PUT", url=url, body=FileSlice(path, 0, 8_000_000)))
        thread.join()
    assert (response.status, response.read()) == (403, b"no")


def _refuse(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:  # whose end, with most of the body unread, resets the connection while the client still sends
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")


def test_a_streamed_answer_is_read_in_pieces_and_its_connection_kept(
    server: Loopback, transport: HttpTransport
) -> None:
    server.replies = [Reply(body=b"0123456789")]
    response = transport.send(get(server, streamed=True))
    assert [response.stream.read(4) for _ in range(4)] == [b"0123", b"4567", b"89", b""]
    transport.send(get(server))
    assert server.connections == 1


def test_a_streamed_answer_left_unread_costs_its_connection(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(body=b"0123456789")]
    response = transport.send(get(server, streamed=True))
    response.stream.read(4)
    response.close()
    assert transport.send(get(server)).read() == b"{}"
    assert server.connections == 2


def test_an_answer_cut_short_is_a_failure(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(body=b"half", headers={"Content-Length": "8"}, hang_up=True)]
    with pytest.raises(ClientError, match="No answer"):
        transport.send(get(server))


def test_a_redirect_is_an_answer(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(302, b"", {"Location": f"{server.url}/other"})]
    assert transport.send(get(server)).status == 302
    assert len(server.seen) == 1


def test_a_proxy_gets_the_whole_url(server: Loopback) -> None:
    transport = HttpTransport(proxies={"http": server.url.replace("http://", "http://me:p%40ss@")})
    assert transport.send(Request(method="GET", url="http://diary.example/api/x?y=1")).status == 200
    transport.close()

    (seen,) = server.seen
    assert (seen.target, seen.headers["host"]) == ("http://diary.example/api/x?y=1", "diary.example")
    assert base64.b64decode(seen.headers["proxy-authorization"].split()[1]) == b"me:p@ss"


def test_a_proxy_only_tunnels_https(server: Loopback) -> None:
    server.replies = [Reply(403, hang_up=True)]
    transport = HttpTransport(proxies={"https": server.url})
    request = Request(method="GET", url="https://diary.example/x", headers={"Authorization": "Bearer t"})
    with pytest.raises(ClientError, match="403"):
        transport.send(request)

    (seen,) = server.seen
    assert (seen.method, seen.target) == ("CONNECT", "diary.example:443")
    assert "authorization" not in seen.headers


def test_loopback_needs_no_proxy(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    transport = HttpTransport()
    assert transport.send(get(server)).status == 200
    transport.close()


def test_the_machines_proxies_and_their_exceptions_are_honoured(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "inner.invalid")
    transport = HttpTransport()
    assert transport.send(Request(method="GET", url="http://outer.invalid/x")).status == 200
    with pytest.raises(ClientError, match="No answer"):
        transport.send(Request(method="GET", url="http://inner.invalid/x"))
    transport.close()


@pytest.mark.parametrize("token", ["dd_se\ncret", "dd_se\u6f22cret"])
def test_a_token_that_cannot_be_sent_is_not_shown(server: Loopback, token: str) -> None:
    with deardiary.connect(server.url, token=token) as client, pytest.raises(ClientError) as caught:
        client.whoami()
    shown = "".join(traceback.format_exception(caught.value))
    assert "its URL or its token" in shown
    assert "cret" not in shown
    assert server.seen == []


def test_a_line_end_is_not_part_of_a_token(server: Loopback) -> None:
    with deardiary.connect(server.url, token="dd_secret\n") as client, pytest.raises(ClientError):
        client.whoami()
    assert server.seen[0].headers["authorization"] == "Bearer dd_secret"


@pytest.mark.parametrize(
    "body", [b'{"data": [], "next_cursor": "again"}', b'{"data": 5, "next_cursor": null}', b"[" * 100_000]
)
def test_a_list_that_is_none_or_does_not_end_is_an_error(server: Loopback, body: bytes) -> None:
    server.replies = [Reply(body=body)] * 3
    with deardiary.connect(server.url) as client, pytest.raises(ClientError, match="not DearDiary's"):
        list(client.projects.list())


def test_a_connection_whose_answer_was_cut_is_not_used_again(server: Loopback, transport: HttpTransport) -> None:
    server.replies = [Reply(body=b"half", headers={"Content-Length": "8"}, hang_up=True)]
    with pytest.raises(ClientError, match="IncompleteRead"):
        transport.send(get(server))
    assert transport.send(get(server)).status == 200
    assert server.connections == 2


@pytest.mark.parametrize("url", ["ftp://diary/x", "diary/x", "http:///x"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(ClientError, match="Expected an http or https URL"):
        HttpTransport().send(Request(method="GET", url=url))
