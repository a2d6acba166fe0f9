"""``login`` and ``whoami``."""

import argparse
import getpass
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from deardiary import settings
from deardiary.cli import find
from deardiary.cli.command import Call, Subparsers, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.cli.output import with_words
from deardiary.client import Client, connect
from deardiary.errors import ClientError
from deardiary.files import write_whole
from deardiary.terminal import one_line, say
from deardiary.wire.shapes import Identity, UserPermission

T = TypeVar("T")

RIGHTS = ("create", "read", "update", "delete")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add(commands: Subparsers) -> None:
    parser = verb(commands, "login", "sign in, and store an API token for this machine", login)
    parser.add_argument("server", nargs="?", metavar="URL", help="the server, like https://host/api")
    parser.add_argument("--username", help="your name (default: ask)")
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--password-stdin", action="store_true", help="read the password from stdin, do not ask")
    given.add_argument("--token-stdin", action="store_true", help="read an API token from stdin and store it")
    parser.add_argument("--name", default=platform.node() or "a machine", help="of the token (default: this machine's)")
    parser.add_argument("--expires-in-days", type=int, help="when the token ends (default: never)")
    parser.add_argument("--as", dest="login", metavar="LOGIN", help="store a named login, like dev, beside others")
    parser = verb(commands, "logout", "forget a login; its token stays valid until `tokens rm`", logout)
    parser.add_argument("login", nargs="?", help="its name (default: the current one)")
    parser = verb(commands, "use", "switch to a named login; without a name, list them", use)
    parser.add_argument("login", nargs="?", help="its name")
    verb(commands, "whoami", "show the signed-in user and the server", whoami)


def login(call: Call) -> None:
    given = call.given
    if settings.login_is_damaged():
        settings.login_file().unlink()
    url = settings.clean_url(given.server or given.url) or settings.find_settings().url
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in _LOOPBACK:
        say(f"deardiary: {url} is not https: others may read the password on its way", sys.stderr)
    token = _line("token") if given.token_stdin else None
    if token is None:
        username, client = _signed_in(url, given.username, from_stdin=given.password_stdin)
        with client:
            _keep_new_token(client, username, given)
    else:
        with connect(url, token=token) as client:
            username = client.whoami().username
            _keep(settings.keep_login(settings.Login(url, token, username), given.login))
    call.output.json({"url": url, "username": username, "file": str(settings.login_file())})
    call.output.say(f"Signed in to {url} as {username}; the token is kept in {settings.login_file()}")


def logout(call: Call) -> None:
    gone = call.given.login or settings.current_login()
    url = settings.login_url(gone)
    if url is None and gone is None:
        call.output.json({"logout": None})
        call.output.say("There is no login on this machine")
        return
    text = settings.forget_login(gone)
    if text is None:
        settings.login_file().unlink(missing_ok=True)
    else:
        _keep(text)
    call.output.json({"logout": gone})
    name = f" (login {gone})" if gone else ""
    call.output.say(f"Signed out of {url}{name}. The token stays valid until `deardiary tokens rm` ends it.")


def use(call: Call) -> None:
    if call.given.login:
        _keep(settings.use_login(call.given.login))
    current, known = settings.current_login(), settings.logins()
    urls = {name: each.url for name, each in known.items()}
    users = {name: each.username for name, each in known.items()}
    call.output.json({"current": current, "logins": urls, "users": users})
    rows = [["*" if name == current else "", name, each.username, each.url] for name, each in sorted(known.items())]
    none = "There are no named logins; `deardiary login URL --as dev` makes one"
    call.output.table(["", "login", "user", "server"], rows, none)


def whoami(call: Call) -> None:
    user = call.client.whoami(include="permissions")
    held = list(user.permissions or ())
    call.output.json({**with_words(user), "permissions": held})
    role = ", an admin" if user.is_admin else ""
    call.output.note(f"{user.username}{role} ({user.id}) at {call.client.url}")
    held = [each for each in held if any(rights_of(each))]  # a record may grant nothing any more
    if held and not user.is_admin:
        names = {each.id: each.name for each in call.client.projects.list()}
        call.output.say("")
        rows = [[names.get(each.project_id, each.project_id), *rights_of(each)] for each in held]
        call.output.table(["project", *RIGHTS], rows)


def rights_of(permission: UserPermission | Identity) -> list[bool]:
    return [getattr(permission, f"{right}_permission") for right in RIGHTS]


def words_of(permission: UserPermission | Identity) -> str:
    """Describe a permission, such as "read, create", "all" or "nothing"."""
    held = [right for right, has in zip(RIGHTS, rights_of(permission), strict=True) if has]
    return "all" if len(held) == len(RIGHTS) else ", ".join(held) or "nothing"


def with_session(call: Call, work: Callable[[Client], T]) -> T:
    """Do the work with the current login. If that needs a password, ask for it and repeat."""
    try:
        return work(call.client)
    except ClientError as error:
        if error.code != "SAME_USER_REQUIRED":
            raise
    with _with_password(call) as client:
        return work(client)


def delete_by_id(call: Call, kind: str, text: str) -> None:
    def delete(client: Client) -> str:
        calls = getattr(client, kind)
        found = find.whole_id(kind, calls.list(), text)
        calls.delete(found)
        return found

    call.output.deleted(with_session(call, delete))


def _with_password(call: Call) -> Client:
    """Ask for the password and return a client with a password session, for operations that an API token may not do."""
    if not sys.stdin.isatty():
        message = "This needs a password, and not an API token: set DEARDIARY_USERNAME and DEARDIARY_PASSWORD"
        raise CommandFailed(message, USAGE)
    return _signed_in(call.client.url, call.client.whoami().username, from_stdin=False)[1]


def _signed_in(url: str, username: str | None, *, from_stdin: bool) -> tuple[str, Client]:
    known = None if from_stdin else settings.environment_login(url)
    if known is not None and username in (None, known[0]):
        return known[0], connect(url, username=known[0], password=known[1])
    if username is None and (from_stdin or not sys.stdin.isatty()):
        raise CommandFailed("Say who signs in with --username", USAGE)
    if not from_stdin and not sys.stdin.isatty():
        message = "There is nobody to ask for a password: say --password-stdin, or set DEARDIARY_PASSWORD"
        raise CommandFailed(message, USAGE)
    username = username or input("Username: ").strip()
    password = _line("password") if from_stdin else getpass.getpass(f"Password of {one_line(username)}: ")
    return username, connect(url, username=username, password=password)


def _line(what: str) -> str:
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise CommandFailed(f"There is no {what} on stdin", USAGE)
    return text


def _keep_new_token(client: Client, username: str, given: argparse.Namespace) -> None:
    created = client.tokens.create(given.name, expires_in_days=given.expires_in_days)
    try:
        _keep(settings.keep_login(settings.Login(client.url, str(created.token), username), given.login))
    except OSError:
        client.tokens.delete(created.id)  # without the file its secret is lost
        raise


def _keep(text: str) -> None:
    path: Path = settings.login_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, text.encode(), mode=0o600)
