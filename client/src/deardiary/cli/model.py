"""``deardiary models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.cli import find
from deardiary.cli.command import Call, noun, removal, verb
from deardiary.shapes import Stage

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers

COLUMNS = {"id": "id", "name": "name", "created": "created_date", "description": "description"}
_VERSIONS = {
    "version": "version",
    "id": "id",
    "stage": "stage_id",
    "iteration": "iteration_id",
    "resource": "resource_id",
    "created": "created_date",
}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "models", "the registry")
    parser = verb(verbs, "ls", "list the models of a project", ls)
    parser.add_argument("project", nargs="?", metavar="PROJECT", help="name or id (default: DEARDIARY_PROJECT)")
    parser = verb(verbs, "versions", "list the versions of a model", versions)
    parser.add_argument("model", metavar="MODEL", help="PROJECT/MODEL, or an id")
    parser.add_argument("--stage", type=str.upper, choices=[each.name for each in Stage])
    parser = verb(verbs, "promote", "move a version to a stage; PRODUCTION archives the one that was there", promote)
    parser.add_argument("version", metavar="VERSION", help="the id of a version")
    parser.add_argument("stage", type=str.upper, choices=[each.name for each in Stage])
    parser = removal(verbs, "delete a model and its versions; their resources stay", rm)
    parser.add_argument("model", metavar="MODEL", help="PROJECT/MODEL, or an id")


def ls(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    call.output.objects(call.client.models.list(project.id), COLUMNS, f"There are no models in {project.name}")


def versions(call: Call) -> None:
    model = find.model(call.client, call.given.model)
    stage = None if call.given.stage is None else Stage[call.given.stage]
    found = call.client.modelversions.list(model.id, stage=stage)
    call.output.objects(found, _VERSIONS, f"There are no such versions of {model.name}")


def promote(call: Call) -> None:
    call.output.one(call.client.modelversions.update(call.given.version, stage_id=Stage[call.given.stage]))


def rm(call: Call) -> None:
    model = find.model(call.client, call.given.model, sure=True)
    call.sure(f"model {model.name} ({model.id}) and its versions")
    call.client.models.delete(model.id)
    call.output.deleted(model.id)
