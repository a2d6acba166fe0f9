"""Who signed a request: the caller signs `sts:GetCallerIdentity`, this server sends it, and STS answers with the ARN.

This server sends constants and a few checked headers of the caller, to hosts of AWS STS only: no caller can choose
another host, another action or an answer of its own making. One signed header names this server, so that a request
signed for another server is of no use here. A repetition within its minutes signs in the same caller, as the first did.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import datetime, timezone
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree

from chalicelib import config
from chalicelib.errors import InvalidCredentials, InvalidPayload, Unavailable

AUDIENCE = "x-deardiary-audience"
BODY = "Action=GetCallerIdentity&Version=2011-06-15"
# STS itself accepts 15 minutes.
MAX_AGE_SECONDS = 300

_SECONDS = 3.0
_MAX_BYTES = 64 * 1024
_CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
# What the signature must cover beside the Host, and all headers that are sent on.
_SIGNED = ("x-amz-date", AUDIENCE)
_SENT = (*_SIGNED, "authorization", "content-type", "x-amz-security-token")
_REGION = r"[a-z]{2}(?:-gov)?-(?:central|(?:north|south)?(?:east|west)|north|south)-\d{1,2}"
_URL = re.compile(rf"https://(sts(?:\.{_REGION})?\.amazonaws\.com|sts\.cn-[a-z]+-\d\.amazonaws\.com\.cn)/?", re.ASCII)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\w{16,128}/\d{8}/[a-z0-9-]+/sts/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}",
    re.ASCII,
)
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_CODE = re.compile(rb"<Code>(\w{1,64})</Code>")
_NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"


class SignedRequest(NamedTuple):
    """A request as its caller signed it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str


def identify(signed: SignedRequest, site: str, now: datetime) -> tuple[str, str]:
    """The account and the ARN of the signer.

    InvalidPayload for a request of another form, InvalidCredentials for one that is for another server than `site`,
    too old, or refused by STS, Unavailable if STS does not answer.
    """
    host, headers = _host(signed), _headers(signed.headers)
    _check_audience(headers[AUDIENCE], site)
    _check_age(headers["x-amz-date"], now)
    status, content = _send(host, headers)
    if status == 429 or status >= 500:
        raise Unavailable("AWS STS is overloaded; try again shortly", retry_after=2)
    if status != 200:
        code = _CODE.search(content)
        reason = code[1].decode() if code else f"status {status}"
        raise InvalidCredentials(f"AWS refused the signed request: {reason}")
    return _read(content)


def _host(signed: SignedRequest) -> str:
    found = _URL.fullmatch(signed.url)
    if found is None:
        raise InvalidPayload("url is that of AWS STS, such as https://sts.eu-west-1.amazonaws.com/", field="url")
    if signed.method != "POST":
        raise InvalidPayload("method is POST", field="method")
    if signed.body != BODY:
        raise InvalidPayload(f"body is {BODY}", field="body")
    return found[1]


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    """The headers to send: those that the signature covers, and the signature. No other is sent."""
    headers = {name.lower(): value for name, value in given.items()}
    if len(headers) != len(given):
        raise _wrong("A header is given twice")
    for name, value in headers.items():
        if not _PRINTABLE.fullmatch(value):
            raise _wrong(f"The header {name[:64]!r} is not printable ASCII")
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise _wrong("Authorization is no signature of version 4 for sts")
    signed = set(found[1].split(";"))
    if not signed.issuperset(("host", *_SIGNED)) or not headers.keys() >= set(_SIGNED):
        raise _wrong(f"The signature covers host, {', '.join(_SIGNED)}")
    if not signed.issubset(("host", *_SENT)):
        raise _wrong(f"The signature covers a header that is not sent on; those are {', '.join(_SENT)}")
    if headers.get("content-type", _CONTENT_TYPE) != _CONTENT_TYPE:
        raise _wrong(f"Content-Type is {_CONTENT_TYPE}")
    return {"content-type": _CONTENT_TYPE} | {name: headers[name] for name in _SENT if name in headers}


def _wrong(message: str) -> InvalidPayload:
    return InvalidPayload(message, field="headers")


def _check_audience(audience: str, site: str) -> None:
    """Accept the URLs in the settings, and the URL of the request where its Host can be trusted.

    That is in Lambda, where the gateway checks the Host; elsewhere only a Host of this machine. On this machine the
    path is not compared: an emulator's gateway may hide its own part of it from the server.
    """
    settings, is_here = config.settings(), _is_loopback(site)
    same = audience.split("/")[:3] == site.split("/")[:3] if is_here else audience.rstrip("/") == site
    is_own = same and (is_here or settings.in_lambda)
    if not is_own and audience.rstrip("/") not in settings.public_urls:
        hint = f"; behind a proxy, {config.PUBLIC_URLS} names the URLs of clients"
        raise InvalidCredentials(f"The request is signed for {audience}, and this server is {site}{hint}")


def _is_loopback(url: str) -> bool:
    try:
        return config.is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # a malformed Host
        return False


def _check_age(date: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise _wrong("X-Amz-Date is a time such as 20260131T120000Z") from None
    if abs((now - signed_at).total_seconds()) > MAX_AGE_SECONDS:
        here = f"{now:%Y%m%dT%H%M%SZ}"
        raise InvalidCredentials(f"The request was signed at {date}, and here it is {here}: correct the clock")


def _send(host: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send the request once, and follow no redirect. The Host is part of the signature, for an emulator too."""
    connection = _connect(host)
    try:
        connection.request("POST", "/", BODY, {**headers, "Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read(_MAX_BYTES)
    except (OSError, HTTPException):
        raise Unavailable("AWS STS does not answer; try again shortly", retry_after=2) from None
    finally:
        connection.close()


def _connect(host: str) -> HTTPConnection:
    """A connection to STS, or to the emulator on this machine that has all of this server's AWS."""
    emulator = urlsplit(config.settings().endpoint_url or "")
    if emulator.hostname and config.is_loopback(emulator.hostname):
        return HTTPConnection(emulator.hostname, emulator.port or 80, timeout=_SECONDS)
    return HTTPSConnection(host, timeout=_SECONDS, context=ssl.create_default_context())


def _read(content: bytes) -> tuple[str, str]:
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - the answer of AWS STS over TLS, of bounded length
    except ElementTree.ParseError:
        raise _unreadable() from None
    result = root.find(f"{_NAMESPACE}GetCallerIdentityResult")
    if result is None:
        raise _unreadable()
    account, arn = (result.findtext(f"{_NAMESPACE}{name}") for name in ("Account", "Arn"))
    if root.tag != f"{_NAMESPACE}GetCallerIdentityResponse" or not account or not arn:
        raise _unreadable()
    return account, arn


def _unreadable() -> Unavailable:
    return Unavailable("AWS STS gave no answer that can be read", retry_after=2)
