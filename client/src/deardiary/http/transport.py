"""The seam between this client and the network: whatever sends a `Request` and gives a `Response` is a transport.

JSON calls, uploads of files and streamed downloads all pass here, and nothing passes by; so a test, or a host with
rules of its own, can put another transport in the place of `http_transport.HttpTransport`.
"""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})


class Readable(Protocol):
    """Bytes that are read once, in pieces."""

    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


class Body(Protocol):
    """Bytes of a known number that can be read from their start again, as a retry must."""

    @property
    def size_bytes(self) -> int: ...

    def open(self) -> Readable: ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; the headers are sent as given.

    ``repeatable`` vouches that a POST changes nothing when it arrives twice. ``streamed`` leaves the answer's body
    unread, for the caller to read in pieces and to close. ``named_by`` is the URL of the API that has chosen ``url``:
    a transport connects only to an address that `reach` allows then.
    """

    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | Body = b""
    repeatable: bool = False
    streamed: bool = False
    named_by: str | None = None

    @property
    def may_repeat(self) -> bool:
        return self.repeatable or self.method in _REPEATABLE_METHODS

    @property
    def size_bytes(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.size_bytes

    def open_body(self) -> Readable:
        """The body from its start, whatever its kind; the caller closes it."""
        return io.BytesIO(self.body) if isinstance(self.body, bytes) else self.body.open()


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. Header names are lower-case; ``stream`` holds the body."""

    status: int
    headers: Mapping[str, str]
    stream: Readable

    def read(self) -> bytes:
        """The rest of the body, which is closed after it."""
        try:
            return self.stream.read()
        finally:
            self.stream.close()

    def close(self) -> None:
        self.stream.close()


class Transport(Protocol):
    """Sends requests; used by several threads at once.

    ``send`` raises `ClientError` with status 0 when no answer comes. It follows no redirect: a request may carry a
    token, which is for one origin only.
    """

    def send(self, request: Request) -> Response: ...

    def close(self) -> None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class FileSlice:
    """``size_bytes`` bytes of a file from ``offset`` on, as a request's body."""

    path: Path
    offset: int
    size_bytes: int

    def open(self) -> Readable:
        file = self.path.open("rb")
        file.seek(self.offset)
        return _Limited(file, self.size_bytes)


class _Limited:
    def __init__(self, stream: Readable, size_bytes: int) -> None:
        self._stream = stream
        self._left = size_bytes

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._stream.close()
