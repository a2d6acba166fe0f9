"""Snapshots of iterations, in as many requests as their texts require."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from deardiary.api import Api, encode, path_of
from deardiary.errors import ClientError
from deardiary.wire.shapes import Snapshot

_TEXTS = ("project_toml", "manifest_toml", "git_diff")
_MAX_BYTES = 4_000_000  # limit for several texts together; the server accepts a single text of 4 MiB plus its escapes


def get_snapshot(api: Api, iteration_id: str) -> Snapshot:
    path = path_of("iterations", iteration_id, "snapshot")
    try:
        return api.get(Snapshot, path)
    except ClientError as error:
        if error.status != 413:
            raise
    parts = {name: api.get(Snapshot, f"{path}?{urlencode({'field': name})}") for name in _TEXTS}
    texts = {name: getattr(part, name) for name, part in parts.items()}
    return replace(parts[_TEXTS[0]], **texts)


def put_snapshot(api: Api, iteration_id: str, fields: Mapping[str, Any], texts: Mapping[str, str]) -> Snapshot:
    path = path_of("iterations", iteration_id, "snapshot")
    answers = [api.put(Snapshot, path, body) for body in _bodies(fields, texts)]
    return answers[-1]


def _bodies(fields: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    whole = {**fields, **texts}
    if len(texts) <= 1 or len(encode(whole)) <= _MAX_BYTES:
        yield whole
        return
    if fields:
        yield fields
    yield from ({name: text} for name, text in texts.items())
