"""What the server needs of a place for artifact bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from deardiary.shapes import Download, Resource, Upload


@dataclass(frozen=True, slots=True)
class Location:
    """The bytes with this SHA-256 (hex) in this project: derived by the server, never taken from a client."""

    project_id: str
    sha256: str

    @property
    def path(self) -> str:
        return f"projects/{self.project_id}/blobs/{self.sha256}"


class ArtifactStore(Protocol):
    """Bytes never pass through the API: a store says which requests move them, and checks what arrived.

    But for small texts that the server itself keeps: those it writes and reads.
    """

    def uri(self, location: Location) -> str:
        """Where the bytes are, for people."""

    def upload(self, location: Location, size_bytes: int, content_type: str) -> Upload:
        """The requests that bring the bytes; they pin size and SHA-256."""

    def verify(self, location: Location, size_bytes: int) -> None:
        """InvalidPayload, naming `size_bytes` or `content_hash`, when the bytes are not there exactly as declared."""

    def download(self, location: Location, resource: Resource, content_type: str) -> Download:
        """Where the bytes can be had, for a few minutes, under the resource's name."""

    def write(self, location: Location, data: bytes) -> None:
        """Put bytes there that have the location's SHA-256; the same again changes nothing."""

    def read(self, location: Location) -> bytes:
        """The bytes; NotFound when there are none."""

    def delete(self, location: Location) -> None:
        """Remove the bytes; those that are not there do not matter."""
