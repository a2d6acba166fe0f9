"""Calls of the REST API: shapes in and out, the token, the errors. Knows no noun."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from deardiary import __version__
from deardiary.errors import ClientError, from_answer, without_query
from deardiary.transport import Request, Transport
from deardiary.wire import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")

_PAGE = 200  # the most that the server gives at once


class Api:
    """One server, spoken to over ``transport``. ``token`` goes to URLs below ``url`` and nowhere else.

    Every method raises `ClientError` for an answer that is not a success, or that is not DearDiary's.
    """

    def __init__(self, url: str, transport: Transport, token: str | None = None) -> None:
        self.url = url
        self.transport = transport
        self.token = token

    def get(self, shape: type[T], path: str) -> T:
        return self._shape(shape, path, self._call("GET", path))

    def post(self, shape: type[T], path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> T:
        """``repeatable``: the server answers the same, and changes nothing, when this arrives twice."""
        return self._shape(shape, path, self._call("POST", path, body or {}, repeatable=repeatable))

    def put(self, shape: type[T], path: str, body: Mapping[str, Any]) -> T:
        return self._shape(shape, path, self._call("PUT", path, body))

    def patch(self, shape: type[T], path: str, body: Mapping[str, Any]) -> T:
        return self._shape(shape, path, self._call("PATCH", path, body))

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def pages(self, shape: type[T], path: str, query: Mapping[str, str | None] | None = None) -> Iterator[T]:
        """Every object of a list, fetched page by page as it is asked for."""
        fields = {"limit": str(_PAGE), **present(**(query or {}))}
        while True:
            page = self._call("GET", f"{path}?{urlencode(fields)}")
            for item in self._field(path, page, "data"):
                yield self._shape(shape, path, item)
            cursor = self._field(path, page, "next_cursor")
            if cursor is None:
                return
            fields["cursor"] = cursor

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False) -> Any:
        response = self.transport.send(
            Request(
                method=method,
                url=self.url + path,
                headers=self._headers(body is not None),
                body=b"" if body is None else encode(body),
                repeatable=repeatable,
            )
        )
        content = response.read()
        if not 200 <= response.status < 300:
            raise from_answer(response.status, response.headers, content)
        return self._decode(path, content) if content and method != "DELETE" else None

    def _headers(self, has_body: bool) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": f"deardiary-python/{__version__}"}
        if has_body:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _decode(self, path: str, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError as error:
            raise self._not_ours(path) from error

    def _shape(self, shape: type[T], path: str, data: Any) -> T:
        try:
            return from_json(shape, data)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._not_ours(path) from error

    def _field(self, path: str, data: Any, name: str) -> Any:
        try:
            return data[name]
        except (KeyError, TypeError) as error:
            raise self._not_ours(path) from error

    def _not_ours(self, path: str) -> ClientError:
        message = f"The answer of {without_query(self.url + path)} is not DearDiary's; is the URL right?"
        return ClientError(0, "ANSWER_INVALID", message)


def encode(body: Mapping[str, Any]) -> bytes:
    """A JSON body. Text that is not Unicode, like a file name with stray bytes, gets "?" in their place."""
    text = json.dumps(to_json(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def path_of(*parts: str) -> str:
    """A path from its segments, each quoted. ValueError for a segment, like an empty id, that would name another."""
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError(f"{part!r} is not an id")
    return "/" + "/".join(quote(part, safe="") for part in parts)


def present(**fields: Any) -> dict[str, Any]:
    """The fields that were given; None stands for one that was not."""
    return {name: value for name, value in fields.items() if value is not None}
