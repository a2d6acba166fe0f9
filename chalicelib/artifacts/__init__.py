"""Where artifact bytes are: one small protocol, one file per store."""

from __future__ import annotations

from chalicelib.artifacts.base import ArtifactStore, Location
from chalicelib.artifacts.s3 import S3Store

_STORES: dict[str, ArtifactStore] = {"s3": S3Store()}

__all__ = ["ArtifactStore", "Location", "store"]


def store(backend: str) -> ArtifactStore:
    """The store of that name. A resource remembers the one that it was made with."""
    return _STORES[backend]
