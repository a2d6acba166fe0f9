"""Resources: their records. The bytes go directly to the artifact store."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, structs

from chalicelib.errors import InvalidPayload
from chalicelib.limits import MAX_PARTS_PER_REQUEST
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import (
    Body,
    DeletionQuery,
    Id,
    IdKey,
    Name,
    PageQuery,
    Query,
    Text,
    Time,
    changes,
    past_date,
)
from chalicelib.routes.http.problem import rule
from chalicelib.services import resource as service
from chalicelib.services import upload as uploads
from chalicelib.services.lifecycle import deletion
from deardiary.wire import limits
from deardiary.wire.parts import CUTS
from deardiary.wire.shapes import Download, Resource, Upload

routes = Routes(__name__)

# The largest limit of any backend; the service checks the limit of the chosen one.
MAX_BYTES = max(cut.most for cut in CUTS.values())
# 256 KiB as base64.
MAX_DATA = 4 * (CUTS["inline"].most // 3 + 1)

Size = Annotated[int, Meta(ge=0, le=MAX_BYTES)]
Sha256 = Annotated[str, rule(r"^[0-9a-f]{64}(?![\s\S])", "64 digits from 0-9 and a-f")]
ContentType = Annotated[
    str,
    rule(
        r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?![\s\S])",
        "a type and a subtype, as in text/plain",
        max_length=127,
    ),
]


class NewResource(Body):
    name: Name
    size_bytes: Size
    content_hash: Sha256
    description: Text = ""
    iteration_id: Id | None = None
    content_type: ContentType = "application/octet-stream"
    id_key: IdKey | None = None
    created_date: Time | None = None

    data: Annotated[str, Meta(max_length=MAX_DATA)] | None = None

    # For `data`; `__post_init__` checks the shorter limit of the description.
    max_text_bytes = MAX_DATA

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.description.encode()) > limits.MAX_TEXT_BYTES:
            raise InvalidPayload(f"description has at most {limits.MAX_TEXT_BYTES} bytes in UTF-8", field="description")


class PartsDeclared(Body):
    """The SHA-256 of consecutive parts, beginning with `first_part`."""

    first_part: Annotated[int, Meta(ge=1, le=limits.MAX_PARTS)] = 1
    part_hashes: Annotated[list[Sha256], Meta(max_length=MAX_PARTS_PER_REQUEST)] = []


class AllParts(Body):
    """The SHA-256 of all parts in their order; empty if the bytes were uploaded in one request."""

    part_hashes: Annotated[list[Sha256], Meta(max_length=limits.MAX_PARTS)] = []


class ResourcePatch(Body):
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET


class ResourcesQuery(PageQuery):
    iteration_id: Id | None = None


class DownloadQuery(Query):
    redirect: bool = False


@routes.get("/experiments/{experiment_id}/resources", query=ResourcesQuery)
def list_resources(call: Call[None, ResourcesQuery], experiment_id: str) -> Answer[Page[Resource]]:
    query = call.query
    return listed(
        service.list_resources_of_experiment(call.actor, experiment_id, query.limit, query.cursor, query.iteration_id)
    )


@routes.post("/experiments/{experiment_id}/resources", body=NewResource)
def create_resource(call: Call[NewResource, None], experiment_id: str) -> Answer[Resource]:
    resource, new = service.create_resource(call.actor, experiment_id, **given_fields(call.body))
    return created(resource, new=new)


def given_fields(body: NewResource) -> dict[str, Any]:
    """The arguments of `create_resource`."""
    return structs.asdict(body) | {"created_date": past_date(body.created_date)}


@routes.get("/resources/{resource_id}")
def get_resource(call: Call[None, None], resource_id: str) -> Answer[Resource]:
    return ok(service.get_resource(call.actor, resource_id))


@routes.patch("/resources/{resource_id}", body=ResourcePatch)
def update_resource(call: Call[ResourcePatch, None], resource_id: str) -> Answer[Resource]:
    patch = service.ResourceChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_resource(call.actor, resource_id, patch))


@routes.delete("/resources/{resource_id}", query=DeletionQuery)
def delete_resource(call: Call[None, DeletionQuery], resource_id: str) -> Answer[None]:
    released = deletion.delete_resource(call.actor, resource_id, purge=call.query.purge)
    return deleted(finished=released.finished, freed_bytes=released.freed_bytes)


@routes.post("/resources/{resource_id}/upload", body=PartsDeclared)
def request_upload(call: Call[PartsDeclared, None], resource_id: str) -> Answer[Upload]:
    return ok(uploads.request_upload(call.actor, resource_id, call.body.first_part, call.body.part_hashes, call.site))


@routes.post("/resources/{resource_id}/complete", body=AllParts)
def complete_resource(call: Call[AllParts, None], resource_id: str) -> Answer[Resource]:
    return ok(uploads.complete_resource(call.actor, resource_id, call.body.part_hashes))


@routes.get("/resources/{resource_id}/download", query=DownloadQuery)
def request_download(call: Call[None, DownloadQuery], resource_id: str) -> Answer[Download]:
    download = service.request_download(call.actor, resource_id, call.site)
    if call.query.redirect:
        return Answer(302, download, {"Location": download.url})
    return ok(download)
