"""Signing in by an AWS role: the signature, the sources of credentials, and when the client does it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deardiary
from deardiary import ClientError, api, keyless
from deardiary.client import connect_unchosen
from deardiary.keyless import Keys, find_keys, signed
from deardiary.wire.times import format_time
from tests.support.sts import signature
from tests.support.transports import NOW, URL, Answer, FakeServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from deardiary.http.transport import Request

FIRST, LAST = (datetime(year, 1, 1) for year in (2020, 2100))  # noqa: DTZ001 - the strategy adds UTC
TEXTS = st.text("abcXYZ019/+=", min_size=1, max_size=40)
FOUND = Keys("ASIAEXAMPLE123456789", "secret/+", "session+/==")
ANSWER = {"AccessKeyId": FOUND.access, "SecretAccessKey": FOUND.secret, "Token": FOUND.token}
USER = {
    "id": "u",
    "username": "role/train@123456789012",
    "first_name": "train",
    "last_name": "",
    "created_date": NOW,
    "is_admin": False,
}


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "REGION", "DEFAULT_REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)


def in_environment(monkeypatch: pytest.MonkeyPatch, keys: Keys = FOUND) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys.token or "")


@given(
    st.builds(Keys, st.text("ABC123", min_size=16, max_size=20), TEXTS, st.none() | TEXTS),
    st.sampled_from(["https://a.example/api", "http://127.0.0.1:9000", "https://a.example:8443/some path"]),
    st.sampled_from([None, "eu-west-1", "us-gov-west-1", "cn-north-1"]),
    st.datetimes(timezones=st.just(timezone.utc), min_value=FIRST, max_value=LAST),
)
def test_the_signature_is_that_of_botocore(keys: Keys, audience: str, region: str | None, now: datetime) -> None:
    request: dict[str, Any] = signed(keys, audience, region, now)
    headers, host = request["headers"], request["url"].removeprefix("https://").rstrip("/")
    assert headers["authorization"] == signature(host, headers, request["body"], keys)
    assert (headers["host"], request["method"]) == (host, "POST")


def test_no_repr_shows_a_secret() -> None:
    assert FOUND.secret not in repr(FOUND)
    assert str(FOUND.token) not in repr(FOUND)


def test_the_environment_has_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_keys() is None
    in_environment(monkeypatch)
    assert find_keys() == FOUND


def test_the_keys_of_an_emulator_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch, Keys("test", "test", None))
    assert find_keys() is None


PROFILES = """
[default]
aws_access_key_id = AKIADEFAULT123456789
aws_secret_access_key = default%secret
[{prefix}lab]
aws_access_key_id = {access}
aws_secret_access_key = {secret}
aws_session_token = {token}
[{prefix}sso]
sso_start_url = https://example.org
"""


@pytest.mark.parametrize(("variable", "prefix"), [("AWS_SHARED_CREDENTIALS_FILE", ""), ("AWS_CONFIG_FILE", "profile ")])
def test_a_profile_has_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, prefix: str) -> None:
    text = PROFILES.format(prefix=prefix, access=FOUND.access, secret=FOUND.secret, token=FOUND.token)
    (tmp_path / "file").write_text(text)
    monkeypatch.setenv(variable, str(tmp_path / "file"))
    assert find_keys() == Keys("AKIADEFAULT123456789", "default%secret")
    for profile, keys in (("lab", FOUND), ("sso", None), ("none", None)):
        monkeypatch.setenv("AWS_PROFILE", profile)
        assert find_keys() == keys


def test_a_damaged_profile_file_is_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no section \xff")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "file"))
    assert find_keys() is None


Asked = list[tuple[str, str, dict[str, str], str]]


@contextmanager
def endpoint(answers: Mapping[str, str]) -> Iterator[tuple[str, Asked]]:
    """A server on loopback that answers these paths, and what it is asked."""
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append((self.command, self.path, headers, body))
            content = answers.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or "")))
            self.end_headers()
            self.wfile.write((content or "").encode())

        do_GET = do_PUT = do_POST = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_a_container_has_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("granted\n")
    with endpoint({"/v2/credentials?id=1": json.dumps(ANSWER)}) as (url, asked):
        monkeypatch.setattr(keyless, "_CONTAINERS", url)
        monkeypatch.setattr(keyless, "_LONGEST_WAIT", 30.0)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials?id=1")
        assert find_keys() == FOUND
        monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v2/credentials?id=1")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        assert find_keys() == FOUND
    assert [headers.get("authorization") for _, _, headers, _ in asked] == [None, "granted"]


@pytest.mark.parametrize(
    "url", ["http://evil.example/", "http://169.254.169.254/", "ftp://127.0.0.1/", "http://127.0.0.1.evil.example/"]
)
def test_no_other_host_is_asked_for_the_credentials_of_a_container(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(keyless, "_fetch", lambda *_: pytest.fail("a request"))
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret")
    with pytest.raises(ClientError, match="container cannot be read"):
        find_keys()


def test_a_container_that_does_not_answer_is_an_error_that_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")
    with pytest.raises(ClientError) as failed:
        find_keys()
    assert (failed.value.status, failed.value.code) == (0, "AWS_CREDENTIALS_UNREADABLE")


def test_a_pod_trades_its_web_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a.b.c\n")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/train")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    asked: list[Any] = []
    text = "".join(f"<{name}>{value}</{name}>" for name, value in ANSWER.items()).replace("Token>", "SessionToken>")

    def fetch(*given: Any) -> bytes:
        asked.extend(given)
        return f"<Credentials>{text}</Credentials>".encode()

    monkeypatch.setattr(keyless, "_fetch", fetch)
    assert find_keys() == FOUND
    assert asked[:2] == ["POST", "https://sts.eu-west-1.amazonaws.com/"]
    assert "WebIdentityToken=a.b.c" in asked[3]


INSTANCE = {
    "/api/token": "t",
    "/meta-data/iam/security-credentials/": "train\n",
    "/meta-data/iam/security-credentials/train": json.dumps(ANSWER),
}


def on_ec2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, vendor: str = "Amazon EC2\n") -> None:
    (tmp_path / "vendor").write_text(vendor)
    monkeypatch.setattr(keyless, "_INSTANCE_MARKS", ((str(tmp_path / "vendor"), "Amazon EC2"),))
    monkeypatch.setattr(keyless, "_INSTANCE", url)
    monkeypatch.setattr(keyless, "_LONGEST_WAIT", 30.0)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")


def test_an_instance_has_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with endpoint(INSTANCE) as (url, asked):
        on_ec2(monkeypatch, tmp_path, url)
        assert find_keys() == FOUND
    assert [(method, headers.get("x-aws-ec2-metadata-token")) for method, _, headers, _ in asked] == [
        ("PUT", None),
        ("GET", "t"),
        ("GET", "t"),
    ]


def test_an_instance_without_a_role_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with endpoint({"/api/token": "t"}) as (url, _):
        on_ec2(monkeypatch, tmp_path, url)
        assert find_keys() is None


@pytest.mark.parametrize(("vendor", "disabled"), [("LENOVO", "false"), ("Amazon EC2", "true")])
def test_a_laptop_sends_no_request_for_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vendor: str, disabled: str
) -> None:
    with endpoint(INSTANCE) as (url, asked):
        on_ec2(monkeypatch, tmp_path, url, vendor)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", disabled)
        assert find_keys() is None
    assert asked == []


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A server that gives the tokens t1, t2 … to roles, and accepts the last of them."""
    server = FakeServer()
    given: list[str] = []

    def sign_in(_: Request) -> Answer:
        given.append(f"t{len(given) + 1}")
        expires = format_time(datetime.now(timezone.utc) + timedelta(hours=1))
        return 200, {"access_token": given[-1], "token_type": "bearer", "expires_at": expires, "user": USER}

    def whoami(request: Request) -> Answer:
        if given and request.headers.get("Authorization") == f"Bearer {given[-1]}":
            return 200, USER
        return 401, {"code": "TOKEN_MISSING", "message": "no token"}

    server.answers = {"POST /auth/aws": sign_in, "GET /auth/me": whoami}
    return server


def test_a_client_without_a_token_signs_in_by_its_role(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch)
    client = deardiary.connect(URL, transport=fake)
    assert fake.requests == []
    assert client.whoami().username == USER["username"]
    assert fake.names() == ["GET /auth/me", "POST /auth/aws", "GET /auth/me"]
    assert client.whoami().username == USER["username"]
    (body,) = fake.bodies("POST /auth/aws")
    assert body["headers"][keyless.AUDIENCE] == URL
    assert FOUND.secret not in json.dumps(body)


def test_the_token_is_replaced_before_it_ends(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch)
    client = deardiary.connect(URL, transport=fake)
    client.whoami()
    later = advance(monkeypatch, 49 * 60)
    client.whoami()
    assert fake.names()[3:] == ["GET /auth/me"]
    later(2 * 60)
    client.whoami()
    assert fake.names()[4:] == ["POST /auth/aws", "GET /auth/me"]


def advance(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Callable[[float], None]:
    """Put the clock of the login forward, and return a function that does so again."""
    passed, real = [seconds], time.monotonic
    monkeypatch.setattr(api, "time", type("Clock", (), {"monotonic": staticmethod(lambda: real() + sum(passed))}))
    return passed.append


def test_a_token_that_cannot_be_replaced_is_used_to_its_end(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch)
    client = deardiary.connect(URL, transport=fake)
    client.whoami()
    fake.answers["POST /auth/aws"] = (503, {"code": "UNAVAILABLE", "message": "busy"})
    advance(monkeypatch, 51 * 60)
    for _ in range(3):
        assert client.whoami().username == USER["username"]
    assert fake.names().count("POST /auth/aws") == 2


def test_a_refused_role_is_a_clear_error(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment(monkeypatch)
    message = "No project allows arn:aws:iam::123456789012:role/train. An owner of a project runs: …"
    fake.answers["POST /auth/aws"] = (403, {"code": "PROJECT_PERMISSION_REQUIRED", "message": message})
    with pytest.raises(ClientError, match=r"No project allows arn.*deardiary login https://diary") as refused:
        deardiary.connect(URL, transport=fake).whoami()
    assert (refused.value.status, refused.value.code) == (403, "PROJECT_PERMISSION_REQUIRED")


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"code": "NOT_FOUND", "message": "x"}),
        (403, {"message": "Missing Authentication Token"}),
        (404, {"Code": "NotFoundError", "Message": "No view function for: /auth/aws"}),
    ],
)
def test_an_older_server_asks_for_a_token(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, Any]
) -> None:
    in_environment(monkeypatch)
    fake.answers["POST /auth/aws"] = answer
    with pytest.raises(ClientError, match="You are not signed in") as refused:
        deardiary.connect(URL, transport=fake).whoami()
    assert refused.value.status == 401


def test_without_credentials_the_error_asks_for_a_token(fake: FakeServer) -> None:
    with pytest.raises(ClientError, match="You are not signed in"):
        deardiary.connect(URL, transport=fake).whoami()
    assert fake.names() == ["GET /auth/me"]


@pytest.mark.parametrize("given", [{"token": "refused"}, {"DEARDIARY_TOKEN": "refused"}])
def test_a_token_that_the_user_has_set_is_not_replaced(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    in_environment(monkeypatch)
    if "DEARDIARY_TOKEN" in given:
        monkeypatch.setenv("DEARDIARY_TOKEN", given["DEARDIARY_TOKEN"])
    with pytest.raises(ClientError):
        deardiary.connect(URL, token=given.get("token"), transport=fake).whoami()
    assert "POST /auth/aws" not in fake.names()


def test_a_role_signs_in_only_to_a_server_that_the_user_has_chosen(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_environment(monkeypatch)
    monkeypatch.setattr("deardiary.client._default_transport", lambda: fake)
    with pytest.raises(ClientError, match="You are not signed in"):
        connect_unchosen(URL).whoami()
    monkeypatch.setenv("DEARDIARY_URL", "https://other.example")
    with pytest.raises(ClientError, match="You are not signed in"):
        deardiary.connect(URL, transport=fake).whoami()
    assert "POST /auth/aws" not in fake.names()
    monkeypatch.setenv("DEARDIARY_URL", URL)
    assert connect_unchosen(URL).whoami().username == USER["username"]
