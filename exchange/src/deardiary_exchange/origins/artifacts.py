"""Sets of files with versions, as `deardiary.wandb` keeps them: below ``artifacts/NAME/VERSION``, with a manifest."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from deardiary.wandb.artifact import MANIFEST
from deardiary_exchange.runs import File

__all__ = ["MANIFEST", "in_memory", "manifest_of"]


def manifest_of(name: str, kind: str, metadata: str, files: Sequence[str], references: Mapping[str, str]) -> bytes:
    """The parts of an artifact, as `deardiary.wandb.Artifact.manifest` writes them."""
    try:
        given = json.loads(metadata or "{}")
    except ValueError:
        given = {"text": metadata}
    parts = {"name": name, "type": kind, "metadata": given}
    return json.dumps({**parts, "files": sorted(files), "references": dict(references)}, indent=1).encode()


def in_memory(name: str, content: bytes, created_date: datetime | None, description: str = "") -> File:
    return File(name=name, open=lambda: io.BytesIO(content), created_date=created_date, description=description)
