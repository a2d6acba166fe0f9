"""Bytes that pass through this server, by the URLs that it signed: whoever holds one may do what it says, no more."""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib import artifacts
from chalicelib.artifacts import UploadGone
from chalicelib.artifacts.naming import content_disposition
from chalicelib.artifacts.served import check
from chalicelib.artifacts.ticket import Ticket, read_ticket
from chalicelib.errors import InvalidPayload, NotFound, PayloadTooLarge
from chalicelib.storage import blob as blobs
from deardiary.parts import MIB, Part

# An answer through Lambda has 6 MB, a third of it lost to base64.
MAX_PIECE = 4 * MIB
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class Piece(NamedTuple):
    """Bytes from `offset` on, or all when `whole`. `size_bytes` and `sha256` are those of all."""

    disposition: str
    data: bytes
    offset: int
    size_bytes: int
    sha256: str
    whole: bool


def receive(text: str, data: bytes) -> None:
    """Keep what the URL was signed for. InvalidPayload for other bytes, NotFound when nobody waits for them now."""
    ticket = read_ticket(text, "PUT")
    check(data, ticket.part_bytes, ticket.part_sha256)
    blob = blobs.find_blob(ticket.project_id, ticket.sha256)
    if blob is None or blob.leaving:
        raise NotFound
    if not blob.ready:
        _keep(ticket, data)


def serve(text: str, span: str | None) -> Piece:
    """The bytes, or the beginning of what the header `Range` asks for: at most 4 MiB. NotFound when they are gone.

    PayloadTooLarge when more are there and no range is given: they come in pieces.
    """
    ticket = read_ticket(text, "GET")
    asked = _RANGE.fullmatch(span.replace(" ", "")) if span else None
    offset = int(asked[1]) if asked else 0
    last = int(asked[2]) if asked and asked[2] else ticket.size_bytes - 1
    if asked and not offset <= min(last, ticket.size_bytes - 1):
        raise InvalidPayload(f"There are {ticket.size_bytes} bytes", field="range")
    if not asked and ticket.size_bytes > MAX_PIECE:
        raise PayloadTooLarge(f"More than {MAX_PIECE} bytes come in pieces: ask with a header 'Range: bytes=0-'")
    wanted = min(last + 1 - offset, MAX_PIECE)
    data = artifacts.served_store(ticket.backend).piece(ticket.location, offset, wanted)
    disposition = content_disposition(ticket.name)
    return Piece(disposition, data, offset, ticket.size_bytes, ticket.sha256, whole=asked is None)


def _keep(ticket: Ticket, data: bytes) -> None:
    store = artifacts.served_store(ticket.backend)
    if not ticket.part:
        store.receive(ticket.location, data)
        return
    part = Part(ticket.part, ticket.offset, ticket.part_bytes, ticket.part_sha256)
    try:
        store.receive_part(ticket.location, ticket.upload_id, part, data)
    except UploadGone:
        raise NotFound("This upload is no more; ask for another URL") from None
