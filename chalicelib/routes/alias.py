"""Aliases of models."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.routes.http.answer import Answer, deleted, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, check_alias
from chalicelib.services import alias as service
from deardiary.wire.shapes import ModelVersion

routes = Routes(__name__)


class NamedVersion(Body):
    """The number of the version that the alias names from now on."""

    version: Annotated[int, Meta(ge=1, le=999_999_999)]


@routes.get("/models/{model_id}/aliases/{alias}")
def get_alias(call: Call[None, None], model_id: str, alias: str) -> Answer[ModelVersion]:
    return ok(service.get_version_of_alias(call.actor, model_id, alias))


@routes.put("/models/{model_id}/aliases/{alias}", body=NamedVersion)
def put_alias(call: Call[NamedVersion, None], model_id: str, alias: str) -> Answer[ModelVersion]:
    check_alias(alias)
    return ok(service.put_alias(call.actor, model_id, alias, call.body.version))


@routes.delete("/models/{model_id}/aliases/{alias}")
def delete_alias(call: Call[None, None], model_id: str, alias: str) -> Answer[None]:
    service.delete_alias(call.actor, model_id, alias)
    return deleted()
