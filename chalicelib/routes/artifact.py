"""Artifact bytes of the backends without URLs of their own: the server itself serves them by URLs that it signed.

The URL is the permission, as a presigned URL of S3 is: it permits one operation on one blob for some minutes.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.routes.http.answer import BINARY, Answer
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Query
from chalicelib.services.blobs import served as service

routes = Routes(__name__)


MAX_TICKET_CHARACTERS = 4096


class TicketQuery(Query):
    ticket: Annotated[str, Meta(max_length=MAX_TICKET_CHARACTERS)]


@routes.get("/artifacts", query=TicketQuery, public=True)
def get_bytes(call: Call[None, TicketQuery]) -> Answer[bytes]:
    piece = service.serve(call.query.ticket, call.headers.get("range"))
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": piece.disposition,
        "X-Content-Type-Options": "nosniff",
    }
    if piece.whole:
        return Answer(200, piece.data, headers, media_type=BINARY, etag=piece.sha256)
    last = piece.offset + len(piece.data) - 1
    headers["Content-Range"] = f"bytes {piece.offset}-{last}/{piece.size_bytes}"
    return Answer(206, piece.data, headers, media_type=BINARY, etag=piece.sha256)


@routes.put_bytes("/artifacts", query=TicketQuery)
def put_bytes(call: Call[bytes, TicketQuery]) -> Answer[None]:
    service.receive(call.query.ticket, call.body)
    return Answer(200)
