"""``deardiary tokens``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from deardiary.cli import find, session
from deardiary.cli.command import Call, noun, removal, verb
from deardiary.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deardiary.cli.command import Subparsers
    from deardiary.client import Client

T = TypeVar("T")

COLUMNS = {
    "id": "id",
    "name": "name",
    "created": "created_date",
    "expires": "expires_at",
    "project": "project_id",
    "read only": "read_only",
}


def add(commands: Subparsers) -> None:
    verbs = noun(commands, "tokens", "API tokens of yours; managing them takes your password")
    verb(verbs, "ls", "list your tokens", ls)
    parser = verb(verbs, "create", "make a token, which is shown this once", create)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--project", help="name or id of the only project that it is for")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--expires-in-days", type=int)
    removal(verbs, "end a token at once", rm).add_argument("token", metavar="TOKEN", help="an id")


def ls(call: Call) -> None:
    found = _with_session(call, lambda client: list(client.tokens.list()))
    call.output.objects(found, COLUMNS, "You have no API tokens")


def create(call: Call) -> None:
    given = call.given
    project_id = None if given.project is None else find.project(call.client, given.project).id
    token = _with_session(
        call,
        lambda client: client.tokens.create(
            given.name, project_id=project_id, read_only=given.read_only, expires_in_days=given.expires_in_days
        ),
    )
    call.output.json(token)
    call.output.say(str(token.token))


def rm(call: Call) -> None:
    call.sure(f"token {call.given.token}")
    _with_session(call, lambda client: client.tokens.delete(call.given.token))
    call.output.deleted(call.given.token)


def _with_session(call: Call, work: Callable[[Client], T]) -> T:
    """Done as we are signed in, or if the server wants a password for it, after asking for that."""
    try:
        return work(call.client)
    except ClientError as error:
        if error.code != "SAME_USER_REQUIRED":
            raise
    with session.with_password(call) as client:
        return work(client)
