"""Tags on projects, experiments and iterations."""

from __future__ import annotations

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, PageQuery, TagValue
from chalicelib.services import tag as service
from chalicelib.services.tag import Level
from deardiary.wire.shapes import Tag

routes = Routes(__name__)


class NewTag(Body):
    value: TagValue


@routes.get("/projects/{project_id}/tags", query=PageQuery)
def list_tags_of_project(call: Call[None, PageQuery], project_id: str) -> Answer[Page[Tag]]:
    return _list(call, Level.PROJECT, project_id)


@routes.post("/projects/{project_id}/tags", body=NewTag)
def tag_project(call: Call[NewTag, None], project_id: str) -> Answer[Tag]:
    return _add(call, Level.PROJECT, project_id)


@routes.delete("/projects/{project_id}/tags/{tag_id}")
def untag_project(call: Call[None, None], project_id: str, tag_id: str) -> Answer[None]:
    return _remove(call, Level.PROJECT, project_id, tag_id)


@routes.get("/experiments/{experiment_id}/tags", query=PageQuery)
def list_tags_of_experiment(call: Call[None, PageQuery], experiment_id: str) -> Answer[Page[Tag]]:
    return _list(call, Level.EXPERIMENT, experiment_id)


@routes.post("/experiments/{experiment_id}/tags", body=NewTag)
def tag_experiment(call: Call[NewTag, None], experiment_id: str) -> Answer[Tag]:
    return _add(call, Level.EXPERIMENT, experiment_id)


@routes.delete("/experiments/{experiment_id}/tags/{tag_id}")
def untag_experiment(call: Call[None, None], experiment_id: str, tag_id: str) -> Answer[None]:
    return _remove(call, Level.EXPERIMENT, experiment_id, tag_id)


@routes.get("/iterations/{iteration_id}/tags", query=PageQuery)
def list_tags_of_iteration(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[Tag]]:
    return _list(call, Level.ITERATION, iteration_id)


@routes.post("/iterations/{iteration_id}/tags", body=NewTag)
def tag_iteration(call: Call[NewTag, None], iteration_id: str) -> Answer[Tag]:
    return _add(call, Level.ITERATION, iteration_id)


@routes.delete("/iterations/{iteration_id}/tags/{tag_id}")
def untag_iteration(call: Call[None, None], iteration_id: str, tag_id: str) -> Answer[None]:
    return _remove(call, Level.ITERATION, iteration_id, tag_id)


def _list(call: Call[None, PageQuery], level: Level, owner_id: str) -> Answer[Page[Tag]]:
    return listed(service.list_tags(call.actor, level, owner_id, call.query.limit, call.query.cursor))


def _add(call: Call[NewTag, None], level: Level, owner_id: str) -> Answer[Tag]:
    tag, new = service.add_tag(call.actor, level, owner_id, call.body.value)
    return created(tag, new=new)


def _remove(call: Call[None, None], level: Level, owner_id: str, tag_id: str) -> Answer[None]:
    service.remove_tag(call.actor, level, owner_id, tag_id)
    return deleted()
