"""``deardiary users``."""

import argparse
import getpass
import sys

from deardiary.cli import find, session
from deardiary.cli.command import Call, Subparsers, noun, removal, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.client import connect
from deardiary.errors import ClientError
from deardiary.wire.shapes import Project, User, UserName, UserPermission

COLUMNS = {
    "id": "id",
    "username": "username",
    "first name": "first_name",
    "last name": "last_name",
    "admin": "is_admin",
    "created": "created_date",
}

_USER = "username or id"
_RIGHTS = {
    "create": "create experiments, iterations and what they own",
    "read": "read everything in the project",
    "update": "change what is there",
    "delete": "delete what is there",
    "all": "all four, which also lets the user manage permissions",
}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "users", "who may sign in, and what they may do")
    verb(verbs, "ls", "list all users; for admins", ls)
    verb(verbs, "show", "show a user, and the permissions", show, user=_USER)
    parser = verb(verbs, "create", "create a user; for admins", create, username="1 to 64 letters, digits and . _ - @")
    parser.add_argument("--first-name", default="", help="the first name (default: none)")
    parser.add_argument("--last-name", default="", help="the last name (default: none)")
    parser.add_argument("--admin", action="store_true", help="make the user an admin, who may do everything")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from stdin, do not ask")
    parser = verb(verbs, "passwd", "set your password, or as an admin a user's", password)
    parser.add_argument("user", nargs="?", help="the user (default: you)")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from stdin, after your present one",
    )
    parser = verb(verbs, "grant", "give a user these permissions on a project, and no others", grant, user=_USER)
    parser.add_argument("project", help="name or id")
    for right in (*session.RIGHTS, "all"):
        parser.add_argument(f"--{right}", action="store_true", help=_RIGHTS[right])
    parser = verb(verbs, "permit", "change these permissions of a user on a project, and leave the others", permit)
    parser.add_argument("user", help=_USER)
    parser.add_argument("project", help="name or id")
    for right in session.RIGHTS:
        action = argparse.BooleanOptionalAction
        parser.add_argument(f"--{right}", action=action, help=f"may {_RIGHTS[right]}, or may not")
    parser = removal(verbs, "delete a user: yourself, or as an admin another one", rm)
    parser.add_argument("user", nargs="?", help=_USER)
    parser.add_argument("--me", action="store_true", help="delete yourself; your projects stay")


def ls(call: Call) -> None:
    try:
        found = list(call.client.users.list())
    except ClientError as error:
        if error.code != "ADMIN_REQUIRED":
            raise
        message = f"{error.message}; `deardiary projects members PROJECT` lists the users of a project"
        raise CommandFailed(message) from error
    call.output.objects(found, COLUMNS, "There are no users")


def show(call: Call) -> None:
    user = call.client.users.get(find.user(call.client, call.given.user).id)
    call.output.one(user)
    if call.output.as_json:
        return
    names = {each.id: each.name for each in call.client.projects.list()}
    held = call.client.permissions.list_of_user(user.id)
    rows = [[names.get(each.project_id, each.project_id), *session.rights_of(each)] for each in held]
    call.output.say("")
    call.output.table(["project", *session.RIGHTS], rows, "No permissions on any project")


def create(call: Call) -> None:
    given = call.given
    chosen = _password(given.username, from_stdin=given.password_stdin)
    user = session.with_session(
        call,
        lambda client: client.users.create(
            given.username,
            chosen,
            first_name=given.first_name,
            last_name=given.last_name,
            is_admin=given.admin,
        ),
    )
    call.output.one(user)


def password(call: Call) -> None:
    """Ask for the present password once, and sign in with it if the login is an API token."""
    me, given = call.client.whoami(), call.given
    if given.user in (None, me.id, me.username):
        current = _asked(f"Present password of {me.username}", from_stdin=given.password_stdin)
        new = _password(me.username, from_stdin=given.password_stdin, what="New password")
        user = _set_own_password(call, me, current, new)
    elif not me.is_admin:
        raise CommandFailed("Only an admin may set the password of another user")
    else:
        other = find.user(call.client, given.user)
        new = _password(other.username, from_stdin=given.password_stdin, what="New password")
        user = session.with_session(call, lambda client: client.users.update(other.id, password=new))
    call.output.json(user)
    call.output.say(f"{user.username} has a new password; every session and API token of {user.username} has ended")


def _set_own_password(call: Call, me: User, current: str, new: str) -> User:
    try:
        return call.client.users.update(me.id, password=new, current_password=current)
    except ClientError as error:
        if error.code != "SAME_USER_REQUIRED":
            raise
    with connect(call.client.url, username=me.username, password=current) as client:
        return client.users.update(me.id, password=new, current_password=current)


def grant(call: Call) -> None:
    user = find.user(call.client, call.given.user)
    project = find.project(call.client, call.given.project)
    rights = {f"{right}_permission": call.given.all or getattr(call.given, right) for right in session.RIGHTS}
    put = session.with_session(call, lambda client: client.permissions.put(project.id, user.id, **rights))
    _show_rights(call, put, user, project)


def permit(call: Call) -> None:
    rights = {f"{right}_permission": getattr(call.given, right) for right in session.RIGHTS}
    if set(rights.values()) == {None}:
        raise CommandFailed("Say what to change, such as --update or --no-delete", USAGE)
    user = find.user(call.client, call.given.user)
    project = find.project(call.client, call.given.project)
    changed = session.with_session(call, lambda client: client.permissions.update(project.id, user.id, **rights))
    _show_rights(call, changed, user, project)


def _show_rights(call: Call, rights: UserPermission, user: UserName, project: Project) -> None:
    call.output.changed(rights, lambda it: f"Permissions of {user.username} on {project.name}: {session.words_of(it)}")


def rm(call: Call) -> None:
    if call.given.me == (call.given.user is not None):
        raise CommandFailed("Say which user to delete: USER, or --me for yourself", USAGE)
    user = call.client.whoami() if call.given.me else find.user(call.client, call.given.user)
    call.sure(f"user {user.username} ({user.id})")
    session.with_session(call, lambda client: client.users.delete(user.id))
    call.output.deleted(user.id)


def _password(username: str, *, from_stdin: bool, what: str = "Password") -> str:
    chosen = _asked(f"{what} of {username}", from_stdin=from_stdin)
    if not from_stdin and getpass.getpass("Again: ") != chosen:
        raise CommandFailed("These were two different passwords")
    return chosen


def _asked(what: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandFailed("There is nobody to ask for a password: say --password-stdin", USAGE)
    return getpass.getpass(f"{what}: ")
