"""``deardiary tokens``."""

from deardiary.cli import find, session
from deardiary.cli.command import Call, Subparsers, noun, removal, verb

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
    parser = verb(verbs, "create", "create a token; it is shown only this once", create)
    parser.add_argument("name", help="the purpose of the token, to distinguish it from others")
    parser.add_argument("--project", help="name or id of the only project that the token may use")
    parser.add_argument("--read-only", action="store_true", help="a token that can change nothing")
    parser.add_argument("--expires-in-days", type=int, metavar="N", help="when the token ends (default: never)")
    removal(verbs, "end a token at once", rm).add_argument("token", help="an id")


def ls(call: Call) -> None:
    found = session.with_session(call, lambda client: list(client.tokens.list()))
    call.output.objects(found, COLUMNS, "You have no API tokens")


def create(call: Call) -> None:
    given = call.given
    project_id = None if given.project is None else find.project(call.client, given.project).id
    token = session.with_session(
        call,
        lambda client: client.tokens.create(
            given.name, project_id=project_id, read_only=given.read_only, expires_in_days=given.expires_in_days
        ),
    )
    call.output.json(token)
    call.output.say(str(token.token))


def rm(call: Call) -> None:
    call.sure(f"token {call.given.token}")
    session.delete_by_id(call, "tokens", call.given.token)
