"""A hostile server chooses method, URL and headers of its "presigned" requests: only uploads to stores are sent."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import deardiary
from deardiary import ClientError, HttpTransport, RetryingTransport
from tests.support import transports
from tests.support.loopback import Loopback, Reply, serve
from tests.support.transports import resource, respond

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary import Client, Request, Response

DATA = b"weights"
HASH = hashlib.sha256(DATA).hexdigest()
PUBLIC_API, LOCAL_API = "https://diary.example/api", "http://127.0.0.1:9/api"

Resolve = Callable[..., None]


class HostileServer:
    """Answers calls of the API at ``url`` itself, with these presigned requests; sends all others over the network."""

    def __init__(self, api: str, **signed: Any) -> None:
        self.url = api
        self.signed = {"method": "PUT", "headers": {}, "offset": 0, "size_bytes": len(DATA), **signed}
        self.stored: list[Request] = []
        self._store = HttpTransport(connect_timeout=30, read_timeout=30)

    def send(self, request: Request) -> Response:
        if not request.url.startswith(self.url):
            self.stored.append(request)
            return self._store.send(request)
        known = {"name": "model.bin", "size_bytes": len(DATA), "content_hash": HASH}
        answers = {
            "resources": resource(**known),
            "r1": resource(**known, state="ready"),
            "upload": {"requests": [self.signed], "expires_at": transports.NOW},
            "complete": resource(**known, state="ready"),
            "download": {**known, "url": self.signed["url"], "expires_at": transports.NOW},
        }
        return respond(200, answers[urlsplit(request.url).path.rpartition("/")[2]])

    def close(self) -> None:
        self._store.close()

    def client(self) -> Client:
        return deardiary.connect(self.url, token="dd_mine", transport=self)


@pytest.fixture
def store() -> Iterator[Loopback]:
    with serve() as loopback:
        yield loopback


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Make DNS return these addresses for a name, and open no connection that would leave this machine."""
    names: dict[str, tuple[str, ...]] = {}
    lookup, connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return [found for address in names.get(host, (host,)) for found in lookup(address, *args, **kwargs)]

    def create_connection(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        found = getaddrinfo(address[0], address[1], type=socket.SOCK_STREAM)[0][4][0]
        if not found.startswith("127."):
            raise ConnectionRefusedError(f"a connection to {found}")
        return connect((found, address[1]), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    return lambda name, *addresses: names.update({name: addresses})


def refused(server: HostileServer, model: Path) -> ClientError:
    """Return the refusal of an upload, after checking that nothing was sent."""
    with server.client() as client, pytest.raises(ClientError) as caught:
        client.resources.upload("e1", model)
    assert (caught.value.code, caught.value.status) == ("STORE_FORBIDDEN", 0), caught.value
    return caught.value


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "HEAD", "CONNECT", "put", "PUT / HTTP/1.1\r\nX: ", ""])
def test_an_upload_is_a_put_or_a_post(store: Loopback, model: Path, method: str) -> None:
    server = HostileServer(LOCAL_API, method=method, url=f"{store.url}/api/2.0/runs/delete")
    assert "PUT or a POST" in str(refused(server, model))
    assert store.seen == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Cookie": "session=1"},
        {"Host": "169.254.169.254"},
        {"Proxy-Authorization": "Basic x"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "upgrade"},
        {"Origin": "http://127.0.0.1:9000"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Metadata-Flavor": "Google"},
        {"content-range": "bytes 0-1/2"},
        {"x-amz": "not the prefix"},
        {"Content-Length": "0"},
        {"Content-Length": "7", "content-length": "7"},
    ],
    ids=lambda headers: " ".join(headers),
)
def test_only_content_and_x_amz_headers_go_to_a_store(store: Loopback, model: Path, headers: dict[str, str]) -> None:
    server = HostileServer(LOCAL_API, url=store.url, headers=headers)
    assert repr(list(headers)[-1]) in str(refused(server, model))
    assert store.seen == []


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_the_headers_that_a_store_needs_are_sent(store: Loopback, model: Path, method: str) -> None:
    headers = {
        "Content-Length": "7",
        "Content-Type": "text/plain",
        "Content-MD5": "x",
        "Content-Encoding": "identity",
        "Content-Disposition": "attachment",
        "x-amz-checksum-sha256": "abc",
        "X-Amz-Security-Token": "t",
    }
    with HostileServer(LOCAL_API, method=method, url=f"{store.url}/put", headers=headers).client() as client:
        client.resources.upload("e1", model)
    (seen,) = store.seen
    assert (seen.method, seen.body) == (method, DATA)
    assert {name.lower(): value for name, value in headers.items()}.items() <= seen.headers.items()
    assert "authorization" not in seen.headers


@pytest.mark.parametrize(("offset", "size_bytes"), [(-1, 7), (0, 8), (7, 1), (0, -1)])
def test_a_part_that_the_file_does_not_have_is_not_sent(
    store: Loopback, model: Path, offset: int, size_bytes: int
) -> None:
    server = HostileServer(LOCAL_API, url=store.url, offset=offset, size_bytes=size_bytes)
    with server.client() as client, pytest.raises(ClientError, match="a part that the file does not have"):
        client.resources.upload("e1", model)
    assert store.seen == []


BAD_URLS = {
    "http://store.example/x": "http URL",
    "https://me:secret@store.example/x": "username",
    "ftp://store.example/x": "neither http nor https",
    "//store.example/x": "neither http nor https",
    "https://store.example:port/x": "URL that is none",
}


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_is_https_when_the_servers_is_and_holds_no_name(model: Path, tmp_path: Path, url: str) -> None:
    server = HostileServer(PUBLIC_API, url=url)
    assert BAD_URLS[url] in str(refused(server, model))
    with server.client() as client, pytest.raises(ClientError, match=BAD_URLS[url]) as caught:
        client.resources.download("r1", tmp_path / "back")
    assert caught.value.code == "STORE_FORBIDDEN"
    assert server.stored == []


NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "0.0.0.1"),
    *("169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "::"),  # noqa: S104
    *("224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8"),
]
SPELLINGS = ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "a.localhost", "LOCALHOST.", "0"]


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_the_client_does_not_connect_to_a_non_public_address(
    model: Path, tmp_path: Path, resolve: Resolve, address: str
) -> None:
    resolve("store.example", address)
    server = HostileServer(PUBLIC_API, url="https://store.example/x")
    message = str(refused(server, model))
    assert f"store.example ({address})" in message
    assert "DEARDIARY_STORE_HOSTS" in message
    with server.client() as client, pytest.raises(ClientError, match=r"store\.example"):
        client.resources.download("r1", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("host", [*NOT_PUBLIC, *SPELLINGS])
@pytest.mark.parametrize("proxied", [False, True])
def test_a_host_that_spells_out_such_an_address_is_not_reached(
    store: Loopback, model: Path, resolve: Resolve, monkeypatch: pytest.MonkeyPatch, host: str, proxied: bool
) -> None:
    """Through a proxy as well, which then gets no request."""
    resolve("a.localhost", "127.0.0.1")
    resolve("localhost.", "127.0.0.1")
    if proxied:
        monkeypatch.setenv("https_proxy", store.url)
    refused(HostileServer(PUBLIC_API, url=f"https://{_in_url(host)}/x"), model)
    assert store.seen == []


def test_through_a_proxy_names_are_the_proxys_to_resolve(
    store: Loopback, model: Path, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve("store.example", "10.0.0.1")
    monkeypatch.setenv("https_proxy", store.url)
    store.replies = [Reply(403, hang_up=True)]
    server = HostileServer(PUBLIC_API, url="https://store.example/x")
    with server.client() as client, pytest.raises(ClientError, match="403"):
        client.resources.upload("e1", model)
    assert [seen.target for seen in store.seen] == ["store.example:443"]


OPENED = [
    ("http://diary.example", "8.8.8.8", True),
    ("http://127.0.0.1:9", "127.0.0.1", True),
    ("http://localhost:9", "127.0.0.1", True),
    ("http://127.0.0.1:9", "8.8.8.8", True),
    ("http://127.0.0.1:9", "10.0.0.1", False),
    ("http://10.0.0.5", "10.0.0.1", True),
    ("http://10.0.0.5", "127.0.0.1", False),
    ("http://10.0.0.5", "169.254.169.254", False),
    ("http://10.0.0.5", "fd00:ec2::254", False),
    ("http://127.0.0.1:9", "169.254.169.254", False),
    ("http://169.254.1.1", "169.254.169.254", False),
    ("http://169.254.1.1", "127.0.0.1", False),
]


@pytest.mark.parametrize(("api", "address", "allowed"), OPENED)
def test_a_store_may_be_where_the_server_itself_is(
    store: Loopback, model: Path, resolve: Resolve, api: str, address: str, allowed: bool
) -> None:
    resolve("store.example", address)
    server = HostileServer(api, url=store.url.replace("127.0.0.1", "store.example"))
    if not allowed:
        refused(server, model)
    elif address.startswith("127."):
        with server.client() as client:
            client.resources.upload("e1", model)
    else:
        with server.client() as client, pytest.raises(ClientError, match=f"a connection to {address}"):
            client.resources.upload("e1", model)
    assert bool(store.seen) == (allowed and address.startswith("127."))


def test_addresses_that_are_not_allowed_are_passed_over(store: Loopback, model: Path, resolve: Resolve) -> None:
    resolve("store.example", "10.0.0.1", "8.8.8.8", "127.0.0.1", "8.8.4.4")
    server = HostileServer("http://diary.example", url=store.url.replace("127.0.0.1", "store.example"))
    with server.client() as client, pytest.raises(ClientError, match=r"a connection to 8\.8\.4\.4"):
        client.resources.upload("e1", model)


def test_the_user_may_name_stores_at_private_addresses(
    store: Loopback, model: Path, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_STORE_HOSTS", "minio.example, Store.example")
    resolve("store.example", "127.0.0.1")
    server = HostileServer("http://diary.example", url=store.url.replace("127.0.0.1", "store.example"))
    with server.client() as client:
        client.resources.upload("e1", model)
    assert [seen.method for seen in store.seen] == ["PUT"]
    resolve("store.example", "169.254.169.254")
    refused(server, model)


def test_redirects_of_a_store_are_not_followed(store: Loopback, model: Path, tmp_path: Path) -> None:
    store.replies = [Reply(307, b"", {"Location": f"{store.url}/elsewhere"})] * 2
    server = HostileServer(LOCAL_API, url=f"{store.url}/x")
    with server.client() as client:
        with pytest.raises(ClientError, match="answered 307"):
            client.resources.upload("e1", model)
        with pytest.raises(ClientError, match="answered 307"):
            client.resources.download("r1", tmp_path / "back")
    assert [seen.target for seen in store.seen] == ["/x", "/x"]


def _answers(store_url: str) -> list[Reply]:
    """Answers of an API that announces a resource and signs its upload."""
    signed = {"method": "PUT", "url": store_url, "headers": {}, "offset": 0, "size_bytes": len(DATA)}
    upload = {"requests": [signed], "expires_at": transports.NOW}
    return [Reply(body=json.dumps(each).encode()) for each in (resource(size_bytes=len(DATA)), upload)]


def test_where_a_server_is_shows_when_it_is_asked(store: Loopback, model: Path, resolve: Resolve) -> None:
    """For a name in the local network, the address of the connection to the server counts."""
    resolve("diary.lan", "127.0.0.1")
    done = Reply(body=transports.respond(200, resource(state="ready")).read())
    with serve() as api:
        api.replies = [*_answers(store.url), done]
        with deardiary.connect(api.url.replace("127.0.0.1", "diary.lan")) as client:
            client.resources.upload("e1", model)
    assert [seen.body for seen in store.seen] == [DATA]


def test_a_server_behind_a_proxy_opens_nothing(store: Loopback, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        proxy.replies = _answers(store.url)
        transport = RetryingTransport(HttpTransport(), sleep=lambda _: pytest.fail("a refusal is not tried again"))
        with deardiary.connect("http://diary.lan", transport=transport) as client, pytest.raises(ClientError) as caught:
            client.resources.upload("e1", model)
        assert (caught.value.code, len(proxy.seen)) == ("STORE_FORBIDDEN", 2)
    assert store.seen == []
