"""``deardiary models``."""

from functools import partial

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, Subparsers, noun, one_of, verb
from deardiary.cli.failure import CommandFailed
from deardiary.cli.kind import Kind
from deardiary.cli.resource import fetch, forcing
from deardiary.entities import reference
from deardiary.errors import NotFound
from deardiary.wire.shapes import Model, Stage

_MODEL = "PROJECT/MODEL, or an id"
_VERSION = "PROJECT/MODEL/NUMBER, PROJECT/MODEL@ALIAS, or the id of a version"
_KIND = Kind("model", _MODEL, partial(find.model, sure=True), deletion_extent.of_model)
COLUMNS = {"id": "id", "name": "name", "created": "created_date", "description": "description"}
_VERSIONS = {
    "version": "version",
    "id": "id",
    "stage": "stage_id",
    "aliases": "aliases",
    "iteration": "iteration_id",
    "resource": "resource_id",
    "created": "created_date",
}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "models", "the registry")
    parser = verb(verbs, "ls", "list the models of a project", ls)
    parser.add_argument("project", nargs="?", help="name or id (default: DEARDIARY_PROJECT)")
    parser = verb(verbs, "versions", "list the versions of a model", versions, model=_MODEL)
    parser.add_argument("--stage", type=one_of(Stage), choices=[each.name for each in Stage], help="only those in it")
    parser = verb(verbs, "promote", "move a version to a stage; PRODUCTION archives the one that was there", promote)
    parser.add_argument("version", help=_VERSION)
    stages = [each.name for each in Stage]
    parser.add_argument("stage", type=one_of(Stage), choices=stages, help="the new stage, or its beginning, like prod")
    parser = verb(verbs, "alias", "let an alias name a version, and no other version any more", alias)
    parser.add_argument("--delete", action="store_true", help="delete the alias; PROJECT/MODEL is enough then")
    parser.add_argument("version", help=_VERSION)
    parser.add_argument("alias", help="such as champion")
    parser = verb(verbs, "download", "download the file of a version to a file, or into a directory", download)
    parser.add_argument("version", help=f"{_VERSION}; PROJECT/MODEL alone is the one in PRODUCTION")
    parser.add_argument("target", nargs="?", default=".", help="(default: the working directory)")
    forcing(parser)
    _KIND.add_edit(verbs)
    _KIND.add_label(verbs)
    _KIND.add_rm(verbs, "delete a model and its versions; their resources stay")


def ls(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    call.output.objects(call.client.models.list(project.id), COLUMNS, f"There are no models in {project.name}")


def versions(call: Call) -> None:
    model = find.model(call.client, call.given.model)
    stage = None if call.given.stage is None else Stage[call.given.stage]
    found = call.client.modelversions.list(model.id, stage=stage)
    call.output.objects(found, _columns(call, model), f"There are no such versions of {model.name}")


def _columns(call: Call, model: Model) -> dict[str, str]:
    """The columns of a table of versions: those that fit a terminal, and aliases if the model has any."""
    # The compound id is too wide for a terminal; PROJECT/MODEL/NUMBER names a version too.
    without = {*([] if call.output.room() is None else ["id"]), *([] if model.aliases else ["aliases"])}
    return {name: field for name, field in _VERSIONS.items() if name not in without}


def promote(call: Call) -> None:
    version = find.version(call.client, call.given.version, sure=True)
    before, stage = version.stage_id, Stage[call.given.stage]
    moved = call.client.modelversions.update(version.id, stage_id=stage)
    call.output.changed(
        moved, lambda it: f"Version {it.version} of the model is {stage.name} now; it was {before.name} before"
    )


def alias(call: Call) -> None:
    if call.given.delete:
        _delete_alias(call, call.given.alias)
        return
    version = find.version(call.client, call.given.version, sure=True)
    named = call.client.models.set_alias(version.model_id, call.given.alias, version.version)
    call.output.changed(named, lambda it: f"{call.given.alias} is version {it.version} of the model now")


def _delete_alias(call: Call, name: str) -> None:
    named = reference.parse(call.given.version)
    model = find.model(call.client, named.model if named else call.given.version)
    try:
        call.client.models.delete_alias(model.id, name)
    except NotFound as error:
        raise CommandFailed(f"The model {model.name} has no alias {name!r}") from error
    call.output.json({"deleted": [name]})
    call.output.say(f"Deleted the alias {name} of {model.name}")


def download(call: Call) -> None:
    version = find.version(call.client, call.given.version)
    if version.resource_id is None:
        raise CommandFailed(f"Version {version.version} of this model has no file")
    resource = call.client.resources.get(version.resource_id)
    path = fetch(call, resource)
    call.output.json({"version_id": version.id, "resource_id": resource.id, "path": str(path)})
    call.output.say(str(path))
