"""The same change to many iterations."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, LabelChanges, Tags
from chalicelib.services import bulk as service
from deardiary.wire import limits
from deardiary.wire.shapes import BulkOutcomes

routes = Routes(__name__)


class BulkChange(Body):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=limits.MAX_BULK_ITEMS)]
    add_tags: Tags = []
    remove_tags: Tags = []
    labels: LabelChanges = {}
    delete: bool = False
    restore: bool = False


@routes.post("/experiments/{experiment_id}/iterations/bulk", body=BulkChange)
def change_iterations(call: Call[BulkChange, None], experiment_id: str) -> Answer[BulkOutcomes]:
    body = call.body
    changes = service.Changes(body.add_tags, body.remove_tags, body.labels, body.delete, body.restore)
    return ok(service.change_iterations(call.actor, experiment_id, body.ids, changes))
