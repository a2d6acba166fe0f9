"""Common functions of the stores whose bytes pass through this server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from chalicelib import clock
from chalicelib.artifacts.base import URL_LIFE, ArtifactStore, Location
from chalicelib.artifacts.ticket import Ticket, url_of
from chalicelib.errors import InvalidPayload
from deardiary.wire.parts import Part
from deardiary.wire.shapes import Download, Resource, Upload, UploadRequest

# API Gateway passes only bodies of this type as bytes.
BINARY = "application/octet-stream"


class ServedStore(ArtifactStore, Protocol):
    """A store behind URLs of this server."""

    def receive(self, location: Location, data: bytes) -> None:
        """Store the whole bytes, which the caller has checked."""

    def receive_part(self, location: Location, upload_id: str, part: Part, data: bytes) -> None:
        """Store a part, which the caller has checked. Raises UploadGone."""

    def piece(self, location: Location, offset: int, size_bytes: int) -> bytes:
        """`size_bytes` bytes from `offset`, fewer at the end; NotFound if the store has no bytes at all."""


def request_for(ticket: Ticket, site: str) -> UploadRequest:
    return UploadRequest(
        method="PUT",
        url=url_of(ticket, site),
        headers={"Content-Length": str(ticket.part_bytes), "Content-Type": BINARY},
        offset=ticket.offset,
        size_bytes=ticket.part_bytes,
        part_number=ticket.part or None,
    )


def whole_request(backend: str, location: Location, size_bytes: int, site: str) -> Upload:
    ticket = Ticket(
        method="PUT",
        backend=backend,
        project_id=location.project_id,
        sha256=location.sha256,
        part_bytes=size_bytes,
        part_sha256=location.sha256,
    )
    return upload_of([ticket], site)


def part_tickets(backend: str, location: Location, upload_id: str, parts: Sequence[Part]) -> list[Ticket]:
    return [
        Ticket(
            method="PUT",
            backend=backend,
            project_id=location.project_id,
            sha256=location.sha256,
            upload_id=upload_id,
            part=part.number,
            offset=part.offset,
            part_bytes=part.size_bytes,
            part_sha256=part.sha256,
        )
        for part in parts
    ]


def upload_of(tickets: Sequence[Ticket], site: str) -> Upload:
    requests = tuple(request_for(ticket, site) for ticket in tickets)
    return Upload(requests=requests, expires_at=clock.now() + URL_LIFE)


def download_of(backend: str, location: Location, resource: Resource, site: str) -> Download:
    ticket = Ticket(
        method="GET",
        backend=backend,
        project_id=location.project_id,
        sha256=location.sha256,
        size_bytes=resource.size_bytes,
        name=resource.name,
    )
    return Download(
        url=url_of(ticket, site),
        expires_at=clock.now() + URL_LIFE,
        size_bytes=resource.size_bytes,
        content_hash=resource.content_hash,
    )


def check(data: bytes, size_bytes: int, sha256: str) -> None:
    """InvalidPayload, naming `size_bytes` or `content_hash`, unless the bytes are as declared."""
    if len(data) != size_bytes:
        raise InvalidPayload(f"{len(data)} bytes arrived, {size_bytes} declared", field="size_bytes")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InvalidPayload("The bytes that arrived do not have the declared SHA-256", field="content_hash")
