"""``deardiary experiments``."""

from functools import partial

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, Subparsers, changes_of, edit, noun, verb
from deardiary.cli.kind import Kind
from deardiary.wire.shapes import ExperimentStatus

COLUMNS = {"id": "id", "name": "name", "status": "status_id", "created": "created_date", "ended": "end_date"}
_WHICH = "PROJECT/EXPERIMENT, or an id"
_KIND = Kind("experiment", _WHICH, partial(find.experiment, sure=True), deletion_extent.of_experiment)


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "experiments", "questions asked of a project")
    parser = verb(verbs, "ls", "list the experiments of a project", ls)
    parser.add_argument("project", nargs="?", help="name or id (default: DEARDIARY_PROJECT)")
    verb(verbs, "show", "show an experiment", show, experiment=_WHICH)
    parser = verb(verbs, "create", "create an experiment", create, project="name or id")
    parser.add_argument("name", help="its name, unique in the project")
    parser.add_argument("--description", default="", help="its description (default: none)")
    parser = edit(verbs, "rename or describe an experiment, or set its status", change)
    parser.add_argument("--status", type=str.upper, choices=[each.name for each in ExperimentStatus], help="its status")
    parser.add_argument("experiment", help=_WHICH)
    _KIND.add_tag(verbs)
    _KIND.add_label(verbs)
    _KIND.add_rm(verbs, "delete an experiment and everything in it")


def ls(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    found = call.client.experiments.list(project.id)
    call.output.objects(found, COLUMNS, f"There are no experiments in {project.name}")


def show(call: Call) -> None:
    call.output.one(find.experiment(call.client, call.given.experiment))


def create(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    made = call.client.experiments.create(project.id, call.given.name, call.given.description)
    call.output.changed(made, lambda it: f"Created experiment {project.name}/{it.name} ({it.id})")


def change(call: Call) -> None:
    experiment = _KIND.named(call)
    status = None if call.given.status is None else ExperimentStatus[call.given.status]
    changes = changes_of(call)
    changed = call.client.experiments.update(
        experiment.id, name=changes["name"], description=changes["description"], status_id=status
    )
    call.output.changed(changed, lambda it: f"Changed experiment {it.name} ({it.id}), {it.status_id.name}")
