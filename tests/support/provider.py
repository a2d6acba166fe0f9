"""An OpenID Connect provider on loopback whose tokens and documents a test can forge, and a browser that signs in."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from chalicelib.services.oidc import id_token
from tests.support.server import Reply, Server

# The server's own PyJWT was imported without `cryptography`.
id_token._load_cryptography()
JWT = jwt.PyJWT()

CLIENT, SECRET = "deardiary", "a secret: with +"
Claims = dict[str, Any]
Forge = Callable[["Provider", Claims], str]


@cache
def rsa_key(kid: str) -> RSAPrivateKey:
    """One key of each name for all tests, because creating one takes long; `small` has 1,024 bits."""
    return generate_private_key(65537, 1024 if kid == "small" else 2048)


def public_jwk(kid: str, **changed: Any) -> dict[str, Any]:
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(kid).public_key(), as_dict=True)
    return {**jwk, "kid": kid, "use": "sig", "alg": "RS256", **changed}


def signed(claims: Claims, kid: str = "one", key: Any = None, algorithm: str = "RS256") -> str:
    return JWT.encode(claims, key or rsa_key(kid), algorithm=algorithm, headers={"kid": kid})


@dataclass
class Provider:
    """What the provider answers. `claims` are those of the account; `requests` counts them by path."""

    issuer: str = ""
    claims: Claims = field(default_factory=lambda: {"sub": secrets.token_hex(8)})
    userinfo: Claims | None = None
    forge: Forge = lambda _, claims: signed(claims)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("one")])
    document: dict[str, Any] = field(default_factory=dict)
    redirects: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, url: str) -> str:
        """Sign in at the authorization endpoint, and return the code."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = dict(parse_qsl(urlsplit(url).query))
        return code

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._document()
            case "/jwks":
                return 200, {"keys": self.keys}
            case "/token":
                return self._trade(form, authorization)
            case "/userinfo" if self.userinfo is not None:
                return 200, {"sub": self.claims["sub"], **self.userinfo}
        return 404, {"error": "not_found"}

    def _document(self) -> dict[str, Any]:
        endpoints = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        endpoints |= {"userinfo_endpoint": "/userinfo"} if self.userinfo is not None else {}
        return {
            "issuer": self.issuer,
            **{name: self.issuer + path for name, path in endpoints.items()},
            **self.document,
        }

    def _trade(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """A code counts once, for the browser that began with its verifier."""
        self.forms.append({**form, "authorization": authorization})
        asked = self.codes.pop(form.get("code", ""), None)
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        standard = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = self.forge(self, {**standard, **self.claims})
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            provider.requests.append(self.path)
            if self.path in provider.redirects:
                self.send_response(302)
                self.send_header("Location", f"{provider.issuer}{self.path}?again")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path = self.path.partition("?")[0]
            status, content = provider.answer(path, form, self.headers.get("Authorization", ""))
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Visitor:
    """A browser without JavaScript: it follows the links of a sign-in, and keeps cookies."""

    server: Server
    provider: Provider
    cookies: dict[str, str] = field(default_factory=dict)
    state: str = ""

    def get(self, path: str, **query: str) -> Reply:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        asked = f"{path}?{urlencode(query)}" if query else path
        reply = self.server.call("GET", asked, token=None, headers=headers if self.cookies else {})
        self.keep(reply)
        return reply

    def keep(self, reply: Reply) -> None:
        for each in reply.headers.get("set-cookie", "").split("\n"):
            name, _, value = each.partition(";")[0].partition("=")
            if name:
                self.cookies[name] = value

    def begin(self, page: str = "") -> str:
        """Start the sign-in; return the URL at the provider."""
        reply = self.get("/auth/oidc/start", **({"page": page} if page else {}))
        assert reply.status == 302, reply
        return self.follow(reply.headers["location"])

    def follow(self, url: str) -> str:
        self.state = dict(parse_qsl(urlsplit(url).query))["state"]
        return url

    def come_back(self, code: str, **changed: str) -> Reply:
        query = {"code": code, "state": self.state, "session_state": "x", **changed}
        return self.get("/auth/oidc/callback", **query)

    def sign_in(self, page: str = "") -> Reply:
        return self.come_back(self.provider.authorize(self.begin(page)))

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        """A request of the dashboard, with the session of the cookie."""
        cookie = {"Cookie": f"deardiary={self.cookies.get('deardiary', '')}", "Sec-Fetch-Site": "same-origin"}
        return self.server.call(method, path, body, token=None, headers=cookie)
