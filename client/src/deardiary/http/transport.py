"""The interface between the client and the network: a transport sends a `Request` and returns a `Response`.

JSON calls, uploads and streamed downloads all use it. So a test, or a host with its own rules, can replace
`http.default.HttpTransport`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deardiary.errors import FILE_CHANGED, ClientError, without_query

_REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


class Body(Protocol):
    """Bytes of known size. A retry opens and reads them from the start again."""

    @property
    def size_bytes(self) -> int: ...

    def open(self) -> Readable: ...


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Request:
    """One HTTP request; the headers are sent as given.

    ``repeatable`` promises that a POST that arrives twice has one effect. With ``streamed`` the caller reads the
    answer's body in pieces and closes it. ``named_by`` is the URL of the API that has chosen ``url``; the transport
    then connects only to an address that `reach` allows.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body = b""
    repeatable: bool = False
    streamed: bool = False
    named_by: str | None = None

    def __repr__(self) -> str:
        """Without the headers, which have the token, and the query, which may be a signature."""
        return f"<Request {self.method} {without_query(self.url)}>"

    @property
    def may_repeat(self) -> bool:
        return self.repeatable or self.method in _REPEATABLE_METHODS

    @property
    def size_bytes(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.size_bytes

    def open_body(self) -> Readable:
        """The body from its start; the caller closes it."""
        return io.BytesIO(self.body) if isinstance(self.body, bytes) else self.body.open()


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. Header names are lower-case; ``stream`` holds the body."""

    status: int
    headers: Mapping[str, str]
    stream: Readable

    def read(self) -> bytes:
        """Read the rest of the body and close it."""
        try:
            return self.stream.read()
        finally:
            self.stream.close()

    def close(self) -> None:
        self.stream.close()


class Transport(Protocol):
    """Sends requests; several threads may use it at once.

    ``send`` raises `ClientError` with status 0 if no answer comes. It follows no redirects: a request may hold a
    token, which is for one server only.
    """

    def send(self, request: Request) -> Response: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FileSlice:
    path: Path
    offset: int
    size_bytes: int

    def open(self) -> Readable:
        file = self.path.open("rb")
        file.seek(self.offset)
        return _Limited(file, self.size_bytes)


class _Limited:
    """Raises ClientError if the file has become shorter: the store would wait for the missing bytes."""

    def __init__(self, stream: Readable, size_bytes: int) -> None:
        self._stream = stream
        self._left = size_bytes

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted)
        if wanted and not data:
            raise ClientError(
                0, FILE_CHANGED, f"The file ends {self._left} bytes early: it was changed while it was sent"
            )
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._stream.close()
