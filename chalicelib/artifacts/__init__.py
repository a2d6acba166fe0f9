"""Stores of artifact bytes: one small protocol (`base.py`), one file per store.

A new backend also needs its name and settings in `chalicelib/config.py`, the sizes of its parts in
`deardiary/wire/parts.py`, a choice in `infra/options.py`, the headers of its presigned requests in the client's
`transfer/presigned.py`, and rows in `tests/rules/test_layers.py`, `tests/end_to_end/test_backends.py` and
docs/artifacts.md.
"""

from __future__ import annotations

from chalicelib.artifacts.base import STAGED_LIFE, URL_LIFE, ArtifactStore, Location, StagingStore, UploadGone
from chalicelib.artifacts.filesystem import FilesystemStore
from chalicelib.artifacts.inline import InlineStore
from chalicelib.artifacts.s3 import S3Store
from chalicelib.artifacts.s3_staged import S3Staging
from chalicelib.artifacts.served import ServedStore

_SERVED: dict[str, ServedStore] = {"filesystem": FilesystemStore(), "inline": InlineStore()}
_STORES: dict[str, ArtifactStore] = {"s3": S3Store(), **_SERVED}

_STAGING: dict[str, StagingStore] = {"s3": S3Staging()}

__all__ = [
    "STAGED_LIFE",
    "URL_LIFE",
    "ArtifactStore",
    "Location",
    "ServedStore",
    "StagingStore",
    "UploadGone",
    "served_store",
    "staging_store",
    "store",
]


def store(backend: str) -> ArtifactStore:
    """The store of this name. A resource records the name of its own."""
    return _STORES[backend]


def served_store(backend: str) -> ServedStore:
    """The store of this name, if its bytes pass through this server."""
    return _SERVED[backend]


def staging_store(backend: str) -> StagingStore | None:
    """The store of this name, if clients can upload bytes to it whose hash is unknown."""
    return _STAGING.get(backend)
