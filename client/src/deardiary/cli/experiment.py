"""``deardiary experiments``."""

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, Subparsers, changes_of, edit, noun, tagging, trashing, verb
from deardiary.cli.label import label_changes, labelling, show_labels
from deardiary.cli.tag import change_tags
from deardiary.wire.shapes import ExperimentStatus

COLUMNS = {"id": "id", "name": "name", "status": "status_id", "created": "created_date", "ended": "end_date"}
_WHICH = "PROJECT/EXPERIMENT, or an id"


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "experiments", "questions asked of a project")
    parser = verb(verbs, "ls", "list the experiments of a project", ls)
    parser.add_argument("project", nargs="?", help="name or id (default: DEARDIARY_PROJECT)")
    verb(verbs, "show", "show an experiment", show).add_argument("experiment", help=_WHICH)
    parser = verb(verbs, "create", "create an experiment", create)
    parser.add_argument("project", help="name or id")
    parser.add_argument("name", help="its name, unique in the project")
    parser.add_argument("--description", default="", help="its description (default: none)")
    parser = edit(verbs, "rename or describe an experiment, or set its status", change)
    parser.add_argument("--status", type=str.upper, choices=[each.name for each in ExperimentStatus], help="its status")
    parser.add_argument("experiment", help=_WHICH)
    parser = tagging(verbs, "tag an experiment", tag)
    parser.add_argument("experiment", help=_WHICH)
    parser.add_argument("tags", nargs="+", help="a word or a phrase")
    labelling(verbs, "set labels of an experiment", label, "experiment", _WHICH)
    parser = trashing(verbs, "delete an experiment and everything in it", rm)
    parser.add_argument("experiment", help=_WHICH)


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
    experiment = find.experiment(call.client, call.given.experiment, sure=True)
    status = None if call.given.status is None else ExperimentStatus[call.given.status]
    changes = changes_of(call)
    changed = call.client.experiments.update(
        experiment.id, name=changes["name"], description=changes["description"], status_id=status
    )
    call.output.changed(changed, lambda it: f"Changed experiment {it.name} ({it.id}), {it.status_id.name}")


def tag(call: Call) -> None:
    change_tags(call, "experiment", find.experiment(call.client, call.given.experiment, sure=True).id)


def label(call: Call) -> None:
    experiment = find.experiment(call.client, call.given.experiment, sure=True)
    show_labels(call, call.client.experiments.update(experiment.id, labels=label_changes(call, experiment)))


def rm(call: Call) -> None:
    experiment = find.experiment(call.client, call.given.experiment, sure=True)
    call.sure(
        f"experiment {experiment.name} ({experiment.id})",
        lambda: deletion_extent.of_experiment(call.client, experiment.id),
    )
    call.client.experiments.delete(experiment.id, purge=call.given.purge)
    call.deleted(experiment.id)
