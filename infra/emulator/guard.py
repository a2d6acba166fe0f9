"""A guard in front of MiniStack: admit only programs and pages of this machine, and save MiniStack's settings."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ministack.app import app as ministack
from ministack.core.persistence import _json_default, save_state
from ministack.services import s3, ssm

from chalicelib.config import is_loopback

if TYPE_CHECKING:
    from types import ModuleType

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

_STS = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com", re.ASCII)
# The first part of the paths of S3's control API, which is no name of a bucket.
_CONTROL = "v20180820"
SAVED: dict[str, ModuleType] = {"s3": s3, "ssm": ssm}


class Gate:
    """An ASGI application around MiniStack.

    MiniStack requires no credentials and answers every web page with CORS headers, so a foreign page could read and
    erase the state. Refuse a request whose Host or Origin is not this machine, and requests to MiniStack's own
    controls.

    MiniStack saves buckets' settings and parameters only at a clean stop (objects at once). Save them after each
    request that changed them.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        self._on_ready = on_ready
        self._saved: dict[str, str] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await ministack(scope, receive, self._noticing_ready(send))
        elif scope["type"] != "http" or not _is_welcome(scope):
            await _refuse(send)
        else:
            await ministack(scope, receive, send)
            if _may_change_settings(scope):
                self._save_settings()

    def _noticing_ready(self, send: Send) -> Send:
        async def noticing(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._on_ready()

        return noticing

    def _save_settings(self) -> None:
        for name, service in SAVED.items():
            state = service.get_state()
            text = json.dumps(state, default=_json_default)
            if text != self._saved.get(name):
                save_state(name, state)  # writes a new file and renames it over the old one
                self._saved[name] = text


def _is_welcome(scope: Message) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    known = not scope["path"].startswith(("/_ministack", "/_localstack", "/_aws"))
    return known and is_of_this_machine(headers.get(b"host", ""), headers.get(b"origin"))


def is_of_this_machine(host: str, origin: str | None) -> bool:
    """True for a request of a program of this machine, and of a page of this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        page = urlsplit(origin).hostname if origin is not None else "localhost"
    except ValueError:  # not a valid name, such as "[::1"
        return False
    # A signature for STS covers its Host. No page can make a browser send this one here: AWS has the name.
    is_here = is_loopback(name) or _STS.fullmatch(name) is not None
    return is_here and is_loopback(page or "")


def _may_change_settings(scope: Message) -> bool:
    """False for reads, and for items and objects, which are saved at once: they come far more often than settings."""
    target = dict(scope["headers"]).get(b"x-amz-target", b"")
    bucket, _, key = scope["path"][1:].partition("/")
    is_object = key != "" and not target and bucket != _CONTROL
    return scope["method"] not in ("GET", "HEAD") and not target.startswith(b"DynamoDB") and not is_object


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This emulator answers to programs of its own machine only.\n"})
