"""Inputs: what an iteration has read, and which iterations have read a resource or a model version.

An input is found by its content, as the request sends it: the same request again answers the same input.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib import ids
from chalicelib.errors import Conflict, InvalidPayload, NotFound
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import input as storage
from chalicelib.storage import iteration as iterations
from chalicelib.storage import modelversion as versions
from chalicelib.storage.reads import lineage
from deardiary.wire.shapes import Input, Iteration, Model, Resource


def create_input(
    actor: Actor,
    iteration_id: str,
    *,
    kind: str,
    name: str,
    digest: str,
    source: str,
    source_type: str,
    context: str,
    resource_id: str | None,
    modelversion_id: str | None,
    description: str,
    labels: Mapping[str, str],
    even_ended: bool = False,
) -> tuple[Input, bool]:
    """The input and whether it is new. A resource or version gives the name and digest that the request leaves out.

    InvalidPayload without a name, and for a resource or version that is not in the iteration's project. NotFound for
    one in the trash: the writer sends the input again after a restoration. `even_ended`: also after the end of the
    iteration.
    """
    _check_kind(kind, resource_id, modelversion_id)
    line = access.iteration(actor, iteration_id, Need.CREATE)
    content_hash = ids.hash_texts(kind, name, digest, context, resource_id or "", modelversion_id or "")
    there = storage.find_input(line.iteration, content_hash)
    if there is not None:
        return there, False
    try:
        read, known_name, known_digest = _find_read(actor, line.project.id, resource_id, modelversion_id)
    except InvalidPayload:
        _refuse_deleted(actor, resource_id, modelversion_id)
        raise
    new = Input(
        id=storage.new_input_id(iteration_id, content_hash),
        iteration_id=iteration_id,
        kind=kind,
        name=name or known_name,
        digest=digest or known_digest,
        source=source,
        source_type=source_type,
        context=context,
        resource_id=resource_id,
        modelversion_id=modelversion_id,
        description=description,
        labels=dict(labels),
    )
    if not new.name:
        raise InvalidPayload("An input has a name, or names a resource or a model version", field="name")
    return _store(actor, line.iteration, new, read, even_ended=even_ended)


def list_inputs(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[Input]:
    return storage.list_inputs(access.iteration(actor, iteration_id, Need.READ).iteration, limit, cursor)


def delete_input(actor: Actor, iteration_id: str, input_id: str) -> None:
    iteration = access.iteration(actor, iteration_id, Need.DELETE).iteration
    found = storage.find_input(iteration, ids.split_id(input_id)[-1])
    if found is None or found.id != input_id:
        raise NotFound
    storage.delete_input(iteration, found)


def list_uses_of_resource(actor: Actor, resource_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    line = access.resource(actor, resource_id, Need.READ)
    return _shown(storage.list_uses_of_resource(line.project.id, resource_id, limit, cursor))


def list_uses_of_version(actor: Actor, version_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    line = access.model(actor, ids.split_id(version_id)[0], Need.READ)
    versions.get_version(line.model, line.registry, version_id)
    return _shown(storage.list_uses_of_version(line.project.id, version_id, limit, cursor))


def _shown(page: Page[Iteration]) -> Page[Iteration]:
    return Page(iterations.without_hidden_parents(page.data), page.next_cursor)


def _check_kind(kind: str, resource_id: str | None, modelversion_id: str | None) -> None:
    if kind == "resource" and resource_id is None:
        raise InvalidPayload("An input of the kind resource names the resource", field="resource_id")
    if modelversion_id is not None and (kind != "model" or resource_id is not None):
        problem = "names a resource or a model version, not both" if kind == "model" else f"of the kind {kind} has none"
        raise InvalidPayload(f"An input {problem}", field="modelversion_id")


def _find_read(
    actor: Actor, project_id: str, resource_id: str | None, modelversion_id: str | None
) -> tuple[Resource | Model | None, str, str]:
    """The resource, or the model of the version, with the name and the digest of what was read."""
    if resource_id is not None:
        above = lineage.find_resource_lineage(resource_id, actor.user.id)
        if above is None or above.project.id != project_id:
            raise storage.no_such_resource()
        return above.resource, above.resource.name, above.resource.content_hash
    if modelversion_id is not None:
        model, number = _find_version(actor, project_id, modelversion_id)
        return model, f"{model.name}/{number}", ""
    return None, "", ""


def _find_version(actor: Actor, project_id: str, version_id: str) -> tuple[Model, int]:
    """The version's model, and its number."""
    above = lineage.find_model_lineage(ids.split_id(version_id)[0], actor.user.id)
    if above is None or above.project.id != project_id:
        raise storage.no_such_version()
    try:
        return above.model, versions.get_version(above.model, above.registry, version_id).version
    except NotFound:
        raise storage.no_such_version() from None


def _refuse_deleted(actor: Actor, resource_id: str | None, modelversion_id: str | None) -> None:
    """NotFound if the resource, or the model of the version, is in the trash."""
    if resource_id is not None:
        access.refuse_deleted(actor, "resource", resource_id)
    elif modelversion_id is not None:
        access.refuse_deleted(actor, "model", ids.split_id(modelversion_id)[0])


def _store(
    actor: Actor, iteration: Iteration, new: Input, read: Resource | Model | None, *, even_ended: bool
) -> tuple[Input, bool]:
    """Store the input; return it, or the same one that another request has just created."""
    try:
        storage.create_input(iteration, new, read, even_ended=even_ended)
    except Conflict:
        there = storage.find_input(iteration, ids.split_id(new.id)[-1])
        if there is None:
            raise
        return there, False
    except InvalidPayload:
        _refuse_deleted(actor, new.resource_id, new.modelversion_id)  # It may just have been deleted.
        raise
    return new, True
