"""Alert rules of projects and experiments."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, structs

from chalicelib import limits
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Name
from chalicelib.services import alertrule as service
from deardiary.wire.shapes import AlertRule, AlertRules

routes = Routes(__name__)


class NewRule(Body):
    name: Name
    condition: Name
    level: Literal["info", "warning", "error"] = "warning"


class NewRules(Body):
    """All rules; they take the place of the earlier ones."""

    rules: Annotated[list[NewRule], Meta(max_length=limits.MAX_RULE_ITEMS)]


@routes.get("/projects/{project_id}/alert-rules")
def get_rules_of_project(call: Call[None, None], project_id: str) -> Answer[AlertRules]:
    return ok(service.get_rules_of_project(call.actor, project_id))


@routes.put("/projects/{project_id}/alert-rules", body=NewRules)
def put_rules_of_project(call: Call[NewRules, None], project_id: str) -> Answer[AlertRules]:
    return ok(service.put_rules_of_project(call.actor, project_id, _rules(call.body)))


@routes.get("/experiments/{experiment_id}/alert-rules")
def get_rules_of_experiment(call: Call[None, None], experiment_id: str) -> Answer[AlertRules]:
    return ok(service.get_rules_of_experiment(call.actor, experiment_id))


@routes.put("/experiments/{experiment_id}/alert-rules", body=NewRules)
def put_rules_of_experiment(call: Call[NewRules, None], experiment_id: str) -> Answer[AlertRules]:
    return ok(service.put_rules_of_experiment(call.actor, experiment_id, _rules(call.body)))


def _rules(body: NewRules) -> list[AlertRule]:
    return [AlertRule(**structs.asdict(each)) for each in body.rules]
