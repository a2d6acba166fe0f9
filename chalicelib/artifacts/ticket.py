"""URLs for bytes that pass through this server: signed, for one purpose, valid for URL_LIFE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib import clock, security
from chalicelib.artifacts.base import URL_LIFE, Location
from chalicelib.errors import TokenInvalid
from chalicelib.storage.keyring import read_keyring

PATH = "/artifacts"


class Ticket(NamedTuple):
    """The right of its holder: to get the artifact `sha256`, or to put its bytes or one part of them.

    GET: `size_bytes` and `name` of the artifact. PUT: `part_bytes` and `part_sha256` of the bytes to put; `part` counts
    from 1 in the upload `upload_id`, 0 stands for all bytes of the artifact.
    """

    method: str
    backend: str
    project_id: str
    sha256: str
    size_bytes: int = 0
    name: str = ""
    upload_id: str = ""
    part: int = 0
    offset: int = 0
    part_bytes: int = 0
    part_sha256: str = ""

    @property
    def location(self) -> Location:
        return Location(self.project_id, self.sha256)


def url_of(ticket: Ticket, site: str) -> str:
    text = security.issue_ticket(read_keyring(), ticket._asdict(), clock.now(), URL_LIFE)
    return f"{site}{PATH}?ticket={text}"


def read_ticket(text: str, method: str) -> Ticket:
    """Verify a ticket for this method. Unauthenticated if it is forged, expired or for another method."""
    try:
        said: Mapping[str, object] = security.read_ticket(read_keyring(), text)
    except TokenInvalid:
        # A new secret may have signed it: read the keyring again.
        said = security.read_ticket(read_keyring(fresh=True), text)
    if said.get("method") != method:
        raise TokenInvalid("This URL is for something else")
    return Ticket(**{name: said[name] for name in Ticket._fields})  # type: ignore[arg-type]
