"""``deardiary models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, changes_of, edit, noun, one_of, removal, verb
from deardiary.cli.failure import CommandFailed
from deardiary.cli.resource import bring, forcing
from deardiary.wire.shapes import Stage

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers

_VERSION = "PROJECT/MODEL/NUMBER, or the id of a version"
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
    parser.add_argument("--stage", type=one_of(Stage), choices=[each.name for each in Stage], help="only those in it")
    parser = verb(verbs, "promote", "move a version to a stage; PRODUCTION archives the one that was there", promote)
    parser.add_argument("version", metavar="VERSION", help=_VERSION)
    stages = [each.name for each in Stage]
    parser.add_argument("stage", type=one_of(Stage), choices=stages, help="the new stage, or its beginning, like prod")
    parser = verb(verbs, "download", "download the file of a version to a file, or into a directory", download)
    parser.add_argument("version", metavar="VERSION", help=f"{_VERSION}; PROJECT/MODEL alone is the one in PRODUCTION")
    parser.add_argument("target", nargs="?", default=".", metavar="TARGET", help="(default: the working directory)")
    forcing(parser)
    parser = edit(verbs, "rename or describe a model", change)
    parser.add_argument("model", metavar="MODEL", help="PROJECT/MODEL, or an id")
    parser = removal(verbs, "delete a model and its versions; their resources stay", rm)
    parser.add_argument("model", metavar="MODEL", help="PROJECT/MODEL, or an id")


def ls(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    call.output.objects(call.client.models.list(project.id), COLUMNS, f"There are no models in {project.name}")


def versions(call: Call) -> None:
    model = find.model(call.client, call.given.model)
    stage = None if call.given.stage is None else Stage[call.given.stage]
    found = call.client.modelversions.list(model.id, stage=stage)
    # The compound id is too wide for a terminal; PROJECT/MODEL/NUMBER names a version too.
    columns = (
        _VERSIONS if call.output.room() is None else {name: each for name, each in _VERSIONS.items() if each != "id"}
    )
    call.output.objects(found, columns, f"There are no such versions of {model.name}")


def promote(call: Call) -> None:
    version = find.version(call.client, call.given.version, sure=True)
    before, stage = version.stage_id, Stage[call.given.stage]
    moved = call.client.modelversions.update(version.id, stage_id=stage)
    call.output.changed(
        moved, lambda it: f"Version {it.version} of the model is {stage.name} now; it was {before.name} before"
    )


def download(call: Call) -> None:
    version = find.version(call.client, call.given.version)
    if version.resource_id is None:
        raise CommandFailed(f"Version {version.version} of this model has no file")
    resource = call.client.resources.get(version.resource_id)
    path = bring(call, resource)
    call.output.json({"version_id": version.id, "resource_id": resource.id, "path": str(path)})
    call.output.say(str(path))


def change(call: Call) -> None:
    model = find.model(call.client, call.given.model, sure=True)
    changed = call.client.models.update(model.id, **changes_of(call))
    call.output.changed(changed, lambda it: f"Changed model {it.name} ({it.id})")


def rm(call: Call) -> None:
    model = find.model(call.client, call.given.model, sure=True)
    call.sure(f"model {model.name} ({model.id})", lambda: deletion_extent.of_model(call.client, model.id))
    call.client.models.delete(model.id)
    call.output.deleted(model.id)
