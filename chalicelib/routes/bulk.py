"""Many objects in one request: the same change to many iterations, and many uploads."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.errors import PayloadTooLarge
from chalicelib.limits import MAX_BULK_UPLOAD_ITEMS
from chalicelib.routes.http.answer import MAX_ANSWER_BYTES, Answer, encode, ok, size_in_lambda
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, LabelChanges, Tags
from chalicelib.routes.resource import NewResource, given_fields
from chalicelib.services import bulk as service
from deardiary.wire import limits
from deardiary.wire.shapes import BulkFailure, BulkOutcomes, BulkUpload, BulkUploads

routes = Routes(__name__)

# The rest is for the failures of those that do not fit.
_MOST_BYTES = MAX_ANSWER_BYTES - 100_000
_TOO_LONG = BulkUpload(
    failure=BulkFailure(
        code=PayloadTooLarge.code, message="The answer has no room for this one: repeat the request with fewer"
    )
)


class BulkChange(Body):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=limits.MAX_BULK_ITEMS)]
    add_tags: Tags = []
    remove_tags: Tags = []
    labels: LabelChanges = {}
    delete: bool = False
    restore: bool = False


class NewUploads(Body):
    resources: Annotated[list[NewResource], Meta(min_length=1, max_length=MAX_BULK_UPLOAD_ITEMS)]


class SentUploads(Body):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=MAX_BULK_UPLOAD_ITEMS)]


@routes.post("/experiments/{experiment_id}/iterations/bulk", body=BulkChange)
def change_iterations(call: Call[BulkChange, None], experiment_id: str) -> Answer[BulkOutcomes]:
    body = call.body
    changes = service.Changes(body.add_tags, body.remove_tags, body.labels, body.delete, body.restore)
    return ok(service.change_iterations(call.actor, experiment_id, body.ids, changes))


@routes.post("/experiments/{experiment_id}/resources/bulk", body=NewUploads)
def begin_uploads(call: Call[NewUploads, None], experiment_id: str) -> Answer[BulkUploads]:
    given = [given_fields(each) for each in call.body.resources]
    return ok(_fitting(service.begin_uploads(call.actor, experiment_id, given, call.site)))


@routes.post("/experiments/{experiment_id}/resources/complete", body=SentUploads)
def complete_uploads(call: Call[SentUploads, None], experiment_id: str) -> Answer[BulkUploads]:
    return ok(_fitting(service.complete_uploads(call.actor, experiment_id, list(dict.fromkeys(call.body.ids)))))


def _fitting(uploads: BulkUploads) -> BulkUploads:
    """As many as one answer can hold. For the others, the caller repeats the request with fewer: that is harmless."""
    size, fitting = 0, []
    for each in uploads.data:
        own = size_in_lambda(encode(ok(each)))
        is_too_long = size + own > _MOST_BYTES
        size += 0 if is_too_long else own
        fitting.append(_TOO_LONG if is_too_long else each)
    return BulkUploads(data=tuple(fitting))
