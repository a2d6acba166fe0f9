"""A resource's bytes, and a fake server that has them."""

from __future__ import annotations

import hashlib

from tests.support import transports
from tests.support.transports import FakeServer, resource

DATA = bytes(range(256)) * 20
HASH = hashlib.sha256(DATA).hexdigest()


def serving_server(content: bytes, name: str = "model.bin") -> FakeServer:
    source = {
        "url": "https://store/r1?sig=s",
        "expires_at": transports.NOW,
        "size_bytes": len(DATA),
        "content_hash": HASH,
    }
    server = FakeServer()
    server.answers = {
        "GET /resources/r1": (200, resource(name=name, size_bytes=len(DATA))),
        "GET /resources/r1/download": (200, source),
        "GET store/r1": (200, content),
    }
    return server
