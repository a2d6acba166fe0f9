"""Bytes that pass through this server by signed URLs. A URL permits its one operation to any holder, no more."""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib import artifacts
from chalicelib.artifacts import UploadGone, s3
from chalicelib.artifacts.naming import content_disposition
from chalicelib.artifacts.served import check
from chalicelib.artifacts.ticket import Ticket, read_ticket
from chalicelib.errors import NotFound, PayloadTooLarge, RangeNotSatisfiable
from chalicelib.storage import blob as blobs
from deardiary.wire.limits import MIB
from deardiary.wire.parts import Part

# Lambda limits an answer to 6 MB, and base64 adds a third to the bytes.
MAX_PIECE = 4 * MIB
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Piece(NamedTuple):
    """Bytes from `offset` on; all bytes if `whole`. `size_bytes` and `sha256` describe the whole artifact."""

    disposition: str
    data: bytes
    offset: int
    size_bytes: int
    sha256: str
    whole: bool


def store_origin() -> str | None:
    """The web origin from which a browser reads artifacts in S3; None if all bytes pass through this server."""
    return s3.origin()


def receive(text: str, data: bytes) -> None:
    """Store the bytes of a signed URL. InvalidPayload for other bytes, NotFound if their upload is gone."""
    ticket = read_ticket(text, "PUT")
    check(data, ticket.part_bytes, ticket.part_sha256)
    blob = blobs.find_blob(ticket.project_id, ticket.sha256)
    if blob is None or blob.leaving:
        raise NotFound
    if not blob.ready:
        _keep(ticket, data)


def serve(text: str, span: str | None) -> Piece:
    """Return the bytes, or the first 4 MiB at most of the requested `Range`. NotFound if the bytes are gone.

    PayloadTooLarge for a larger artifact without a range: the client has to request pieces. RangeNotSatisfiable if the
    range begins after the end.
    """
    ticket = read_ticket(text, "GET")
    asked = _asked(span or "", ticket.size_bytes)
    if asked is None and ticket.size_bytes > MAX_PIECE:
        raise PayloadTooLarge(f"More than {MAX_PIECE} bytes come in pieces: ask with a header 'Range: bytes=0-'")
    offset, end = asked or (0, ticket.size_bytes)
    data = artifacts.served_store(ticket.backend).piece(ticket.location, offset, min(end - offset, MAX_PIECE))
    disposition = content_disposition(ticket.name)
    return Piece(disposition, data, offset, ticket.size_bytes, ticket.sha256, whole=asked is None)


def _asked(span: str, size: int) -> tuple[int, int] | None:
    """Begin and end of the requested bytes. None means all bytes, also for several ranges or an invalid header.

    Forms of RFC 9110, section 14.1: `bytes=2-4`, `bytes=2-`, and `bytes=-3` for the last three.
    """
    found = _RANGE.fullmatch(span.replace(" ", ""))
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        begin, end = max(0, size - int(found[2])), size
    else:
        begin, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < begin:
            return None
    if begin >= size:
        raise RangeNotSatisfiable(f"There are {size} bytes", size_bytes=size)
    return begin, end


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
