"""The protocol of a store of artifact bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from deardiary.wire.parts import Part
from deardiary.wire.shapes import Download, Resource, Upload

# Long enough to start a transfer. On AWS a URL expires with the role's credentials at the latest, and a client gets
# another by one call.
URL_LIFE = timedelta(minutes=15)
# A client gets the URLs of all parts at once, and sends the parts one after the other.
STAGED_LIFE = timedelta(hours=1)
BLOCK = 1024 * 1024


class Location(NamedTuple):
    """The location of the bytes with this SHA-256 (hex) in this project; the server derives it, no client names it."""

    project_id: str
    sha256: str

    @property
    def path(self) -> str:
        return f"projects/{self.project_id}/blobs/{self.sha256}"


class UploadGone(Exception):
    """The store does not know the upload: it was joined, aborted, or never begun."""


class ArtifactStore(Protocol):
    """A store issues the requests that move bytes, and checks the bytes that arrived.

    ``site`` is the URL at which the client reaches this server, for stores whose bytes pass through it.
    """

    def uri(self, location: Location) -> str:
        """The address of the bytes, for people."""

    def upload(self, location: Location, size_bytes: int, content_type: str, site: str) -> Upload:
        """The request that uploads all bytes; it pins size and SHA-256.

        InvalidPayload, naming `part_hashes`, for more bytes than one request may have.
        """

    def begin(self, location: Location, content_type: str) -> str:
        """Begin an upload in parts. Return its id, with which any client that has the same bytes can resume it."""

    def upload_parts(self, location: Location, upload_id: str, parts: Sequence[Part], site: str) -> Upload:
        """The requests for the parts that have not arrived with this size and hash. `parts` must be ascending.

        UploadGone if the upload does not exist any more.
        """

    def join(self, location: Location, upload_id: str, parts: Sequence[Part]) -> None:
        """Join all parts to the whole bytes. InvalidPayload, naming `part_hashes`, if one has not arrived as declared.

        UploadGone if the upload does not exist any more: another request may have joined its parts.
        """

    def abort(self, location: Location, upload_id: str) -> None:
        """Remove the upload and its parts, if it exists."""

    def verify(self, location: Location, size_bytes: int, parts: Sequence[Part]) -> None:
        """InvalidPayload, naming `size_bytes` or `content_hash`, unless the store has the bytes as declared."""

    def size_of(self, location: Location) -> int | None:
        """The size of the stored bytes, None without any."""

    def download(self, location: Location, resource: Resource, site: str) -> Download:
        """A URL that serves the bytes under the resource's name, valid for URL_LIFE."""

    def write(self, location: Location, size_bytes: int, blocks: Iterable[bytes]) -> None:
        """Store bytes; a repetition changes nothing. ValueError if they do not have the location's SHA-256."""

    def blocks(self, location: Location) -> Iterator[bytes]:
        """The bytes, block by block; NotFound without any."""

    def delete(self, location: Location) -> None:
        """Remove the bytes, if they exist."""


class StagingStore(Protocol):
    """A store that also accepts bytes of unknown size and hash: at a staged location, from which they are copied."""

    def begin(self, location: Location, content_type: str) -> str:
        """Begin an upload in parts. Return its id."""

    def part_urls(self, location: Location, upload_id: str, number: int) -> list[str]:
        """The URLs for the parts 1 to `number`, valid for STAGED_LIFE."""

    def put_url(self, location: Location) -> str:
        """The URL for all bytes in one request, valid for URL_LIFE."""

    def join(self, location: Location, upload_id: str, etags: Mapping[int, str]) -> None:
        """Join the parts with these ETags. InvalidPayload, naming `parts`, if the store has no such parts.

        UploadGone if the upload does not exist any more: another request may have joined its parts.
        """

    def abort(self, location: Location, upload_id: str) -> None:
        """Remove the upload and its parts, if it exists."""

    def size_of(self, location: Location) -> int | None:
        """The size of the stored bytes, None without any."""

    def hash_of(self, location: Location, content_type: str) -> str:
        """Compute the SHA-256 (hex) of the stored bytes. NotFound without any."""

    def copy(self, source: Location, target: Location, content_type: str) -> None:
        """Copy the bytes within the store. NotFound without any."""
