"""``deardiary projects``."""

import logging

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, Subparsers, changes_of, edit, noun, tagging, trashing, verb
from deardiary.cli.label import label_changes, labelling, show_labels
from deardiary.cli.session import words_of
from deardiary.cli.tag import change_tags
from deardiary.wire.shapes import Member, Project

_log = logging.getLogger(__name__)

COLUMNS = {"id": "id", "name": "name", "created": "created_date", "description": "description"}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "projects", "the roots of all work")
    verb(verbs, "ls", "list the projects that you may read", ls)
    for name, about, handler in (("show", "show a project", show), ("create", "create a project", create)):
        parser = verb(verbs, name, about, handler)
        which = ("PROJECT", "name or id") if name == "show" else ("NAME", "its name")
        parser.add_argument("project", metavar=which[0], help=which[1])
        if name == "create":
            parser.add_argument("--description", default="", help="its description (default: none)")
    parser = verb(verbs, "members", "list the members of a project, with their permissions", members)
    parser.add_argument("project", help="name or id")
    edit(verbs, "rename or describe a project", change).add_argument("project", help="name or id")
    parser = tagging(verbs, "tag a project", tag)
    parser.add_argument("project", help="name or id")
    parser.add_argument("tags", nargs="+", help="a word or a phrase")
    labelling(verbs, "set labels of a project", label, "project", "name or id")
    parser = trashing(verbs, "delete a project and everything in it", rm)
    parser.add_argument("project", help="name or id")


def ls(call: Call) -> None:
    call.output.objects(call.client.projects.list(), COLUMNS, "There are no projects that you may read")


def show(call: Call) -> None:
    call.output.one(find.project(call.client, call.given.project))


def create(call: Call) -> None:
    made = call.client.projects.create(call.given.project, call.given.description)
    call.output.changed(made, lambda it: f"Created project {it.name} ({it.id})")
    if made is not None:
        _warn_of_others(call, made)


def _warn_of_others(call: Call, made: Project) -> None:
    """Warn if another project has this name: `start` uses the oldest."""
    others = [each.id for each in call.client.projects.list(name=made.name) if each.id != made.id]
    if others:
        _log.warning("Another project is named %r too: %s. `deardiary.start` uses the oldest", made.name, others[0])


def members(call: Call) -> None:
    project = find.project(call.client, call.given.project)
    found = list(call.client.permissions.list(project.id))
    call.output.json(found)
    rows = [[each.username or each.user_id, _name(each), words_of(each)] for each in found]
    call.output.table(["username", "name", "may"], rows, f"No user has permissions on {project.name}")
    call.output.note("Admins may do everything in every project.")


def _name(member: Member) -> str:
    return f"{member.first_name} {member.last_name}".strip()


def change(call: Call) -> None:
    project = find.project(call.client, call.given.project, sure=True)
    changed = call.client.projects.update(project.id, **changes_of(call))
    call.output.changed(changed, lambda it: f"Changed project {it.name} ({it.id})")


def tag(call: Call) -> None:
    change_tags(call, "project", find.project(call.client, call.given.project, sure=True).id)


def label(call: Call) -> None:
    project = find.project(call.client, call.given.project, sure=True)
    show_labels(call, call.client.projects.update(project.id, labels=label_changes(call, project)))


def rm(call: Call) -> None:
    project = find.project(call.client, call.given.project, sure=True)
    call.sure(f"project {project.name} ({project.id})", lambda: deletion_extent.of_project(call.client, project.id))
    call.client.projects.delete(project.id, purge=call.given.purge)
    call.deleted(project.id)
