"""The real app on an AWS that a test chooses, called without a socket between client and app."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from chalice.config import Config
from chalice.local import ForbiddenError, LocalChalice, LocalGateway
from moto import mock_aws

import deardiary
from chalicelib import clock, config
from chalicelib.aws import clients as aws
from chalicelib.aws import sts
from chalicelib.services.oidc import provider
from chalicelib.storage import keyring
from chalicelib.storage.table import item
from deardiary.http.default import HttpTransport
from deardiary.http.transport import Request, Response, Transport
from deardiary.keyless import Keys, signed
from infra.stage import locate
from infra.up import bring_up

URL = "http://127.0.0.1:9"
_stages = itertools.count(1)
ADMIN, PASSWORD = "admin", "correct horse battery"


@dataclass(frozen=True)
class Reply:
    """An answer, decoded for tests."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def error(self) -> tuple[int, str]:
        """Status and code, after checking the envelope that every error has."""
        assert set(self.body) <= {"code", "message", "details"}, self.body
        assert self.body["message"]
        return self.status, self.body["code"]

    @property
    def field(self) -> str | None:
        field: str | None = self.body.get("details", {}).get("field")
        return field


class AppTransport:
    """Calls the app for requests to `URL`; others (presigned ones) go to the transport of the store."""

    def __init__(self, store: Transport) -> None:
        from app import app

        # A client sends from a thread of its own: `current_request` must be one per thread, as in the local server.
        if not isinstance(app, LocalChalice):
            app.__class__ = type("LocalApp", (LocalChalice, type(app)), {})
        self._gateway = LocalGateway(app, Config())
        self._store = store

    def send(self, request: Request) -> Response:
        if not request.url.startswith(URL):
            return self._store.send(request)
        body = request.open_body()
        content = body.read()
        body.close()
        reply = self.call(request.method, request.url.removeprefix(URL), dict(request.headers), content)
        return Response(reply[0], reply[1], io.BytesIO(reply[2]))

    def call(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        try:
            given = {"Host": urlsplit(URL).netloc, "Accept": "*/*", **{name.title(): headers[name] for name in headers}}
            answer = self._gateway.handle_request(method, path, given, body)
        except ForbiddenError as error:
            return 403, {}, error.body or b""
        answered = {name.lower(): value for name, value in answer["headers"].items()}
        # A line for each: a cookie holds commas.
        answered |= {name.lower(): "\n".join(each) for name, each in answer.get("multiValueHeaders", {}).items()}
        content = answer["body"].encode()
        binary = answer.get("isBase64Encoded")
        return answer["statusCode"], answered, base64.b64decode(content) if binary else content

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class MotoStore:
    """Sends presigned requests to moto, which intercepts `requests`."""

    def send(self, request: Request) -> Response:
        body = request.open_body()
        # Without this header moto keeps no checksum, though S3 does.
        headers = {**request.headers, "x-amz-sdk-checksum-algorithm": "SHA256"}
        answer = requests.request(request.method, request.url, headers=headers, data=body.read(), timeout=60)
        body.close()
        answered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, answered, io.BytesIO(answer.content))

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class Server:
    """The app with an admin. It creates clients, and answers raw requests."""

    def __init__(self, store: Transport) -> None:
        self.transport = AppTransport(store)
        self.tokens: dict[str, str] = {}

    def client(self, username: str = ADMIN, password: str = PASSWORD) -> deardiary.Client:
        if username not in self.tokens:
            answer = self.call("POST", "/auth", {"username": username, "password": password}, token=None)
            self.tokens[username] = answer.body["access_token"]
        return deardiary.connect(URL, token=self.tokens[username], transport=self.transport)

    def newcomer(self, username: str) -> deardiary.Client:
        """A client of a new user, who is no admin and has no permission."""
        self.client().users.create(username, PASSWORD)
        return self.client(username)

    @property
    def site(self) -> str:
        """The URL that the server has for its clients."""
        return URL

    def account(self) -> str:
        """The AWS account of the server."""
        return str(aws.client("sts").get_caller_identity()["Account"])

    def role_keys(self, role: str) -> Keys:
        """The credentials of a session of a role of the account."""
        arn = f"arn:aws:iam::{self.account()}:role/{role}"
        given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="job-1")["Credentials"]
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def signed_by(self, role: str) -> dict[str, Any]:
        """The body of a sign-in by a role."""
        return signed(self.role_keys(role), self.site, "us-east-1", clock.now())

    def token(self, username: str = ADMIN) -> str:
        self.client(username)
        return self.tokens[username]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one raw request; bytes unchanged, other bodies as JSON. `token`: by default the admin's, or None."""
        given = dict(headers or {})
        if token is not None:
            given["Authorization"] = f"Bearer {token or self.token()}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        status, answered, text = self.transport.call(method, path, given, content)
        is_json = "json" in answered.get("content-type", "json")
        return Reply(status, answered, (json.loads(text) if is_json else text) if text else None)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables; the server reads them again at the beginning and at the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _settings():
            patch.delenv(name)
        patch.setenv("DEARDIARY_CAPTURE", "output")  # of the client: see tests/conftest.py
        for name, value in values.items():
            patch.setenv(name, value)
        forget_settings()
        yield
        # Those too that the block has set.
        for name in _settings():
            del os.environ[name]
    forget_settings()


def _settings() -> list[str]:
    return [name for name in os.environ if name.startswith(("AWS_", "DEARDIARY_"))]


@contextmanager
def server_on_moto(**settings: str) -> Iterator[Server]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with mock_aws(), environment(keys), pytest.MonkeyPatch.context() as patch, _server(MotoStore(), settings) as server:
        patch.setattr(sts, "_connect", lambda host: StsConnection(host, _send_to_moto))
        # moto ignores a policy's conditions: the rule against plain HTTP would forbid everything.
        aws.client("s3").delete_bucket_policy(Bucket=config.settings().artifact_bucket)
        yield server


def _send_to_moto(host: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send what the server sends to STS to moto, which intercepts `requests`."""
    answer = requests.post(f"https://{host}/", data=sts.BODY, headers=dict(headers), timeout=60)
    return answer.status_code, answer.content


class StsConnection:
    """A connection to STS without a socket, for a function that answers."""

    def __init__(self, host: str, send: Callable[[str, Mapping[str, str]], tuple[int, bytes]]) -> None:
        self._host, self._send = host, send
        self.status, self._content = 0, b""

    def request(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> None:
        assert (method, path, body) == ("POST", "/", sts.BODY)
        self.status, self._content = self._send(self._host, headers)

    def getresponse(self) -> StsConnection:
        return self

    def read(self, most: int) -> bytes:
        return self._content[:most]

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


@contextmanager
def server_on_emulator(emulator_environment: dict[str, str], **settings: str) -> Iterator[Server]:
    with environment(emulator_environment), _server(HttpTransport(), settings) as server:
        yield server


@contextmanager
def _server(store: Transport, settings: dict[str, str]) -> Iterator[Server]:
    # A stage of its own: servers on one emulator share no table.
    stage, clients = locate(f"test-{next(_stages)}")
    os.environ.update(stage.settings() | settings)
    config.settings.cache_clear()
    item.bind(config.settings())
    list(bring_up(stage, clients, cors_origins=(), username=ADMIN, password=PASSWORD))
    yield Server(store)
    store.close()
    for name in (*stage.settings(), *settings):
        os.environ.pop(name, None)


def forget_settings() -> None:
    """Let the server read the environment again, as a new process does."""
    config.settings.cache_clear()
    aws._client.cache_clear()
    aws.session.cache_clear()
    keyring._kept = None
    provider._kept.clear()
    item.bind(config.settings())
