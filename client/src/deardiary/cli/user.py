"""``deardiary users``."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from deardiary.cli import find, session
from deardiary.cli.command import Call, noun, removal, verb
from deardiary.cli.failure import USAGE, CommandFailed

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers

COLUMNS = {
    "id": "id",
    "username": "username",
    "first name": "first_name",
    "last name": "last_name",
    "admin": "is_admin",
    "created": "created_date",
}
_RIGHTS = ("create", "read", "update", "delete")


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "users", "who may sign in, and what they may do")
    verb(verbs, "ls", "list all users", ls)
    verb(verbs, "show", "show a user, and the permissions", show).add_argument("user", metavar="USER")
    parser = verb(verbs, "create", "make a user; for admins", create)
    parser.add_argument("username")
    parser.add_argument("--first-name", default="")
    parser.add_argument("--last-name", default="")
    parser.add_argument("--admin", action="store_true")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from stdin, do not ask")
    parser = verb(verbs, "grant", "give a user these permissions on a project, and no others", grant)
    parser.add_argument("user", metavar="USER")
    parser.add_argument("project", metavar="PROJECT")
    for right in (*_RIGHTS, "all"):
        parser.add_argument(f"--{right}", action="store_true")
    removal(verbs, "delete a user; for admins", rm).add_argument("user", metavar="USER")


def ls(call: Call) -> None:
    call.output.objects(call.client.users.list(), COLUMNS, "There are no users")


def show(call: Call) -> None:
    user = find.user(call.client, call.given.user)
    call.output.one(user)
    if call.output.as_json:
        return
    rows = [
        [each.project_id, *(getattr(each, f"{right}_permission") for right in _RIGHTS)]
        for each in call.client.permissions.list_of_user(user.id)
    ]
    call.output.say("")
    call.output.table(["project", *_RIGHTS], rows, "No permissions on any project")


def create(call: Call) -> None:
    given = call.given
    password = _password(given.username, from_stdin=given.password_stdin)
    user = session.with_session(
        call,
        lambda client: client.users.create(
            given.username,
            password,
            first_name=given.first_name,
            last_name=given.last_name,
            is_admin=given.admin,
        ),
    )
    call.output.one(user)


def grant(call: Call) -> None:
    user = find.user(call.client, call.given.user)
    project = find.project(call.client, call.given.project)
    rights = {f"{right}_permission": call.given.all or getattr(call.given, right) for right in _RIGHTS}
    put = session.with_session(call, lambda client: client.permissions.put(project.id, user.id, **rights))
    call.output.one(put)


def rm(call: Call) -> None:
    user = find.user(call.client, call.given.user)
    call.sure(f"user {user.username} ({user.id})")
    session.with_session(call, lambda client: client.users.delete(user.id))
    call.output.deleted(user.id)


def _password(username: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandFailed("There is nobody to ask for a password: say --password-stdin", USAGE)
    password = getpass.getpass(f"Password of {username}: ")
    if getpass.getpass("Again: ") != password:
        raise CommandFailed("These were two different passwords")
    return password
