"""Snapshots: the code and environment of an iteration. Small fields are in its row, texts in the artifact store.

The store has each text of a project once, however many iterations share it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypedDict

from chalicelib import artifacts, clock, config, ids
from chalicelib.artifacts import Location
from chalicelib.errors import Conflict, NotFound, PayloadTooLarge, Unavailable
from chalicelib.retry import Retry
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.blobs.release import release_blob
from chalicelib.storage import blob as blobs
from chalicelib.storage import iteration as iterations
from chalicelib.storage import label as labels_of
from chalicelib.storage import snapshot as storage
from chalicelib.storage.blob import Blob
from chalicelib.storage.reads.lineage import IterationLineage
from chalicelib.storage.snapshot import Text, Texts
from deardiary.wire.shapes import Iteration, Snapshot

TEXTS = ("project_toml", "manifest_toml", "git_diff")
# An answer of Lambda has at most 6 MB; it holds the JSON as a string, with its quotes escaped once more.
MAX_ANSWER_BYTES = 5_000_000


class Environment(TypedDict, total=False):
    """The fields of an iteration that a snapshot may carry; those absent stay."""

    python_version: str
    julia_version: str
    git_sha: str
    git_dirty: bool
    entrypoint: str


def get_snapshot(actor: Actor, iteration_id: str, names: Iterable[str]) -> Snapshot:
    """Return the iteration with the named texts. PayloadTooLarge if one answer cannot hold them."""
    for _ in Retry():
        lineage = access.iteration(actor, iteration_id, Need.READ)
        stored = storage.read_texts(lineage.experiment.id, iteration_id)
        wanted = {name: stored.texts[name] for name in names if name in stored.texts}
        if not _fits(wanted):
            sizes = {name: text.wire_bytes for name, text in wanted.items()}
            raise PayloadTooLarge("These texts are too long for one answer; ask for one at a time with field=", **sizes)
        try:
            read = {name: _read(lineage, text) for name, text in wanted.items()}
        except NotFound:
            # Another request replaced a text between the two reads.
            continue
        break
    whole = labels_of.complete(lineage.iteration, apart=lineage.labels_apart)
    return _shape(iterations.without_hidden_parents([whole])[0], read)


def put_snapshot(actor: Actor, iteration_id: str, environment: Environment, texts: Mapping[str, str]) -> Snapshot:
    """Return the iteration with all its texts, or only with the given ones if one answer cannot hold all.

    An iteration that has ended without a snapshot may still get one, in several requests: each adds what is absent.
    """
    data = {name: text.encode() for name, text in texts.items()}
    for _ in Retry():
        lineage = access.iteration(actor, iteration_id, Need.UPDATE)
        try:
            answer = _answer(lineage, environment, texts, _store(lineage, environment, texts, data))
        except (Conflict, NotFound, Unavailable):
            # Another request changed the snapshot, or the owners of a text.
            continue
        break
    return answer


def release_texts(project_id: str, stored: Texts) -> bool:
    """Remove the bytes that the row no longer owns, unless others own them; True if that is done."""
    return all(release_blob(project_id, sha256).finished for sha256 in stored.leaving)


def _store(
    lineage: IterationLineage, environment: Environment, texts: Mapping[str, str], data: Mapping[str, bytes]
) -> Texts:
    project_id, iteration = lineage.project.id, lineage.iteration
    before = storage.read_texts(iteration.experiment_id, iteration.id)
    late = iterations.is_locked(iteration)
    if late:
        _require_absent(iteration, before, environment, data)
    else:
        iteration = replace(iteration, end_date=None)
    # A request that died may have left work.
    undone = () if release_texts(project_id, before) else before.leaving
    bytes_of = {_sha256(each): each for each in data.values()}
    before, joined = _store_missing(project_id, iteration, before, bytes_of)
    named = {name: _text(joined[_sha256(data[name])], text) for name, text in texts.items()}
    coming = {sha256: since_ms for sha256, since_ms in before.coming.items() if sha256 not in bytes_of}
    after = before._replace(texts={**before.texts, **named}, coming=coming, late=late)
    after = after._replace(leaving=tuple(sorted({*undone, *before.owned} - after.owned)))
    stored = storage.write_texts(project_id, iteration, before, after, joined, _given(environment))
    release_texts(project_id, stored)
    return stored


def _require_absent(iteration: Iteration, before: Texts, environment: Environment, data: Mapping[str, bytes]) -> None:
    """For a snapshot after the end: InvalidPayload if one was there at the end, or if a field would change."""
    had_one = bool(before.texts) or iterations.has_environment(iteration)
    texts = {name: before.texts[name].sha256 for name in data if name in before.texts}
    changes_text = any(_sha256(data[name]) != sha256 for name, sha256 in texts.items())
    known = {name: getattr(iteration, name) for name in environment}
    changes_field = any(known[name] and known[name] != value for name, value in environment.items())
    if (had_one and not before.late) or changes_text or changes_field:
        raise iterations.locked()


def _answer(lineage: IterationLineage, environment: Environment, texts: Mapping[str, str], stored: Texts) -> Snapshot:
    shown = stored.texts if _fits(stored.texts) else {name: stored.texts[name] for name in texts}
    read = {name: texts[name] if name in texts else _read(lineage, text) for name, text in shown.items()}
    whole = labels_of.complete(lineage.iteration, apart=lineage.labels_apart)
    seen = iterations.without_hidden_parents([replace(whole, **environment)])[0]
    return _shape(seen, read)


def _store_missing(
    project_id: str, iteration: Iteration, before: Texts, bytes_of: Mapping[str, bytes]
) -> tuple[Texts, dict[str, Blob]]:
    """Store the missing bytes; return the row and the blobs. The row announces the bytes first, to own them."""
    seen = {sha256: _blob(project_id, sha256, len(data)) for sha256, data in bytes_of.items()}
    missing = {sha256: blob for sha256, blob in seen.items() if not blob.ready}
    if not missing:
        return before, seen
    now = clock.to_milliseconds(clock.now())
    announcing = before._replace(coming={**before.coming, **dict.fromkeys(missing, now)})
    announced = storage.write_texts(project_id, iteration, before, announcing, missing, {})
    for sha256, blob in missing.items():
        data = bytes_of[sha256]
        artifacts.store(blob.backend).write(Location(project_id, sha256), len(data), [data])
        blobs.mark_ready(project_id, sha256, len(data), generation=blob.generation)
    return announced, {sha256: blob._replace(ready=True) for sha256, blob in seen.items()}


def _blob(project_id: str, sha256: str, size_bytes: int) -> Blob:
    """The blob; a new one has its generation already, for which the bytes will be marked ready."""
    found = blobs.find_blob(project_id, sha256)
    blob = found or Blob(sha256, size_bytes, config.settings().artifact_backend, ready=False)
    return blob if blob.generation else blob._replace(generation=ids.new_id())


def _text(blob: Blob, text: str) -> Text:
    return Text(blob.sha256, blob.backend, len(json.dumps(text, ensure_ascii=False).encode()))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(lineage: IterationLineage, text: Text) -> str:
    blocks = artifacts.store(text.backend).blocks(Location(lineage.project.id, text.sha256))
    return b"".join(blocks).decode()


def _fits(texts: Mapping[str, Text]) -> bool:
    """True if one answer can hold the texts; a single text always fits, as it came in one request."""
    return len(texts) <= 1 or sum(text.wire_bytes for text in texts.values()) <= MAX_ANSWER_BYTES


def _given(environment: Environment) -> dict[str, str | bool]:
    return {name: value for name, value in environment.items() if isinstance(value, (str, bool))}


def _shape(iteration: Iteration, texts: Mapping[str, str]) -> Snapshot:
    known: dict[str, Any] = {each.name: getattr(iteration, each.name) for each in fields(Iteration)}
    return Snapshot(**known | dict(texts))
