"""A short way for calls of DynamoDB's items, which are most requests: from the socket to MiniStack's handler.

Hypercorn parses HTTP in Python, and MiniStack asks for each request which of its services it means. Both take longer
than the call itself. A connection whose requests are such calls is read here; any other request, and the rest of its
connection, goes to Hypercorn and MiniStack as before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from ministack.core.responses import error_response_json, set_request_account_id, set_request_region
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import dynamodb

from infra.emulator.guard import is_of_this_machine
from infra.emulator.persistence import ON_ITEMS

_log = logging.getLogger(__name__)
SERVICE = "DynamoDB_20120810"
# Of a request that is not plain.
OTHERS = {"connection", "content-encoding", "expect", "transfer-encoding"}


def install_front_door() -> None:
    """Read connections of Hypercorn here first, from now on."""
    vars(run)["TCPServer"] = FrontDoor


class FrontDoor(TCPServer):
    """A connection. Hypercorn creates one for each, and awaits it."""

    async def run(self) -> None:
        closing = asyncio.create_task(self._close_at_the_end())
        try:
            begin = await self._answer_calls()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.writer.close()
            return
        finally:
            closing.cancel()
        resumed: Any = _Resumed(self.reader, begin)
        self.reader = resumed
        await super().run()

    async def _close_at_the_end(self) -> None:
        await self.context.terminated.wait()
        self.writer.close()

    async def _answer_calls(self) -> bytes:
        """Answer calls until another request comes; return what was read of that one."""
        while True:
            begin = await self._read_head()
            head = _call_headers(begin)
            if head is None:
                return begin
            body = await self.reader.readexactly(int(head["content-length"]))
            self.writer.write(await _answer(head, body))
            await self.writer.drain()

    async def _read_head(self) -> bytes:
        """The request line and the headers; the beginning of a request without an end of them."""
        try:
            return await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return error.partial


class _Resumed:
    """A reader with what was read of it already."""

    def __init__(self, reader: asyncio.StreamReader, begin: bytes) -> None:
        self._reader, self._begin = reader, begin

    def at_eof(self) -> bool:
        return not self._begin and self._reader.at_eof()

    async def read(self, most: int) -> bytes:
        begin, self._begin = self._begin, b""
        return begin or await self._reader.read(most)


def _call_headers(begin: bytes) -> dict[str, str] | None:
    """The headers of a call of DynamoDB's items from this machine; None for any other request."""
    if not begin.startswith(b"POST / HTTP/1.1\r\n"):
        return None
    pairs = [line.partition(":") for line in begin.decode("latin-1").split("\r\n")[1:-2]]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    has_body = len(headers) == len(pairs) and headers.get("content-length", "").isdecimal()
    if service != SERVICE or operation not in ON_ITEMS or not has_body or headers.keys() & OTHERS:
        return None
    return headers if is_of_this_machine(headers.get("host", ""), headers.get("origin")) else None


async def _answer(headers: Mapping[str, str], body: bytes) -> bytes:
    set_request_account_id(extract_access_key_id(headers))
    set_request_region(extract_region(headers))
    try:
        status, answered, content = await dynamodb.handle_request("POST", "/", headers, body, {})
    except Exception:  # noqa: BLE001 - it is logged, and the connection has to get an answer
        _log.exception("MiniStack failed in %s", headers["x-amz-target"])
        status, answered, content = error_response_json("InternalServerError", "See the log of the emulator", 500)
    content = content if isinstance(content, bytes) else content.encode()
    return _text(status, answered, len(content)) + content


def _text(status: int, headers: Mapping[str, Any], size: int) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"x-amzn-requestid: {uuid4()}"]
    lines += [f"date: {formatdate(usegmt=True)}", f"content-length: {size}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")
