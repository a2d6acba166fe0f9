"""Checks of the requests that a server presigns for the client: the server may be hostile or compromised."""

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from deardiary.errors import STORE_FORBIDDEN, ClientError
from deardiary.http.transport import Body, Request
from deardiary.wire.shapes import UploadRequest

_METHODS = ("PUT", "POST")
_HEADERS = ("content-type", "content-length", "content-md5", "content-encoding", "content-disposition")
_HEADER_PREFIX = "x-amz-"


def upload_request(api_url: str, signed: UploadRequest, body: Body) -> Request:
    """The request for an upload. ClientError STORE_FORBIDDEN for a method, header or URL that no store needs."""
    if signed.method not in _METHODS:
        raise _refused(f"method {signed.method!r}: an upload is a PUT or a POST")
    _check_headers(signed.headers, body.size_bytes)
    _check_url(api_url, signed.url)
    return Request(
        method=signed.method, url=signed.url, headers=signed.headers, body=body, repeatable=True, named_by=api_url
    )


def download_request(api_url: str, url: str, headers: Mapping[str, str]) -> Request:
    """The request for a download; its headers are the client's own."""
    _check_url(api_url, url)
    return Request(method="GET", url=url, headers=headers, streamed=True, named_by=api_url)


def _check_headers(headers: Mapping[str, str], size_bytes: int) -> None:
    seen: set[str] = set()
    for name, value in headers.items():
        known = name.lower()
        if known in seen or not isinstance(value, str):
            raise _refused(f"header {name!r}, which is given twice or is no text")
        if known not in _HEADERS and not known.startswith(_HEADER_PREFIX):
            raise _refused(f"header {name!r}: only content and x-amz headers go to a store")
        # With a false length the store would parse the rest of the body as a second request, with any headers.
        if known == "content-length" and value != str(size_bytes):
            raise _refused(f"header {name!r} of {value!r} for {size_bytes} bytes")
        seen.add(known)


def _check_url(api_url: str, url: str) -> None:
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused("URL that is neither http nor https")
    if parts.username is not None or parts.password is not None:
        raise _refused("URL with a username")
    if parts.scheme == "http" and urlsplit(api_url).scheme == "https":
        raise _refused(f"http URL at {parts.hostname}, though the server itself is at an https URL")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _refused("URL that is none") from None
    return parts


def _refused(what: str) -> ClientError:
    return ClientError(0, STORE_FORBIDDEN, f"The server signs a request with a {what}; it is not made")
