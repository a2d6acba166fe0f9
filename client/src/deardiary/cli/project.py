"""``deardiary projects``."""

import logging
from functools import partial

from deardiary.cli import deletion_extent, find
from deardiary.cli.command import Call, Subparsers, noun, verb
from deardiary.cli.kind import Kind
from deardiary.cli.session import words_of
from deardiary.wire.shapes import Member, Project

_log = logging.getLogger(__name__)

_KIND = Kind("project", "name or id", partial(find.project, sure=True), deletion_extent.of_project)
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
    _KIND.add_edit(verbs)
    _KIND.add_tag(verbs)
    _KIND.add_label(verbs)
    _KIND.add_rm(verbs, "delete a project and everything in it")


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
