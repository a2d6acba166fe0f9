"""Calls of the REST API: shapes in and out, the token, the errors. Independent of the kinds of entities."""

from __future__ import annotations

import copy
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode

from deardiary.__version__ import __version__
from deardiary.errors import NOT_OURS, ClientError, from_answer, without_query
from deardiary.http.retries import RetryingTransport
from deardiary.http.transport import Request, Response, Transport
from deardiary.wire import limits
from deardiary.wire.form import from_json, to_json

T = TypeVar("T")

SIGN_IN, SIGN_IN_BY_AWS = "/auth", "/auth/aws"
# Seconds until the next attempt, if a token could not be replaced before its end.
_AGAIN = 60.0
_SIGN_INS = (SIGN_IN, SIGN_IN_BY_AWS)


class Login:
    """The token in use, and how to renew it when the server refuses it. Shared by all copies of one `Api`.

    ``renew`` returns another token, and the seconds after which that should be replaced.
    """

    def __init__(self, token: str | None) -> None:
        self.token = token
        self.renew: Callable[[], tuple[str | None, float]] | None = None
        self._renew_at = math.inf
        self._lock = threading.Lock()

    def current(self) -> str | None:
        """The token, replaced before it ends; the old one if that fails."""
        if time.monotonic() > self._renew_at:
            self._renew_at = time.monotonic() + _AGAIN
            with suppress(ClientError):
                self.again(self.token)
        return self.token

    def again(self, refused: str | None) -> bool:
        """True if ``token`` now differs from the refused one. Only one thread at a time renews it."""
        with self._lock:
            if self.token == refused and self.renew is not None:
                token, seconds = self.renew()
                self.token, self._renew_at = token or refused, time.monotonic() + seconds
            return self.token != refused


class Api:
    """The calls of one server over ``transport``. ``token`` is sent to URLs below ``url`` only.

    Every method raises `ClientError` for an answer that is not a success, or that is not DearDiary's. After a 401 the
    call is repeated once if ``login`` can renew the token.
    """

    def __init__(self, url: str, transport: Transport, token: str | None = None) -> None:
        self.url = url
        self.transport = transport
        self.owns_transport = True
        self.login = Login(token)

    @property
    def token(self) -> str | None:
        return self.login.token

    @token.setter
    def token(self, token: str | None) -> None:
        self.login.token = token

    def close(self) -> None:
        self.login.renew = self.login.token = None
        if self.owns_transport:
            self.transport.close()

    def without_retries(self) -> Api:
        """A copy without retries, for a caller that retries by itself."""
        clone = copy.copy(self)
        clone.transport = getattr(self.transport, "inner", self.transport)
        return clone

    def with_deadline(self, within: float) -> Api:
        """A copy whose calls are not retried after ``within`` seconds."""
        clone = copy.copy(self)
        if isinstance(self.transport, RetryingTransport):
            clone.transport = self.transport.with_deadline(within)
        return clone

    def clone(self, new_transport: Callable[[], Transport]) -> Api:
        """A clone with its own locks and connections; a transport that the user passed in is shared."""
        ours = type(self.transport).__module__.startswith("deardiary.http.")
        clone = Api(self.url, new_transport() if ours else self.transport, self.token)
        clone.owns_transport = ours
        clone.login.renew = self.login.renew
        return clone

    def get(self, shape: type[T], path: str) -> T:
        return self._shape(shape, path, self._call("GET", path))

    def post(self, shape: type[T], path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> T:
        """Send a POST. ``repeatable``: if it arrives twice, the server changes nothing and answers the same."""
        return self._shape(shape, path, self._call("POST", path, body or {}, repeatable=repeatable))

    def create(self, shape: type[T], path: str, body: Mapping[str, Any], *, repeatable: bool) -> tuple[T, bool]:
        """The object as from `post`, and True if it is new, False if an earlier request with its ``id_key`` made it."""
        status, _, content = self._answer("POST", path, body, repeatable=repeatable)
        return self._shape(shape, path, self._decode(path, content)), status == 201

    def put(self, shape: type[T], path: str, body: Mapping[str, Any]) -> T:
        return self._updated(shape, "PUT", path, body)

    def patch(self, shape: type[T], path: str, body: Mapping[str, Any]) -> T:
        return self._updated(shape, "PATCH", path, body)

    def get_object(self, path: str) -> dict[str, Any]:
        """Return a JSON object that has no shape."""
        return self._object(path, self._call("GET", path))

    def get_as(self, decode: Callable[[Any], T], path: str) -> T:
        """Return what ``decode`` makes of the JSON of an answer that has no shape."""
        return self._decoded(decode, path, self._call("GET", path))

    def post_as(self, decode: Callable[[Any], T], path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> T:
        return self._decoded(decode, path, self._call("POST", path, body, repeatable=repeatable))

    def get_bytes_as(self, decode: Callable[[bytes], T], path: str) -> T:
        # API Gateway sends raw bytes only for this Accept header.
        content = self._answer("GET", path, accept="application/octet-stream")[2]
        return self._decoded(decode, path, content)

    def put_object(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._object(path, self._call("PUT", path, body))

    def delete(self, path: str, *, purge: bool = False) -> Mapping[str, str]:
        """Send a DELETE; return the headers of the answer, which has no body. ``purge``: not into the trash."""
        return self._exchange("DELETE", f"{path}?purge=true" if purge else path)[0]

    def pages(self, shape: type[T], path: str, query: Mapping[str, str | None] | None = None) -> Listing[T]:
        """Every object of a list, fetched page by page while the caller iterates."""
        return Listing(self._objects(shape, path, query), f"{shape.__name__} of {path}")

    def _objects(self, shape: type[T], path: str, query: Mapping[str, str | None] | None) -> Iterator[T]:
        fields = {"limit": str(limits.MAX_PAGE_ITEMS), **present(**(query or {}))}
        while True:
            page = self._call("GET", f"{path}?{urlencode(fields)}")
            items = self._field(path, page, "data")
            if not isinstance(items, list):
                raise self._not_ours(path)
            for item in items:
                yield self._shape(shape, path, item)
            cursor = self._field(path, page, "next_cursor")
            if cursor is None:
                return
            if cursor == fields.get("cursor"):
                raise self._not_ours(path)  # a repeated cursor would loop for ever
            fields["cursor"] = cursor

    def _object(self, path: str, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self._not_ours(path)
        return data

    def _updated(self, shape: type[T], method: str, path: str, body: Mapping[str, Any]) -> T:
        """The object after an update. None, against the type, if the user has no permission to read it."""
        data = self._call(method, path, body)
        return cast("T", None) if data is None else self._shape(shape, path, data)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Any:
        content = self._exchange(method, path, body, repeatable=repeatable)[1]
        return self._decode(path, content) if content else None

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False
    ) -> tuple[Mapping[str, str], bytes]:
        return self._answer(method, path, body, repeatable=repeatable)[1:]

    def _answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = False,
        accept: str = "application/json",
    ) -> tuple[int, Mapping[str, str], bytes]:
        token = self.token if path in _SIGN_INS else self.login.current()
        response = self._send(method, path, body, repeatable, token, accept)
        if response.status == 401 and path not in _SIGN_INS and self.login.again(token):
            response.close()
            response = self._send(method, path, body, repeatable, self.token, accept)
        content = response.read()
        if not 200 <= response.status < 300:
            raise from_answer(response.status, response.headers, content, self.url)
        return response.status, response.headers, content

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, repeatable: bool, token: str | None, accept: str
    ) -> Response:
        return self.transport.send(
            Request(
                method=method,
                url=self.url + path,
                headers=_headers(body is not None, token, accept),
                body=b"" if body is None else encode(body),
                repeatable=repeatable,
            )
        )

    def _decode(self, path: str, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._not_ours(path) from error

    def _shape(self, shape: type[T], path: str, data: Any) -> T:
        return self._decoded(lambda each: from_json(shape, each), path, data)

    def _decoded(self, decode: Callable[[Any], T], path: str, data: Any) -> T:
        try:
            return decode(data)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise self._not_ours(path) from error

    def _field(self, path: str, data: Any, name: str) -> Any:
        try:
            return data[name]
        except (KeyError, TypeError) as error:
            raise self._not_ours(path) from error

    def _not_ours(self, path: str) -> ClientError:
        message = f"The answer of {without_query(self.url + path)} is not DearDiary's; is the URL right?"
        return ClientError(0, NOT_OURS, message)


class Calls:
    """The calls for one kind of object."""

    def __init__(self, api: Api) -> None:
        self._api = api


class Listing(Generic[T]):
    """The objects of a list, one after the other. A notebook shows the next ones as a table, and keeps them."""

    def __init__(self, objects: Iterator[T], what: str) -> None:
        self._objects = objects
        self._what = what
        self._ahead: list[T] = []

    def __iter__(self) -> Listing[T]:
        return self

    def __next__(self) -> T:
        return self._ahead.pop(0) if self._ahead else next(self._objects)

    def __repr__(self) -> str:
        return f"<list of {self._what}>"

    def _repr_html_(self) -> str:
        from deardiary.wire import html

        self._ahead += islice(self._objects, html.MOST_ROWS + 1 - len(self._ahead))
        return html.objects(self._ahead)


def _headers(has_body: bool, token: str | None, accept: str) -> dict[str, str]:
    headers = {"Accept": accept, "User-Agent": f"deardiary-python/{__version__}"}
    if has_body:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def encode(body: Mapping[str, Any]) -> bytes:
    """A JSON body. Lone surrogates, as in a file name that is not UTF-8, become "?"."""
    text = json.dumps(to_json(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def path_of(*parts: str) -> str:
    """A path from its segments, each quoted. ValueError for "", "." and "..", which would change the path."""
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError(f"{part!r} is not an id")
    return "/" + "/".join(quote(part, safe="") for part in parts)


class HasId(Protocol):
    @property
    def id(self) -> str: ...


def id_of(owner: str | HasId) -> str:
    return owner if isinstance(owner, str) else owner.id


def present(**fields: Any) -> dict[str, Any]:
    """The fields without those that are None."""
    return {name: value for name, value in fields.items() if value is not None}
