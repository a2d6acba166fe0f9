"""Sign-in with an OpenID Connect provider: who gets in, and a table of attacks of which none does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib import clock, config, security
from chalicelib.security import PROVIDER_AUDIENCE, Claims
from chalicelib.services.oidc import provider as provider_module
from chalicelib.services.oidc.identity import GOOGLE, identity_of, may_become_user
from chalicelib.storage import subject as subjects
from chalicelib.storage.keyring import read_keyring
from chalicelib.storage.table.transaction import Transaction
from tests.support.api import check_refused, found, made, new_person, new_project
from tests.support.consistency import check_consistency
from tests.support.provider import (
    CLIENT,
    JWT,
    SECRET,
    Forge,
    Provider,
    Visitor,
    public_jwk,
    rsa_key,
    running_provider,
    signed,
)
from tests.support.server import PASSWORD, Reply, Server, server_on_moto
from tests.support.ssm import put_secret

REPOSITORY = Path(__file__).parents[2]
COOKIE = "deardiary-sign-in"
GROUP, DOMAIN, PARAMETER = "ML team, Zürich".partition(",")[0], "example.org", "/deardiary/test/oidc"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, Provider]]:
    with running_provider() as provider:
        settings = {
            "DEARDIARY_OIDC_ISSUER": provider.issuer,
            "DEARDIARY_OIDC_CLIENT_ID": CLIENT,
            "DEARDIARY_OIDC_ALLOWED_DOMAINS": f"other.example, {DOMAIN}",
            "DEARDIARY_OIDC_ALLOWED_GROUPS": f"{GROUP}, admins",
        }
        with server_on_moto(**settings) as server:
            yield server, provider


@pytest.fixture
def server(running: tuple[Server, Provider]) -> Server:
    return running[0]


@pytest.fixture
def provider(running: tuple[Server, Provider]) -> Iterator[Provider]:
    """A provider with a new account in an allowed group, which the server has not asked anything yet."""
    provider = running[1]
    fresh = Provider(issuer=provider.issuer)
    provider.__dict__.update(fresh.__dict__)
    provider.claims |= {"groups": [GROUP], "email": f"{provider.claims['sub']}@{DOMAIN}", "email_verified": True}
    provider_module._kept.clear()
    yield provider
    provider_module._kept.clear()


@pytest.fixture
def visitor(server: Server, provider: Provider) -> Visitor:
    return Visitor(server, provider)


def check_signed_in(visitor: Visitor, reply: Reply, page: str = "") -> Any:
    assert (reply.status, reply.headers.get("location")) == (302, f"http://127.0.0.1:9/ui{page}"), reply
    return found(visitor.ask("GET", "/auth/me?include=permissions"))


def check_not_signed_in(visitor: Visitor, reply: Reply, said: str = "", status: int = 403) -> None:
    """A page says why; there is no session."""
    assert reply.status == status, reply
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in reply.headers["content-security-policy"]
    assert said in reply.body.decode(), reply.body
    assert "deardiary" not in visitor.cookies
    assert visitor.ask("GET", "/auth/me").status == 401


def test_the_first_sign_in_makes_a_user_and_the_next_finds_it(visitor: Visitor, provider: Provider) -> None:
    sub = provider.claims["sub"]
    provider.claims |= {"preferred_username": f"ada {sub}", "given_name": "Ada", "family_name": "Lovelace"}
    me = check_signed_in(visitor, visitor.sign_in())
    assert (me["username"], me["first_name"], me["last_name"], me["is_admin"]) == (
        f"ada-{sub}",
        "Ada",
        "Lovelace",
        False,
    )
    provider.claims |= {"preferred_username": "renamed", "groups": [], "email_verified": False}
    again = Visitor(visitor.server, provider)
    assert check_signed_in(again, again.sign_in())["id"] == me["id"]
    subjects = found(again.ask("GET", f"/users/{me['id']}/subjects"))["data"]
    assert [(each["issuer"], each["subject"]) for each in subjects] == [(provider.issuer, sub)]
    check_consistency()


def test_a_name_that_is_no_utf8_signs_in(visitor: Visitor, provider: Provider) -> None:
    """JSON can hold half of a surrogate pair; the table cannot."""
    provider.claims |= {"given_name": "Ad\ud83d", "family_name": "\udc00"}
    me = check_signed_in(visitor, visitor.sign_in())
    assert (me["first_name"], me["last_name"]) == ("Ad?", "?")


def test_the_request_to_the_provider_has_pkce_state_and_nonce(visitor: Visitor, provider: Provider) -> None:
    asked = provider.codes[provider.authorize(visitor.begin())]
    assert asked["redirect_uri"] == "http://127.0.0.1:9/auth/oidc/callback"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile email"
    assert asked["response_type"] == "code"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43


def test_the_cookies_are_bound_to_the_browser(visitor: Visitor, provider: Provider) -> None:
    cloud = {"Host": "abc.example.org", "X-Forwarded-Proto": "https"}
    begun = visitor.server.call("GET", "/auth/oidc/start", token=None, headers=cloud)
    cookie, *attributes = begun.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-deardiary-sign-in=")
    assert sorted(attributes) == ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"]
    visitor.follow(begun.headers["location"])
    code = provider.authorize(begun.headers["location"])
    path = f"/auth/oidc/callback?code={code}&state={visitor.state}"
    ended = visitor.server.call("GET", path, token=None, headers=cloud | {"Cookie": cookie})
    cleared, session = ended.headers["set-cookie"].split("\n")
    assert cleared.startswith("__Host-deardiary-sign-in=; Max-Age=0;")
    assert session.startswith("__Host-deardiary=ey")
    assert "SameSite=Strict" in session
    assert ended.headers["location"] == "https://abc.example.org/ui"


def _without(*names: str) -> Forge:
    return lambda _, claims: signed({name: value for name, value in claims.items() if name not in names})


def _with(**changed: Any) -> Forge:
    return lambda _, claims: signed(claims | changed)


def _at(**seconds: int) -> Forge:
    return lambda _, claims: signed(claims | {name: int(time.time()) + each for name, each in seconds.items()})


def _public_pem(kid: str) -> bytes:
    return rsa_key(kid).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _hs256_with_the_public_key(_: Provider, claims: Any) -> str:
    """PyJWT refuses to sign with a PEM as an HMAC key: sign by hand, as an attacker does."""
    import base64
    import hashlib
    import hmac
    import json

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    header = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    text = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{text}.{part(hmac.digest(_public_pem('one'), text.encode(), hashlib.sha256))}"


def _by_small_key(provider: Provider, claims: Any) -> str:
    provider.keys = [public_jwk("small")]
    return signed(claims, "small")


def _by_key_with(**changed: Any) -> Forge:
    def forge(provider: Provider, claims: Any) -> str:
        provider.keys = [public_jwk("one", **changed)]
        return signed(claims)

    return forge


def _altered(_: Provider, claims: Any) -> str:
    head, _payload, signature = signed(claims).split(".")
    other = signed(claims | {"sub": "admin"}).split(".")[1]
    return f"{head}.{other}.{signature}"


FORGED: dict[str, Forge] = {
    "nonce of another sign-in": _with(nonce="another"),
    "no nonce": _without("nonce"),
    "alg none": lambda _, claims: JWT.encode(claims, "", algorithm="none", headers={"kid": "one"}),
    "alg none without kid": lambda _, claims: JWT.encode(claims, "", algorithm="none"),
    "HS256 with the public key": _hs256_with_the_public_key,
    "HS256 with the client id": lambda _, claims: signed(claims, key=CLIENT * 4, algorithm="HS256"),
    "RS512": lambda _, claims: signed(claims, algorithm="RS512"),
    "PS256": lambda _, claims: signed(claims, algorithm="PS256"),
    "ES256 under the id of an RSA key": lambda _, claims: signed(
        claims, key=generate_private_key(SECP256R1()), algorithm="ES256"
    ),
    "another aud": _with(aud="another"),
    "no aud": _without("aud"),
    "several aud and no azp": _with(aud=[CLIENT, "another"]),
    "several aud and another azp": _with(aud=[CLIENT, "another"], azp="another"),
    "another azp": _with(azp="another"),
    "another iss": _with(iss="https://accounts.google.com"),
    "iss with a slash": lambda provider, claims: signed(claims | {"iss": provider.issuer + "/"}),
    "no iss": _without("iss"),
    "expired": _at(iat=-600, exp=-120),
    "no exp": _without("exp"),
    "issued in the future": _at(iat=600, exp=900),
    "no iat": _without("iat"),
    "not yet valid": _at(nbf=600),
    "no sub": _without("sub"),
    "sub is a number": lambda _, claims: signed(claims | {"sub": 5}),
    "empty sub": _with(sub=""),
    "unknown kid": lambda _, claims: signed(claims, "two"),
    "kid of another key": lambda _, claims: signed(claims, key=rsa_key("two")),
    "no kid, another key": lambda _, claims: JWT.encode(claims, rsa_key("two"), algorithm="RS256"),
    "an RSA key of 1,024 bits": _by_small_key,
    "a key for encryption": _by_key_with(use="enc"),
    "a key of another algorithm": _by_key_with(alg="RS512"),
    "a published private key": _by_key_with(d="AQAB"),
    "at_hash of another token": _with(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "altered claims": _altered,
    "too many groups": _with(_claim_names={"groups": "src1"}),
    "no token": lambda *_: "",
    "no JWT": lambda *_: "a.b",
}


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
@pytest.mark.parametrize("attack", FORGED)
def test_a_forged_id_token_signs_nobody_in(visitor: Visitor, provider: Provider, attack: str) -> None:
    provider.forge = FORGED[attack]
    check_not_signed_in(visitor, visitor.sign_in())
    provider.forge, provider.keys = Provider.forge, [public_jwk("one")]
    provider_module._kept.clear()
    check_signed_in(visitor, visitor.sign_in())


def _with_at_hash(_: Provider, claims: Any) -> str:
    import base64
    import hashlib

    half = hashlib.sha256(b"access").digest()[:16]
    return signed(claims | {"at_hash": base64.urlsafe_b64encode(half).decode().rstrip("=")})


def _by_elliptic_key(provider: Provider, claims: Any) -> str:
    key = generate_private_key(SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    provider.keys = [public_jwk("one"), {**jwk, "kid": "curve"}]
    return signed(claims, "curve", key, "ES256")


VALID: dict[str, Forge] = {
    "one aud in a list": _with(aud=[CLIENT]),
    "several aud and our azp": _with(aud=[CLIENT, "another"], azp=CLIENT),
    "at_hash": _with_at_hash,
    "ES256": _by_elliptic_key,
    "no kid": lambda _, claims: JWT.encode(claims, rsa_key("one"), algorithm="RS256"),
    "a clock that is half a minute ahead": _at(iat=30),
}


@pytest.mark.parametrize("case", VALID)
def test_a_valid_id_token_signs_in(visitor: Visitor, provider: Provider, case: str) -> None:
    provider.forge = VALID[case]
    check_signed_in(visitor, visitor.sign_in())


def test_a_sign_in_ends_in_the_browser_that_began_it(visitor: Visitor, provider: Provider) -> None:
    """A code or a whole link of an attacker, opened by another user, signs that user in as nobody."""
    attacker = Visitor(visitor.server, provider)
    code = provider.authorize(attacker.begin())
    link = {"code": code, "state": attacker.state}
    check_not_signed_in(visitor, visitor.get("/auth/oidc/callback", **link), "another browser")
    visitor.begin()
    check_not_signed_in(visitor, visitor.get("/auth/oidc/callback", **link), "another browser")
    # The attacker's code with the state of the visitor: the PKCE verifier is another one.
    check_not_signed_in(visitor, visitor.come_back(code), "used before")


def test_a_code_counts_once(visitor: Visitor, provider: Provider) -> None:
    code = provider.authorize(visitor.begin())
    kept = dict(visitor.cookies)
    visitor.come_back(code)
    again = Visitor(visitor.server, provider, kept, visitor.state)
    check_not_signed_in(again, again.come_back(code), "used before")
    visitor.cookies.pop("deardiary")
    check_not_signed_in(visitor, visitor.come_back(code), "expired")


def _ticket(**said: Any) -> str:
    state = {"state": "s", "nonce": "n", "verifier": "v", "page": ""}
    return security.issue_ticket(read_keyring(), state | said, clock.now(), timedelta(minutes=10), PROVIDER_AUDIENCE)


@pytest.mark.parametrize(
    "forge",
    [
        lambda: "",
        lambda: "a.b.c",
        lambda: _ticket()[:-2],
        lambda: security.issue_token(read_keyring(), Claims("x", 0), clock.now())[0],
        lambda: security.issue_ticket(read_keyring(), {"state": "s"}, clock.now(), timedelta(minutes=10)),
        lambda: security.issue_ticket(
            read_keyring(), {"state": "s"}, clock.now(), timedelta(seconds=-1), PROVIDER_AUDIENCE
        ),
    ],
    ids=["none", "nonsense", "altered", "a session", "a ticket for a file", "expired"],
)
def test_a_forged_cookie_ends_the_sign_in(visitor: Visitor, forge: Callable[[], str]) -> None:
    visitor.cookies[COOKIE], visitor.state = forge(), "s"
    check_not_signed_in(visitor, visitor.come_back("code"), "expired")


def test_the_cookie_of_a_sign_in_is_no_session(server: Server, visitor: Visitor) -> None:
    visitor.begin()
    check_refused(server.call("GET", "/auth/me", token=visitor.cookies[COOKIE]), 401, "TOKEN_INVALID")


def test_an_answer_of_another_provider_is_refused(visitor: Visitor, provider: Provider) -> None:
    """RFC 9207: the mix-up of two providers."""
    code = provider.authorize(visitor.begin())
    check_not_signed_in(visitor, visitor.come_back(code, iss="https://evil.example"), "another provider")
    check_signed_in(visitor, visitor.come_back(code, iss=provider.issuer))


def test_a_provider_that_names_itself_must_do_so(visitor: Visitor, provider: Provider) -> None:
    provider.document = {"authorization_response_iss_parameter_supported": True}
    code = provider.authorize(visitor.begin())
    check_not_signed_in(visitor, visitor.come_back(code), "another provider")
    check_signed_in(visitor, visitor.come_back(code, iss=provider.issuer))


@pytest.mark.parametrize(
    ("error", "said"),
    [("access_denied", "did not let you in"), ("<script>alert(1)</script>", "did not sign you in")],
)
def test_a_refusal_of_the_provider_is_a_page(visitor: Visitor, error: str, said: str) -> None:
    visitor.begin()
    query = {"state": visitor.state, "error": error, "error_description": "Call 555 to <b>unlock</b>"}
    reply = visitor.get("/auth/oidc/callback", **query)
    check_not_signed_in(visitor, reply, said)
    assert b"555" not in reply.body
    assert b"<script>" not in reply.body


UNUSABLE: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://accounts.google.com"},
    "the issuer with a slash": {"issuer": "{}/"},
    "a token endpoint at http": {"token_endpoint": "http://id.example.org/token"},
    "keys at http": {"jwks_uri": "http://id.example.org/jwks"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "an authorization endpoint that is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "no keys": {"jwks_uri": None},
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_wrong_discovery_document_is_refused(visitor: Visitor, provider: Provider, case: str) -> None:
    changed = {name: str(value).format(provider.issuer) if value else value for name, value in UNUSABLE[case].items()}
    provider.document = changed
    check_not_signed_in(visitor, visitor.get("/auth/oidc/start"), "provider", 503)
    assert COOKIE not in visitor.cookies


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
def test_no_redirect_of_the_provider_is_followed(visitor: Visitor, provider: Provider, path: str) -> None:
    provider.redirects = {path}
    reply = visitor.get("/auth/oidc/start")
    if reply.status == 302:
        reply = visitor.come_back(provider.authorize(visitor.follow(reply.headers["location"])))
    check_not_signed_in(visitor, reply, "does not answer", 503)
    assert f"{path}?again" not in provider.requests


def test_documents_are_bounded(visitor: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.services.oidc.fetch.MAX_BYTES", 2000)
    provider.document = {"more": "x" * 3000}
    check_not_signed_in(visitor, visitor.get("/auth/oidc/start"), "does not answer", 503)


def test_documents_are_cached_and_unknown_keys_read_once_a_minute(
    visitor: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.sign_in()
    provider.forge = lambda _, claims: signed(claims, "two")
    for _ in range(3):
        check = Visitor(visitor.server, provider)
        check_not_signed_in(check, check.sign_in())
    assert provider.requests.count("/jwks") == 1
    # A minute later the provider has a new key.
    monkeypatch.setattr(provider_module, "REFETCH_SECONDS", 0.0)
    provider.keys.append(public_jwk("two"))
    again = Visitor(visitor.server, provider)
    check_signed_in(again, again.sign_in())
    assert provider.requests.count("/jwks") == 2
    assert provider.requests.count("/.well-known/openid-configuration") == 1


STRANGERS: dict[str, dict[str, Any]] = {
    "an e-mail that is not verified": {"email": f"ada@{DOMAIN}", "email_verified": False},
    "an e-mail of which nothing is said": {"email": f"ada@{DOMAIN}"},
    "another domain": {"email": "ada@example.com", "email_verified": True},
    "a domain that ends like ours": {"email": f"ada@evil{DOMAIN}", "email_verified": True},
    "a subdomain": {"email": f"ada@sub.{DOMAIN}", "email_verified": True},
    "our domain before the last @": {"email": f"ada@{DOMAIN}@example.com", "email_verified": True},
    "no e-mail": {"email_verified": True},
    "a hosted domain alone": {"hd": DOMAIN},
    "another group": {"groups": ["ml team"]},
    "groups that are no list": {"groups": {GROUP: True}},
    "a name like a user's": {"preferred_username": "admin"},
}


@pytest.mark.parametrize("case", STRANGERS)
def test_a_stranger_becomes_no_user(server: Server, provider: Provider, case: str) -> None:
    provider.claims = {"sub": provider.claims["sub"], **STRANGERS[case]}
    before = found(server.call("GET", "/users"))["data"]
    visitor = Visitor(server, provider)
    check_not_signed_in(visitor, visitor.sign_in(), f"link this subject: {provider.claims['sub']}")
    assert found(server.call("GET", "/users"))["data"] == before


@pytest.mark.parametrize(
    "claims",
    [
        {"email": f"Grace@{DOMAIN.upper()}", "email_verified": True},
        {"email": "grace@other.example", "email_verified": "true"},
        {"groups": ["else", GROUP]},
        {"groups": GROUP},
    ],
    ids=str,
)
def test_a_verified_domain_or_a_group_makes_a_user(server: Server, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = {"sub": provider.claims["sub"], **claims}
    visitor = Visitor(server, provider)
    check_signed_in(visitor, visitor.sign_in())


def test_claims_that_the_id_token_lacks_come_from_userinfo(server: Server, provider: Provider) -> None:
    provider.claims = {"sub": provider.claims["sub"]}
    provider.userinfo = {"email": f"grace@{DOMAIN}", "email_verified": True, "preferred_username": "gracious"}
    visitor = Visitor(server, provider)
    assert check_signed_in(visitor, visitor.sign_in())["username"] == "gracious"


def test_userinfo_of_another_account_counts_for_nothing(server: Server, provider: Provider) -> None:
    provider.claims = {"sub": provider.claims["sub"]}
    provider.userinfo = {"sub": "another", "email": f"grace@{DOMAIN}", "email_verified": True}
    visitor = Visitor(server, provider)
    check_not_signed_in(visitor, visitor.sign_in(), "not a user")


def test_a_local_user_of_the_same_name_or_e_mail_is_not_linked(server: Server, provider: Provider) -> None:
    """Otherwise whoever chooses names at the provider could choose whose account to take."""
    mail = f"{provider.claims['sub']}@{DOMAIN}"
    local = made(server.call("POST", "/users", {"username": mail, "password": PASSWORD, "is_admin": True}))
    provider.claims |= {"preferred_username": mail.upper(), "email": mail}
    visitor = Visitor(server, provider)
    me = check_signed_in(visitor, visitor.sign_in())
    assert me["id"] != local["id"]
    assert me["username"] == f"{mail.upper()}-2"
    assert not me["is_admin"]


def test_a_user_adds_a_subject_while_signed_in(server: Server, provider: Provider) -> None:
    provider.claims["groups"] = []
    person, visitor = new_person(server), Visitor(server, provider)
    begun = server.call("POST", "/auth/oidc", token=person.token)
    visitor.keep(begun)
    reply = visitor.come_back(provider.authorize(visitor.follow(begun.body["url"])))
    assert reply.headers["location"].endswith("/ui#/account")
    assert "deardiary" not in visitor.cookies
    assert check_signed_in(visitor, visitor.sign_in())["id"] == person.id
    check_consistency()


def test_a_subject_of_another_user_cannot_be_added(server: Server, provider: Provider, visitor: Visitor) -> None:
    me = check_signed_in(visitor, visitor.sign_in())
    begun = server.call("POST", "/auth/oidc", token=new_person(server).token)
    other = Visitor(server, provider)
    other.keep(begun)
    check_not_signed_in(other, other.come_back(provider.authorize(other.follow(begun.body["url"]))), "another user")
    again = Visitor(server, provider)
    assert check_signed_in(again, again.sign_in())["id"] == me["id"]


def test_a_session_that_ended_adds_no_subject(server: Server, provider: Provider) -> None:
    person, visitor = new_person(server), Visitor(server, provider)
    begun = server.call("POST", "/auth/oidc", token=person.token)
    found(server.call("PATCH", f"/users/{person.id}", {"password": "another one, long"}))
    visitor.keep(begun)
    reply = visitor.come_back(provider.authorize(visitor.follow(begun.body["url"])))
    check_not_signed_in(visitor, reply, "session has ended")


def test_an_api_token_adds_no_subject(server: Server, provider: Provider) -> None:
    person = new_person(server)
    token = made(server.call("POST", "/auth/tokens", {"name": "x"}, token=person.token))["token"]
    check_refused(server.call("POST", "/auth/oidc", token=token), 403, "SAME_USER_REQUIRED")
    body = {"subject": "x"}
    check_refused(server.call("POST", f"/users/{person.id}/subjects", body, token=person.token), 403, "ADMIN_REQUIRED")


def test_an_admin_links_and_unlinks_a_subject(server: Server, provider: Provider) -> None:
    provider.claims["groups"], provider.claims["email_verified"] = [], False
    person, visitor = new_person(server), Visitor(server, provider)
    check_not_signed_in(visitor, visitor.sign_in())
    path = f"/users/{person.id}/subjects"
    linked = made(server.call("POST", path, {"subject": provider.claims["sub"]}))
    assert made(server.call("POST", path, {"subject": provider.claims["sub"]}))["id"] == linked["id"]
    assert check_signed_in(visitor, visitor.sign_in())["id"] == person.id
    other = new_person(server)
    taken = server.call("POST", f"/users/{other.id}/subjects", {"subject": provider.claims["sub"]})
    check_refused(taken, 409, "CONFLICT", "subject")
    assert server.call("DELETE", f"/users/{other.id}/subjects/{linked['id']}").status == 404
    assert server.call("DELETE", f"{path}/{linked['id']}").status == 204
    again = Visitor(server, provider)
    check_not_signed_in(again, again.sign_in(), "not a user")
    check_consistency()


def test_a_removed_user_is_refused_until_an_admin_links_the_subject(
    server: Server, provider: Provider, visitor: Visitor
) -> None:
    me = check_signed_in(visitor, visitor.sign_in())
    assert server.call("DELETE", f"/users/{me['id']}").status == 204
    again = Visitor(server, provider)
    check_not_signed_in(again, again.sign_in(), "was removed")
    check_consistency()
    person = new_person(server)
    made(server.call("POST", f"/users/{person.id}/subjects", {"subject": provider.claims["sub"]}))
    assert check_signed_in(again, again.sign_in())["id"] == person.id
    check_consistency()


def test_no_password_signs_in_a_user_of_the_provider(visitor: Visitor, server: Server) -> None:
    me = check_signed_in(visitor, visitor.sign_in())
    for password in ("", "x", "$2b$12$"):
        body = {"username": me["username"], "password": password}
        check_refused(server.call("POST", "/auth", body, token=None), 401, "INVALID_CREDENTIALS")


PAGES = {
    "#/experiments/01h?filter=metrics.loss%20%3C%201": "#/experiments/01h?filter=metrics.loss%20%3C%201",
    "": "",
    "https://evil.example": "",
    "//evil.example": "",
    "/../evil": "",
    "#": "",
    "#//evil.example": "#//evil.example",  # behind the #: a page of ours
    "@evil.example": "",
    "\\evil": "",
    "#/a\r\nSet-Cookie: deardiary=x": "",
    "#/" + "x" * 2000: "",
}


@pytest.mark.parametrize(("page", "shown"), PAGES.items(), ids=lambda text: text[:30])
def test_the_return_leads_to_a_page_of_this_server(visitor: Visitor, page: str, shown: str) -> None:
    check_signed_in(visitor, visitor.sign_in(page), shown)


def test_the_client_secret_is_read_from_its_parameter(
    server: Server, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_secret(PARAMETER, SECRET)
    monkeypatch.setenv("DEARDIARY_OIDC_CLIENT_SECRET_PARAMETER", PARAMETER)
    config.settings.cache_clear()
    try:
        visitor = Visitor(server, provider)
        check_signed_in(visitor, visitor.sign_in())
        assert provider.forms[-1]["authorization"] == "Basic ZGVhcmRpYXJ5OmErc2VjcmV0JTNBK3dpdGgrJTJC"
        assert "client_secret" not in provider.forms[-1]
        provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        provider_module._kept.clear()
        check_signed_in(visitor, visitor.sign_in())
        assert provider.forms[-1]["client_secret"] == SECRET
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()


def test_password_sign_in_can_be_left_to_admins(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    person = new_person(server)
    admin = made(server.call("POST", "/users", {"username": "glass", "password": PASSWORD, "is_admin": True}))
    monkeypatch.setenv("DEARDIARY_PASSWORD_SIGN_IN", "admin")
    config.settings.cache_clear()
    try:
        refused = server.call("POST", "/auth", {"username": person.username, "password": PASSWORD}, token=None)
        check_refused(refused, 403, "SIGN_IN_REFUSED")
        wrong = server.call("POST", "/auth", {"username": person.username, "password": "wrong one"}, token=None)
        check_refused(wrong, 401, "INVALID_CREDENTIALS")
        body = {"username": "glass", "password": PASSWORD}
        assert found(server.call("POST", "/auth", body, token=None))["user"]["id"] == admin["id"]
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()


def _rights(me: Any, project_id: str) -> set[str]:
    held = [each for each in me["permissions"] if each["project_id"] == project_id]
    return {name for each in held for name, value in each.items() if value is True}


def test_groups_give_rights_from_sign_in_to_sign_in(server: Server, provider: Provider) -> None:
    project_id, lost = new_project(server), new_project(server)
    path = f"/projects/{project_id}/groups"
    found(server.call("PUT", path, {"group": GROUP, "read_permission": True}))
    trainers = found(server.call("PUT", path, {"group": "trainers", "create_permission": True}))
    found(server.call("PUT", f"/projects/{lost}/groups", {"group": GROUP, "read_permission": True}))
    assert server.call("DELETE", f"/projects/{lost}").status == 204

    def sign_in(*groups: str) -> Any:
        provider.claims["groups"] = [*groups]
        visitor = Visitor(server, provider)
        return check_signed_in(visitor, visitor.sign_in())

    me = sign_in(GROUP, "trainers")
    assert _rights(me, project_id) == {"read_permission", "create_permission"}
    assert len(me["permissions"]) == 1
    members = found(server.call("GET", f"/projects/{project_id}/permissions"))["data"]
    assert me["id"] in {each["user_id"] for each in members}
    check_consistency()
    # A right by hand is apart: it stays when the groups go.
    member = f"/projects/{project_id}/permissions/{me['id']}"
    answer = found(server.call("PATCH", member, {"update_permission": True}))
    assert (answer["read_permission"], answer["update_permission"]) == (True, True)
    assert server.call("DELETE", f"{path}/{trainers['id']}").status == 204
    assert _rights(sign_in(GROUP, "trainers"), project_id) == {"read_permission", "update_permission"}
    assert _rights(sign_in(), project_id) == {"update_permission"}
    # And what groups give stays when the right by hand goes.
    sign_in(GROUP)
    assert server.call("DELETE", member).status == 204
    assert found(server.call("GET", member))["read_permission"]
    found(server.call("PUT", member, {"delete_permission": True}))
    assert _rights(sign_in(GROUP), project_id) == {"read_permission", "delete_permission"}
    assert server.call("DELETE", member).status == 204
    assert sign_in()["permissions"] == []
    assert server.call("GET", member).status == 404
    check_consistency()


def test_a_sign_in_that_died_before_the_rights_is_completed_by_the_next(
    server: Server, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = new_project(server)
    found(server.call("PUT", f"/projects/{project_id}/groups", {"group": GROUP, "read_permission": True}))
    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.services.group.give_rights", _die)
        visitor = Visitor(server, provider)
        check_not_signed_in(visitor, visitor.sign_in(), status=500)
    check_consistency()
    visitor = Visitor(server, provider)
    assert _rights(check_signed_in(visitor, visitor.sign_in()), project_id) == {"read_permission"}
    check_consistency()


@pytest.mark.parametrize("username", ["", "ada"], ids=["free name", "taken name"])
def test_two_first_sign_ins_at_once_make_one_user(
    server: Server, provider: Provider, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    """The second sign-in runs whole just before the first one's transaction."""
    if username:
        provider.claims["preferred_username"] = new_person(server).username
    create, others = subjects.create_user, [Visitor(server, provider)]
    people: list[Any] = []

    def create_second(*given: Any) -> None:
        if others:
            other = others.pop()
            people.append(check_signed_in(other, other.sign_in()))
        create(*given)

    monkeypatch.setattr(subjects, "create_user", create_second)
    before = len(found(server.call("GET", "/users?limit=200"))["data"])
    visitor = Visitor(server, provider)
    people.append(check_signed_in(visitor, visitor.sign_in()))
    assert people[0]["id"] == people[1]["id"]
    assert len(found(server.call("GET", "/users?limit=200"))["data"]) == before + 1
    check_consistency()


def test_a_right_given_by_hand_during_a_sign_in_stays(
    server: Server, provider: Provider, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The admin's request runs whole just before the sign-in's transaction."""
    me, project_id = check_signed_in(visitor, visitor.sign_in()), new_project(server)
    found(server.call("PUT", f"/projects/{project_id}/groups", {"group": GROUP, "read_permission": True}))
    commit, path = Transaction.commit, f"/projects/{project_id}/permissions/{me['id']}"

    def commit_second(write: Transaction) -> None:
        monkeypatch.setattr(Transaction, "commit", commit)
        found(server.call("PUT", path, {"update_permission": True}))
        commit(write)

    monkeypatch.setattr(Transaction, "commit", commit_second)
    again = check_signed_in(visitor, visitor.sign_in())
    assert _rights(again, project_id) == {"read_permission", "update_permission"}
    check_consistency()


def test_cryptography_is_imported_by_the_check_of_an_id_token_only() -> None:
    """It would be a third of a cold start. A process of its own: here it has been imported."""
    code = """
import sys, app, jwt
from chalicelib.routes import blueprints
from chalicelib.services.oidc import id_token
blueprints.load_all()
before = {name.partition(".")[0] for name in sys.modules} & {"cryptography", "cffi", "_cffi_backend"}
hidden = jwt.algorithms.has_crypto
id_token._load_cryptography()
print(before, hidden, jwt.algorithms.has_crypto, sorted({"RS256", "ES256"} & {*jwt.PyJWT()._jws.get_algorithms()}))
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DEARDIARY_"))}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, env=environment)  # noqa: S603
    assert done.stdout.strip() == "set() False True ['ES256', 'RS256']"


def _die(*_: Any) -> None:
    raise RuntimeError("the process dies here")


WRONG_SETTINGS: list[tuple[str, dict[str, str]]] = [
    ("DEARDIARY_OIDC_CLIENT_ID", {"DEARDIARY_OIDC_CLIENT_ID": ""}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "http://id.example.org"}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "https://user:pass@id.example.org"}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "https://id.example.org?tenant=1"}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "https://id.example.org#x"}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "https://id.example.org:port"}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "id.example.org"}),
    ("DEARDIARY_OIDC_ISSUER", {"DEARDIARY_OIDC_ISSUER": "http://127.0.0.1:9", "AWS_LAMBDA_FUNCTION_NAME": "f"}),
    ("DEARDIARY_OIDC_SCOPES", {"DEARDIARY_OIDC_SCOPES": "profile email"}),
    ("DEARDIARY_OIDC_CLIENT_SECRET_PARAMETER", {"DEARDIARY_OIDC_CLIENT_SECRET_PARAMETER": "GOCSPX-secret"}),
    ("DEARDIARY_PASSWORD_SIGN_IN", {"DEARDIARY_PASSWORD_SIGN_IN": "none"}),
    ("DEARDIARY_PASSWORD_SIGN_IN", {"DEARDIARY_PASSWORD_SIGN_IN": "admin", "DEARDIARY_OIDC_ISSUER": ""}),
]


@pytest.mark.parametrize(("name", "changed"), WRONG_SETTINGS)
def test_wrong_settings_stop_the_server_and_are_not_repeated(name: str, changed: dict[str, str]) -> None:
    given = {"DEARDIARY_OIDC_ISSUER": "https://id.example.org", "DEARDIARY_OIDC_CLIENT_ID": CLIENT}
    assert config.read(given).oidc
    with pytest.raises(config.ConfigurationError, match=name) as error:
        config.read(given | changed)
    assert "GOCSPX" not in str(error.value)
    assert "pass@" not in str(error.value)


def test_google_vouches_for_its_hosted_domains_only() -> None:
    """Google verifies e-mails of any domain, also those of personal accounts."""
    google = {"DEARDIARY_OIDC_ISSUER": GOOGLE, "DEARDIARY_OIDC_CLIENT_ID": CLIENT}
    settings = config.read(google | {"DEARDIARY_OIDC_ALLOWED_DOMAINS": DOMAIN}).oidc
    assert settings
    claims = {"sub": "1", "email": f"ada@{DOMAIN}", "email_verified": True}
    assert not may_become_user(identity_of(claims, settings), settings)
    assert not may_become_user(identity_of(claims | {"hd": "other.example"}, settings), settings)
    assert may_become_user(identity_of(claims | {"hd": DOMAIN}, settings), settings)


def test_a_server_without_a_provider_leads_to_the_dashboard(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEARDIARY_OIDC_ISSUER")
    config.settings.cache_clear()
    try:
        for path in ("start", "callback?code=x&state=y"):
            reply = server.call("GET", f"/auth/oidc/{path}", token=None)
            assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:9/ui")
        assert found(server.call("POST", "/auth/oidc")) == {"url": None}
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
