"""Calls of DynamoDB with less work in botocore, which does for each call what a client needs to do once.

The client composes the text of the user agent, evaluates the rules for the endpoint, copies the headers from one object
to another and derives the signing key again for each call. botocore's events, retries, errors and parsers stay.
docs/decisions/0022-own-calls-of-the-table.md has the reason, and `benchmarks.ingest_speed` measures it.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.compat import get_current_datetime

from chalicelib.aws.connections import KeptConnections, Session, Timeouts

ALGORITHM = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def quicken(base_classes: list[type], **_: Any) -> None:
    """Handle `creating-client-class` of botocore."""
    base_classes.insert(0, QuickClient)


class QuickClient:
    """A base class of botocore's client of DynamoDB. What it does not know, it leaves to botocore."""

    _endpoint: Any
    _request_signer: Any
    _user_agent_creator: Any
    meta: Any

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._endpoint_info: Any = None
        self._user_agent = self._user_agent_creator.to_string()
        self._create_request = self._endpoint.create_request
        if self._request_signer.signature_version == "v4":
            self._endpoint.create_request = self._signed_request
        self._endpoint.http_session = _session(self._endpoint, self.meta.config)

    def _resolve_endpoint_ruleset(self, *given: Any, **named: Any) -> Any:
        """The endpoint, which is the same for all calls: a table has a name here, and no ARN."""
        if self._endpoint_info is None:
            self._endpoint_info = super()._resolve_endpoint_ruleset(*given, **named)  # type: ignore[misc]
        return self._endpoint_info

    def _convert_to_request_dict(self, *given: Any, **named: Any) -> Any:
        """Leave the composition of the user agent out."""
        named["set_user_agent_header"] = False
        found = super()._convert_to_request_dict(*given, **named)  # type: ignore[misc]
        found["headers"]["User-Agent"] = self._user_agent
        return found

    def _signed_request(self, params: dict[str, Any], operation_model: Any = None) -> Any:
        """In place of `create_request` of botocore's endpoint."""
        credentials, url = self._request_signer._credentials, urlsplit(params["url"])  # noqa: SLF001
        if credentials is None or url.path not in ("", "/") or url.query:
            return self._create_request(params, operation_model)
        signer, body = self._request_signer, params["body"]
        headers: Any = HeadersDict({**params["headers"], "Host": _host(url)})
        _sign(headers, body, credentials.get_frozen_credentials(), f"{signer.region_name}/{signer.signing_name}")
        headers["Content-Length"] = str(len(body))
        return AWSPreparedRequest("POST", params["url"], headers, body, False, params["context"])


def _sign(headers: HeadersDict, body: bytes, keys: Any, scope: str) -> None:
    """Sign the body and these headers by Signature Version 4, for a scope such as `us-east-1/dynamodb`."""
    time = get_current_datetime().strftime("%Y%m%dT%H%M%SZ")
    headers["X-Amz-Date"] = time
    if keys.token:
        headers["X-Amz-Security-Token"] = keys.token
    # AWS requires these and all that begin with x-amz; botocore signs most others too.
    signed = {name.lower(): headers[name] for name in ("Content-Type", "Host")}
    signed |= {name.lower(): headers[name] for name in headers if name.lower().startswith("x-amz-")}
    names = sorted(signed)
    lines = [f"{name}:{' '.join(signed[name].split())}" for name in names]
    request = "\n".join(["POST", "/", "", *lines, "", ";".join(names), hashlib.sha256(body).hexdigest()])
    scope = f"{time[:8]}/{scope}/aws4_request"
    text = "\n".join([ALGORITHM, time, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = hmac.digest(_signing_key(keys.secret_key, scope), text.encode(), "sha256").hex()
    credential = f"Credential={keys.access_key}/{scope}"
    headers["Authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"


@lru_cache(maxsize=4)
def _signing_key(secret_key: str, scope: str) -> bytes:
    """The key of a day, of a secret key."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _host(url: Any) -> str:
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return host if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f"{host}:{url.port}"


def _session(endpoint: Any, config: Any) -> Session:
    """Connections of our own; the session of botocore behind a proxy, and with a certificate of the client's."""
    given: Session = endpoint.http_session
    if config.client_cert or endpoint.http_session._proxy_config.proxy_url_for(endpoint.host):  # noqa: SLF001
        return given
    verify = endpoint.http_session._verify  # noqa: SLF001
    return KeptConnections(Timeouts(config.connect_timeout, config.read_timeout), verify)
