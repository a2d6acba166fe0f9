"""``deardiary identities``."""

from deardiary.cli import find, session
from deardiary.cli.command import Call, Subparsers, noun, removal, verb

COLUMNS = {
    "id": "id",
    "pattern": "pattern",
    "project": "project_id",
    "read only": "read_only",
    "may delete": "delete_permission",
}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "identities", "AWS roles that sign in without a token; for who manages a project")
    parser = verb(verbs, "ls", "list the roles that your projects allow", ls)
    parser.add_argument("project", nargs="?", help="name or id (default: all that you manage)")
    parser = verb(verbs, "create", "allow a role in a project: to read, create and update", create)
    parser.add_argument("pattern", help="its ARN, like arn:aws:iam::123456789012:role/train-*")
    parser.add_argument("project", help="name or id")
    parser.add_argument("--read-only", action="store_true", help="to read only")
    parser.add_argument("--delete", action="store_true", help="to delete too")
    removal(verbs, "take the permissions of a role back at once", rm, identity="an id")


def ls(call: Call) -> None:
    project = call.given.project and find.project(call.client, call.given.project)
    found = call.client.identities.list(project.id if project else None)
    call.output.objects(found, COLUMNS, "No role may sign in")


def create(call: Call) -> None:
    given, project = call.given, find.project(call.client, call.given.project)
    made = session.with_session(
        call,
        lambda client: client.identities.create(
            given.pattern, project.id, read_only=given.read_only, delete_permission=given.delete
        ),
    )
    call.output.changed(made, lambda it: f"{it.pattern} may {session.words_of(it)} in {project.name} ({it.id})")


def rm(call: Call) -> None:
    call.sure(f"identity {call.given.identity}")
    session.delete_by_id(call, "identities", call.given.identity)
