"""Jobs without a secret: which signed requests the server sends to AWS, and what a role may do with its token."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib import clock, config
from chalicelib.aws import sts
from chalicelib.services import identity as service
from chalicelib.storage import identity as identities
from deardiary.keyless import AUDIENCE, Keys, signed
from deardiary.wire.times import parse_time
from tests.support.consistency import check_consistency
from tests.support.interleaving import stage
from tests.support.server import PASSWORD, URL, Reply, Server
from tests.support.sts import ACCOUNT, FakeSts

# Before the fixtures replace it.
CONNECT = sts._connect
TRAIN = f"arn:aws:iam::{ACCOUNT}:role/train"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSts:
    made = FakeSts()
    monkeypatch.setattr(sts, "_connect", made.connect)
    return made


@pytest.fixture
def iris(server: Server) -> str:
    """A project of Anna, who is no admin."""
    return server.newcomer("anna").projects.create("Iris").id


def allow(server: Server, project_id: str, pattern: str = TRAIN, username: str = "anna", **more: Any) -> Reply:
    body = {"pattern": pattern, "project_id": project_id, **more}
    return server.call("POST", "/auth/identities", body, token=server.token(username))


def request(keys: Keys, audience: str = URL, region: str | None = "eu-west-1") -> dict[str, Any]:
    return signed(keys, audience, region, clock.now())


def sign_in(server: Server, keys: Keys) -> Reply:
    return server.call("POST", "/auth/aws", request(keys), token=None)


def token_of(server: Server, keys: Keys) -> str:
    token: str = sign_in(server, keys).body["access_token"]
    return token


def may(server: Server, project_id: str, token: str) -> tuple[int, int, int, int]:
    """The statuses of a read, a creation, a change and a deletion in the project."""
    path = f"/projects/{project_id}"
    read = server.call("GET", path, token=token).status
    made = server.call("POST", f"{path}/experiments", {"name": clock.now().isoformat()}, token=token)
    change = server.call("PATCH", path, {"description": "x"}, token=token).status
    tag = server.call("POST", f"{path}/tags", {"value": "x"}, token=server.token("anna")).body["id"]
    return read, made.status, change, server.call("DELETE", f"{path}/tags/{tag}", token=token).status


def test_a_role_signs_in_for_an_hour_and_may_do_what_its_pattern_gives(
    server: Server, fake: FakeSts, iris: str
) -> None:
    assert allow(server, iris).status == 201
    before = clock.now()
    answer = sign_in(server, fake.role("train"))
    assert answer.status == 200
    session = answer.body
    assert (session["user"]["username"], session["user"]["first_name"]) == (f"role/train@{ACCOUNT}", "train")
    assert may(server, iris, session["access_token"]) == (200, 201, 200, 403)
    (host, sent), *_ = fake.sent
    assert host == "sts.eu-west-1.amazonaws.com"
    assert sent.keys() == {"Host", "authorization", "content-type", "x-amz-date", "x-amz-security-token", AUDIENCE}
    life = parse_time(session["expires_at"]) - before
    assert timedelta(hours=1) - timedelta(seconds=1) <= life <= timedelta(hours=1) + (clock.now() - before)


def test_what_a_role_makes_bears_its_name(server: Server, fake: FakeSts, iris: str) -> None:
    allow(server, iris)
    session = sign_in(server, fake.role("train")).body
    path, user_id = f"/projects/{iris}/experiments", session["user"]["id"]
    made = server.call("POST", path, {"name": "nightly"}, token=session["access_token"]).body
    assert made["created_by"] == user_id
    members = server.call("GET", f"/projects/{iris}/permissions", token=server.token("anna")).body["data"]
    assert {each["username"]: each["delete_permission"] for each in members} == {
        "anna": True,
        f"role/train@{ACCOUNT}": False,
    }
    found = server.call("GET", f"/users?username=role/train@{ACCOUNT}", token=server.token("anna")).body["data"]
    assert [each["id"] for each in found] == [user_id]
    assert sign_in(server, fake.role("train", session="job-2")).body["user"]["id"] == user_id
    assert session["user"]["username"] in {each.username for each in server.client().users.list()}


def altered(found: dict[str, Any], **changed: str | None) -> dict[str, Any]:
    """The request with other headers; None removes one."""
    headers = {**found["headers"], **{name.replace("_", "-"): value for name, value in changed.items()}}
    return found | {"headers": {name: value for name, value in headers.items() if value is not None}}


def authorized(found: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return altered(found, authorization=found["headers"]["authorization"].replace(old, new))


MALFORMED: dict[str, Any] = {
    "another host": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com.evil.example/"},
    "another service": lambda it: it | {"url": "https://s3.eu-west-1.amazonaws.com/"},
    "no region": lambda it: it | {"url": "https://sts.evil.amazonaws.com/"},
    "a bucket": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com.s3.amazonaws.com/"},
    "a user": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com@evil.example/"},
    "a port": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com:8443/"},
    "plain http": lambda it: it | {"url": "http://sts.eu-west-1.amazonaws.com/"},
    "metadata": lambda it: it | {"url": "http://169.254.169.254/"},
    "a path": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com/a"},
    "a query": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com/?Action=AssumeRole"},
    "a line end": lambda it: it | {"url": "https://sts.eu-west-1.amazonaws.com/\n"},
    "GET": lambda it: it | {"method": "GET"},
    "another action": lambda it: it | {"body": "Action=GetSessionToken&Version=2011-06-15"},
    "two actions": lambda it: it | {"body": it["body"] + "&Action=GetSessionToken"},
    "no signature": lambda it: altered(it, authorization=None),
    "another signature": lambda it: altered(it, authorization="Bearer x"),
    "another service signed": lambda it: authorized(it, "/sts/", "/s3/"),
    "no audience": lambda it: altered(it, x_deardiary_audience=None),
    "an audience that is not signed": lambda it: authorized(it, f";{AUDIENCE}", ""),
    "a host that is not signed": lambda it: authorized(it, "host;", ""),
    "a date that is not signed": lambda it: authorized(it, "x-amz-date;", ""),
    "another header signed": lambda it: authorized(it, "host;", "host;x-amz-target;"),
    "a header twice": lambda it: altered(it, X_Amz_Date="20260101T000000Z"),
    "a line end in a header": lambda it: altered(it, x_amz_security_token="x\r\nHost: evil"),
    "no date": lambda it: altered(it, x_amz_date="today"),
    "another content type": lambda it: altered(it, content_type="application/json"),
    "too many headers": lambda it: altered(it, **{f"x_{number}": "x" for number in range(20)}),
    "an unknown field": lambda it: it | {"endpoint": "http://127.0.0.1"},
}


@pytest.mark.parametrize("how", sorted(MALFORMED))
def test_a_request_of_another_form_is_not_sent_to_aws(server: Server, fake: FakeSts, iris: str, how: str) -> None:
    allow(server, iris)
    body = MALFORMED[how](request(fake.role("train")))
    assert server.call("POST", "/auth/aws", body, token=None).error == (422, "INVALID_PAYLOAD")
    assert fake.sent == []


UNACCEPTED: dict[str, Any] = {
    "for another server": lambda keys: request(keys, "https://evil.example/api"),
    "for another port": lambda keys: request(keys, f"{URL}1"),
    "too old": lambda keys: signed(keys, URL, "eu-west-1", clock.now() - timedelta(minutes=6)),
    "of the future": lambda keys: signed(keys, URL, "eu-west-1", clock.now() + timedelta(minutes=6)),
}


@pytest.mark.parametrize("how", sorted(UNACCEPTED))
def test_a_request_for_another_server_or_time_is_not_sent_to_aws(
    server: Server, fake: FakeSts, iris: str, how: str
) -> None:
    allow(server, iris)
    refused = server.call("POST", "/auth/aws", UNACCEPTED[how](fake.role("train")), token=None)
    assert refused.error == (401, "INVALID_CREDENTIALS")
    assert fake.sent == []


def test_outside_of_lambda_a_host_that_the_caller_names_is_no_audience(
    server: Server, fake: FakeSts, iris: str
) -> None:
    """A server that the job trusts could send its request on, with its own name as the Host."""
    allow(server, iris)
    body = request(fake.role("train"), "https://other.example")
    headers = {"Host": "other.example", "X-Forwarded-Proto": "https"}
    refused = server.call("POST", "/auth/aws", body, token=None, headers=headers)
    assert refused.error == (401, "INVALID_CREDENTIALS")
    assert fake.sent == []


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        ("https://x1.execute-api.eu-west-1.amazonaws.com", 200),
        ("https://x1.execute-api.eu-west-1.amazonaws.com/", 200),
        ("https://x1.execute-api.eu-west-1.amazonaws.com/other", 401),
        ("http://x1.execute-api.eu-west-1.amazonaws.com", 401),
        ("https://x2.execute-api.eu-west-1.amazonaws.com", 401),
    ],
)
def test_in_lambda_the_audience_is_the_whole_url(
    server: Server, fake: FakeSts, iris: str, monkeypatch: pytest.MonkeyPatch, audience: str, status: int
) -> None:
    allow(server, iris)
    found = config.settings()._replace(in_lambda=True)
    monkeypatch.setattr(config, "settings", lambda: found)
    headers = {"Host": "x1.execute-api.eu-west-1.amazonaws.com", "X-Forwarded-Proto": "https"}
    body = request(fake.role("train"), audience)
    assert server.call("POST", "/auth/aws", body, token=None, headers=headers).status == status


BEHIND = "https://diary.example.org/tracker"
# The audience that a job signs, and whether a server of this one public URL accepts it, in Lambda and elsewhere.
AUDIENCES: dict[str, tuple[bool, bool]] = {
    BEHIND: (True, True),
    f"{BEHIND}/": (True, True),
    "https://x1.execute-api.eu-west-1.amazonaws.com": (True, False),
    "https://diary.example.org": (False, False),
    f"{BEHIND}/api": (False, False),
    f"{BEHIND}2": (False, False),
    "https://diary.example.org:8443/tracker": (False, False),
    "http://diary.example.org/tracker": (False, False),
    "https://a.diary.example.org/tracker": (False, False),
    "https://diary.example.org.evil.example/tracker": (False, False),
    "https://diary.example.org@evil.example/tracker": (False, False),
    "https://evil.example/?https://diary.example.org/tracker": (False, False),
    "https://evil.example": (False, False),
}


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("in_lambda", [True, False])
def test_behind_a_proxy_the_audience_is_a_public_url_of_the_settings(
    server: Server, fake: FakeSts, iris: str, monkeypatch: pytest.MonkeyPatch, audience: str, in_lambda: bool
) -> None:
    """The proxy changes the Host, so that the server sees another URL than the job has signed."""
    allow(server, iris)
    public = config.read({config.PUBLIC_URLS: "https://DIARY.example.org/tracker/ https://other.example"}).public_urls
    found = config.settings()._replace(in_lambda=in_lambda, public_urls=public)
    monkeypatch.setattr(config, "settings", lambda: found)
    headers = {"Host": "x1.execute-api.eu-west-1.amazonaws.com", "X-Forwarded-Proto": "https"}
    answer = server.call("POST", "/auth/aws", request(fake.role("train"), audience), token=None, headers=headers)
    if AUDIENCES[audience][not in_lambda]:
        assert answer.status == 200
        return
    assert answer.error == (401, "INVALID_CREDENTIALS")
    assert config.PUBLIC_URLS in answer.body["message"]
    assert fake.sent == []


def test_a_host_that_the_caller_names_after_a_public_url_is_no_audience(
    server: Server, fake: FakeSts, iris: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of Lambda the Host still proves nothing, nor does a header of a proxy."""
    allow(server, iris)
    found = config.settings()._replace(public_urls=frozenset({BEHIND}))
    monkeypatch.setattr(config, "settings", lambda: found)
    body = request(fake.role("train"), "https://evil.example/tracker")
    headers = {"Host": "evil.example", "X-Forwarded-Host": "diary.example.org", "X-Forwarded-Proto": "https"}
    refused = server.call("POST", "/auth/aws", body, token=None, headers=headers)
    assert refused.error == (401, "INVALID_CREDENTIALS")
    assert fake.sent == []


@pytest.mark.parametrize(
    "url",
    [
        "diary.example.org",
        "http://diary.example.org",
        "https://*.example.org",
        "https://ada:pass@diary.example.org",
        "https://diary.example.org/?a",
        "https://diary.example.org/#a",
        "https://:443",
    ],
)
def test_a_public_url_that_no_client_can_have_is_refused(url: str) -> None:
    with pytest.raises(config.ConfigurationError, match=f"^{config.PUBLIC_URLS}: URL 2 is not") as error:
        config.read({config.PUBLIC_URLS: f"https://diary.example.org {url}"})
    assert "pass" not in str(error.value)


def test_a_malformed_host_is_no_audience(server: Server, fake: FakeSts, iris: str) -> None:
    body = request(fake.role("train"), "http://[x")
    answer = server.call("POST", "/auth/aws", body, token=None, headers={"Host": "[x"})
    assert answer.error == (401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize("region", [None, "us-east-1", "us-gov-west-1", "ap-southeast-3", "il-central-1", "cn-north-1"])
def test_the_regional_hosts_of_sts_and_the_global_one_are_accepted(
    server: Server, fake: FakeSts, iris: str, region: str | None
) -> None:
    allow(server, iris)
    assert server.call("POST", "/auth/aws", request(fake.role("train"), region=region), token=None).status == 200
    assert fake.sent[0][0] == {None: "sts.amazonaws.com", "cn-north-1": "sts.cn-north-1.amazonaws.com.cn"}.get(
        region, f"sts.{region}.amazonaws.com"
    )


def test_a_signature_of_other_headers_is_refused_by_aws(server: Server, fake: FakeSts, iris: str) -> None:
    """Who has a request for another server cannot direct it to this one: the audience is part of the signature."""
    allow(server, iris)
    body = altered(request(fake.role("train"), "https://other.example"), x_deardiary_audience=URL)
    refused = server.call("POST", "/auth/aws", body, token=None)
    assert refused.error == (401, "INVALID_CREDENTIALS")
    assert "SignatureDoesNotMatch" in refused.body["message"]


@pytest.mark.parametrize(
    "caller",
    [
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:sts::{ACCOUNT}:federated-user/train",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/train",
    ],
)
def test_only_roles_and_users_sign_in(server: Server, fake: FakeSts, iris: str, caller: str) -> None:
    allow(server, iris, f"arn:aws:iam::{ACCOUNT}:role/*")
    assert sign_in(server, fake.keys(caller)).error == (401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/train/x", True),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/train-2/x", False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Train/x", False),
        ("arn:aws:sts::210987654321:assumed-role/train/x", False),
        (f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/train/x", False),
        (f"arn:aws:iam::{ACCOUNT}:user/train", False),
    ],
)
def test_the_error_of_a_role_that_no_project_allows_says_how_to_allow_it(
    server: Server, fake: FakeSts, iris: str, caller: str, allowed: bool
) -> None:
    allow(server, iris)
    answer = sign_in(server, fake.keys(caller))
    if allowed:
        assert answer.status == 200
        return
    assert answer.error == (403, "PROJECT_PERMISSION_REQUIRED")
    assert f"deardiary identities create {answer.body['details']['arn']} PROJECT" in answer.body["message"]
    assert [each.username for each in server.client().users.list()] == ["admin", "anna"]


def test_a_machine_account_acts_in_its_projects_only(server: Server, fake: FakeSts, iris: str) -> None:
    other = server.client("anna").projects.create("Other").id
    allow(server, iris)
    token = token_of(server, fake.role("train"))
    me = server.call("GET", "/auth/me", token=token).body["id"]
    assert [each["id"] for each in server.call("GET", "/projects", token=token).body["data"]] == [iris]
    refused = [
        ("GET", f"/projects/{other}", None, 404),
        ("POST", "/projects", {"name": "mine"}, 403),
        ("POST", "/auth/tokens", {"name": "for ever"}, 403),
        ("POST", "/auth/refresh", {}, 403),
        ("POST", "/auth/identities", {"pattern": TRAIN, "project_id": iris}, 403),
        ("PATCH", f"/users/{me}", {"password": PASSWORD, "current_password": "!"}, 403),
        ("PATCH", f"/users/{me}", {"username": "admin2"}, 403),
        ("PUT", f"/projects/{iris}/permissions/{me}", {"delete_permission": True}, 403),
        ("DELETE", f"/users/{me}", None, 403),
    ]
    assert [server.call(*each[:3], token=token).status for each in refused] == [each[3] for each in refused]


def test_nobody_signs_in_to_a_machine_account_by_password(server: Server, fake: FakeSts, iris: str) -> None:
    allow(server, iris)
    user = sign_in(server, fake.role("train")).body["user"]
    for password in ("!", "", PASSWORD):
        answer = server.call("POST", "/auth", {"username": user["username"], "password": password}, token=None)
        assert answer.error == (401, "INVALID_CREDENTIALS")
    for change in ({"password": PASSWORD}, {"is_admin": True}, {"username": "trainer"}):
        assert server.call("PATCH", f"/users/{user['id']}", change).error == (422, "INVALID_PAYLOAD")
    path = f"/projects/{iris}/permissions/{user['id']}"
    for method in ("PUT", "PATCH"):
        refused = server.call(method, path, {"delete_permission": True}, token=server.token("anna"))
        assert refused.error == (422, "INVALID_PAYLOAD")
    assert server.call("PATCH", f"/users/{user['id']}", {"first_name": "Trainer"}).status == 200


@pytest.mark.parametrize(
    ("given", "statuses"),
    [
        ({}, (200, 201, 200, 403)),
        ({"read_only": True}, (200, 403, 403, 403)),
        ({"delete_permission": True}, (200, 201, 200, 204)),
        ({"create_permission": False, "update_permission": True}, (200, 403, 200, 403)),
        ({"read_permission": False, "update_permission": False}, (403, 201, 403, 403)),
    ],
)
def test_a_pattern_gives_the_permissions_that_it_names(
    server: Server, fake: FakeSts, iris: str, given: dict[str, Any], statuses: tuple[int, ...]
) -> None:
    made = allow(server, iris, **given).body
    assert made["read_only"] == (statuses == (200, 403, 403, 403))
    assert may(server, iris, token_of(server, fake.role("train"))) == statuses


def test_deleting_a_pattern_ends_the_rights_at_once(server: Server, fake: FakeSts, iris: str) -> None:
    keys = fake.role("train")
    one = allow(server, iris, read_only=True).body["id"]
    all_roles = allow(server, iris, f"arn:aws:iam::{ACCOUNT}:role/*", delete_permission=True).body["id"]
    token = token_of(server, keys)
    assert may(server, iris, token) == (200, 201, 200, 204)
    assert server.call("DELETE", f"/auth/identities/{all_roles}", token=server.token("anna")).status == 204
    assert may(server, iris, token) == (200, 403, 403, 403)
    assert server.call("DELETE", f"/auth/identities/{one}", token=server.token("anna")).status == 204
    assert may(server, iris, token) == (404, 404, 404, 404)
    assert sign_in(server, keys).error == (403, "PROJECT_PERMISSION_REQUIRED")
    assert server.call("DELETE", f"/auth/identities/{one}", token=server.token("anna")).error == (404, "NOT_FOUND")
    check_consistency()


def test_a_deletion_that_dies_half_way_leaves_no_right_beyond_the_next_sign_in(
    server: Server, fake: FakeSts, iris: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = server.client("anna").projects.create("Other").id
    allow(server, other)
    one = allow(server, iris).body["id"]
    token = token_of(server, fake.role("train"))
    delete = identities.delete_identity

    def delete_after_a_sign_in(identity_id: str) -> None:
        token_of(server, fake.role("train"))
        delete(identity_id)
        raise KeyError(identity_id)  # the process dies here

    with monkeypatch.context() as patch:
        patch.setattr(identities, "delete_identity", delete_after_a_sign_in)
        assert server.call("DELETE", f"/auth/identities/{one}", token=server.token("anna")).status == 500
    token_of(server, fake.role("train"))
    assert server.call("GET", f"/projects/{iris}", token=token).status == 404
    assert server.call("GET", f"/projects/{other}", token=token).status == 200


def test_a_deletion_that_dies_anywhere_is_completed_by_its_repetition(server: Server, fake: FakeSts, iris: str) -> None:
    path, anna = f"/projects/{iris}", server.token("anna")
    for calls in range(1, 30):
        one = allow(server, iris).body["id"]
        token = token_of(server, fake.role("train"))
        assert server.call("GET", path, token=token).status == 200
        with stage() as actors:
            deletion = actors.add(partial(server.call, "DELETE", f"/auth/identities/{one}", token=anna))
            deletion.step(calls)
            reached = not deletion.done
            deletion.die()
        assert server.call("DELETE", f"/auth/identities/{one}", token=anna).status in (204, 404)
        assert server.call("GET", path, token=token).status == 404
        if not reached:
            check_consistency()
            return
    pytest.fail("a deletion makes more calls than that")


def test_a_pattern_that_is_deleted_during_a_sign_in_gives_nothing(
    server: Server, fake: FakeSts, iris: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = server.client("anna").projects.create("Other").id
    allow(server, other)
    one = allow(server, iris).body["id"]
    put = identities.put_permission
    deleted: list[int] = []

    def put_late(*given: Any) -> None:
        if not deleted:
            deleted.append(server.call("DELETE", f"/auth/identities/{one}", token=server.token("anna")).status)
        put(*given)

    monkeypatch.setattr(identities, "put_permission", put_late)
    token = token_of(server, fake.role("train"))
    assert deleted == [204]
    assert [each["id"] for each in server.call("GET", "/projects", token=token).body["data"]] == [other]


def test_a_pattern_is_made_once_and_listed_to_who_manages_the_project(server: Server, iris: str) -> None:
    made = allow(server, iris)
    assert made.status == 201
    assert (allow(server, iris).status, allow(server, iris).body) == (200, made.body)
    assert allow(server, iris, read_only=True).error == (409, "CONFLICT")
    with_path = allow(server, iris, f"arn:aws:iam::{ACCOUNT}:role/service-role/train")
    assert with_path.body["id"] == made.body["id"]
    server.newcomer("bert")
    bert = server.token("bert")
    listed = [
        server.call("GET", f"/auth/identities{query}", token=token)
        for token in (server.token("anna"), server.token(), bert)
        for query in ("", f"?project_id={iris}")
    ]
    assert [each.status for each in listed] == [200, 200, 200, 200, 200, 404]
    assert [each.body.get("data") for each in listed] == [[made.body]] * 4 + [[], None]
    path = f"/auth/identities/{made.body['id']}"
    assert server.call("DELETE", path, token=bert).error == (404, "NOT_FOUND")
    assert allow(server, iris, username="bert").error == (404, "NOT_FOUND")


def test_a_list_of_patterns_has_pages(server: Server, iris: str) -> None:
    other = server.client("anna").projects.create("Other").id
    made = {allow(server, each, f"{TRAIN}-{number}").body["id"] for number in range(5) for each in (iris, other)}
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=2&project_id={iris}" + (f"&cursor={cursor}" if cursor else "")
        page = server.call("GET", f"/auth/identities{query}", token=server.token("anna")).body
        found += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert len(found) == len(set(found)) == 5
    assert set(found) < made


@pytest.mark.parametrize("body", [{"read_only": True, "delete_permission": True}, {"pattern": "arn:aws:iam::*:role/x"}])
def test_a_wrong_pattern_names_its_field(server: Server, iris: str, body: dict[str, Any]) -> None:
    refused = server.call(
        "POST", "/auth/identities", {"pattern": TRAIN, "project_id": iris, **body}, token=server.token("anna")
    )
    assert refused.error == (422, "INVALID_PAYLOAD")
    assert refused.field == next(iter(body))


def test_a_project_has_a_limited_number_of_patterns(server: Server, iris: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_IDENTITIES", 1)
    assert allow(server, iris).status == 201
    assert allow(server, iris).status == 200
    assert allow(server, iris, f"{TRAIN}-2").error == (422, "INVALID_PAYLOAD")


def test_a_project_in_the_trash_is_no_reason_to_sign_in_and_a_purged_one_leaves_nothing(
    server: Server, fake: FakeSts, iris: str
) -> None:
    allow(server, iris)
    assert server.call("DELETE", f"/projects/{iris}", token=server.token("anna")).status == 204
    assert sign_in(server, fake.role("train")).error == (403, "PROJECT_PERMISSION_REQUIRED")
    assert server.call("POST", f"/trash/{iris}", {}, token=server.token("anna")).status == 200
    token = token_of(server, fake.role("train"))
    assert server.call("GET", f"/projects/{iris}", token=token).status == 200
    assert server.call("DELETE", f"/projects/{iris}?purge=true", token=server.token("anna")).status == 204
    assert server.call("GET", "/auth/identities").body["data"] == []
    check_consistency()


def test_a_machine_account_that_an_admin_deletes_is_made_again(server: Server, fake: FakeSts, iris: str) -> None:
    allow(server, iris)
    session = sign_in(server, fake.role("train")).body
    server.client().users.delete(session["user"]["id"])
    assert server.call("GET", "/auth/me", token=session["access_token"]).error == (401, "TOKEN_INVALID")
    again = sign_in(server, fake.role("train")).body
    assert again["user"]["id"] != session["user"]["id"]
    assert server.call("GET", f"/projects/{iris}", token=again["access_token"]).status == 200
    check_consistency()


class Sts(BaseHTTPRequestHandler):
    """An STS on loopback with one answer."""

    answer = (200, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, content = self.answer
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(status: int, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Sts,), {"answer": (status, content)}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    monkeypatch.setattr(sts, "_connect", lambda _: http.client.HTTPConnection("127.0.0.1", port, timeout=30))
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


OTHER_ANSWER = b"<AssumeRoleResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
OTHER_ANSWER += f"<Arn>{TRAIN}</Arn><Account>{ACCOUNT}</Account>".encode()
OTHER_ANSWER += b"</GetCallerIdentityResult></AssumeRoleResponse>"


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (403, b"<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>", (401, "INVALID_CREDENTIALS")),
        (403, b"no XML", (401, "INVALID_CREDENTIALS")),
        (302, b"", (401, "INVALID_CREDENTIALS")),
        (429, b"", (503, "UNAVAILABLE")),
        (500, b"", (503, "UNAVAILABLE")),
        (200, b"no XML", (503, "UNAVAILABLE")),
        (200, OTHER_ANSWER, (503, "UNAVAILABLE")),
        (200, b"<a/>" + b" " * 200_000, (503, "UNAVAILABLE")),
    ],
)
def test_an_answer_of_sts_that_names_no_caller_signs_nobody_in(
    server: Server, iris: str, monkeypatch: pytest.MonkeyPatch, status: int, content: bytes, error: tuple[int, str]
) -> None:
    allow(server, iris, f"arn:aws:iam::{ACCOUNT}:role/*")
    with answering(status, content, monkeypatch):
        assert sign_in(server, FakeSts().role("train")).error == error


def test_an_sts_that_does_not_answer_is_unavailable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sts, "_connect", lambda _: http.client.HTTPConnection("127.0.0.1", 1, timeout=30))
    assert sign_in(server, FakeSts().role("train")).error == (503, "UNAVAILABLE")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", None, "https://emulator.example"])
def test_only_an_emulator_of_this_machine_takes_the_place_of_sts(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None
) -> None:
    found = config.settings()._replace(endpoint_url=endpoint)
    monkeypatch.setattr(config, "settings", lambda: found)
    connection = CONNECT("sts.eu-west-1.amazonaws.com")
    is_emulator = endpoint is not None and "127" in endpoint
    assert (connection.host, connection.port) == (
        ("127.0.0.1", 4566) if is_emulator else ("sts.eu-west-1.amazonaws.com", 443)
    )
    assert isinstance(connection, http.client.HTTPSConnection) != is_emulator
