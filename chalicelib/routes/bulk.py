"""Many objects in one request: the same change to many iterations, and many uploads."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, LabelChanges, Tags
from chalicelib.routes.resource import NewResource, given_fields
from chalicelib.services import bulk as service
from deardiary.wire import limits
from deardiary.wire.shapes import BulkOutcomes, BulkUploads

routes = Routes(__name__)


class BulkChange(Body):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=limits.MAX_BULK_ITEMS)]
    add_tags: Tags = []
    remove_tags: Tags = []
    labels: LabelChanges = {}
    delete: bool = False
    restore: bool = False


class NewUploads(Body):
    resources: Annotated[list[NewResource], Meta(min_length=1, max_length=limits.MAX_BULK_UPLOAD_ITEMS)]


class SentUploads(Body):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=limits.MAX_BULK_UPLOAD_ITEMS)]


@routes.post("/experiments/{experiment_id}/iterations/bulk", body=BulkChange)
def change_iterations(call: Call[BulkChange, None], experiment_id: str) -> Answer[BulkOutcomes]:
    body = call.body
    changes = service.Changes(body.add_tags, body.remove_tags, body.labels, body.delete, body.restore)
    return ok(service.change_iterations(call.actor, experiment_id, body.ids, changes))


@routes.post("/experiments/{experiment_id}/resources/bulk", body=NewUploads)
def begin_uploads(call: Call[NewUploads, None], experiment_id: str) -> Answer[BulkUploads]:
    given = [given_fields(each) for each in call.body.resources]
    return ok(service.begin_uploads(call.actor, experiment_id, given, call.site))


@routes.post("/experiments/{experiment_id}/resources/complete", body=SentUploads)
def complete_uploads(call: Call[SentUploads, None], experiment_id: str) -> Answer[BulkUploads]:
    return ok(service.complete_uploads(call.actor, experiment_id, list(dict.fromkeys(call.body.ids))))
