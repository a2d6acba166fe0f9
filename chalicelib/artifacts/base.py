"""What the server needs of a place for artifact bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from deardiary.wire.parts import Part
from deardiary.wire.shapes import Download, Resource, Upload

# Long enough to begin a transfer; on AWS a URL would die with the role's credentials anyway, and another is one call
# away.
URL_LIFE = timedelta(minutes=15)
BLOCK = 1024 * 1024


class Location(NamedTuple):
    """The bytes with this SHA-256 (hex) in this project: derived by the server, never taken from a client."""

    project_id: str
    sha256: str

    @property
    def path(self) -> str:
        return f"projects/{self.project_id}/blobs/{self.sha256}"


class UploadGone(Exception):
    """The store knows no such upload: it was joined, aborted, or never begun."""


class ArtifactStore(Protocol):
    """A store says which requests move bytes, and checks what arrived.

    ``site`` is the URL of this server as the client reaches it, for the stores whose bytes pass through it.
    """

    def uri(self, location: Location) -> str:
        """Where the bytes are, for people."""

    def upload(self, location: Location, size_bytes: int, content_type: str, site: str) -> Upload:
        """The one request that brings the bytes; it pins size and SHA-256.

        InvalidPayload, naming `part_hashes`, for more bytes than go in one.
        """

    def begin(self, location: Location, content_type: str) -> str:
        """Begin an upload in parts; its id, by which everybody who has the same bytes can go on with it."""

    def upload_parts(self, location: Location, upload_id: str, parts: Sequence[Part], site: str) -> Upload:
        """The requests for those of these parts, in ascending order, that have not arrived with this size and hash.

        UploadGone when the upload is no more.
        """

    def join(self, location: Location, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the bytes of all their parts. InvalidPayload, naming `part_hashes`, when one is not there as declared.

        UploadGone when the upload is no more: the bytes may be there, joined by somebody else.
        """

    def abort(self, location: Location, upload_id: str) -> None:
        """Remove the parts of an upload; one that is no more does not matter."""

    def verify(self, location: Location, size_bytes: int, parts: Sequence[Part]) -> None:
        """InvalidPayload, naming `size_bytes` or `content_hash`, when the bytes are not there exactly as declared."""

    def size_of(self, location: Location) -> int | None:
        """How many bytes are there; None when there is nothing."""

    def download(self, location: Location, resource: Resource, content_type: str, site: str) -> Download:
        """Where the bytes can be had, for a few minutes, under the resource's name."""

    def write(self, location: Location, size_bytes: int, blocks: Iterable[bytes]) -> None:
        """Put bytes there; the same again changes nothing. ValueError when they do not have the location's SHA-256."""

    def blocks(self, location: Location) -> Iterator[bytes]:
        """The bytes, piece by piece; NotFound when there are none."""

    def delete(self, location: Location) -> None:
        """Remove the bytes; those that are not there do not matter."""
