"""Snapshots of iterations."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Query, changes
from chalicelib.routes.iteration import EntryPoint, Version
from chalicelib.services import snapshot as service
from deardiary.wire import limits
from deardiary.wire.shapes import Snapshot

routes = Routes(__name__)

LongText = Annotated[str, Meta(max_length=limits.MAX_SNAPSHOT_TEXT_BYTES, description="At most 4 MiB in UTF-8")]


class NewSnapshot(Body):
    # Lambda accepts 6 MB, headers and escapes included: clients send long texts in separate requests.
    max_bytes: ClassVar[int] = 5_500_000
    max_text_bytes: ClassVar[int] = limits.MAX_SNAPSHOT_TEXT_BYTES

    python_version: Version | UnsetType = UNSET
    julia_version: Version | UnsetType = UNSET
    git_sha: Version | UnsetType = UNSET
    git_dirty: bool | UnsetType = UNSET
    entrypoint: EntryPoint | UnsetType = UNSET
    project_toml: LongText | UnsetType = UNSET
    manifest_toml: LongText | UnsetType = UNSET
    git_diff: LongText | UnsetType = UNSET


class SnapshotQuery(Query):
    field: list[Literal["project_toml", "manifest_toml", "git_diff"]] = []


@routes.get("/iterations/{iteration_id}/snapshot", query=SnapshotQuery)
def get_snapshot(call: Call[None, SnapshotQuery], iteration_id: str) -> Answer[Snapshot]:
    return ok(service.get_snapshot(call.actor, iteration_id, call.query.field or service.TEXTS))


@routes.put("/iterations/{iteration_id}/snapshot", body=NewSnapshot)
def put_snapshot(call: Call[NewSnapshot, None], iteration_id: str) -> Answer[Snapshot]:
    given = changes(call.body)
    texts = {name: given.pop(name) for name in service.TEXTS if name in given}
    return ok(service.put_snapshot(call.actor, iteration_id, service.Environment(**given), texts))  # type: ignore[typeddict-item]
