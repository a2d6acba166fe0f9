"""``deardiary replicate``: copy what is new in a project of one server to another server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary import settings
from deardiary.cli import find
from deardiary.cli.command import Call, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.client import Client, connect

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    parser = verb(commands, "replicate", "copy what is new in a project to another server", replicate)
    parser.add_argument("source", metavar="FROM", help="a server: its URL, or the name of a login")
    parser.add_argument("target", metavar="TO", help="another server")
    parser.add_argument("--project", metavar="PROJECT", help="a name or an id at the first server")
    parser.add_argument("--as", dest="name", metavar="NAME", help="the name at the second server (default: the same)")
    parser.add_argument("--folder", help="where to keep what was read (default: a folder of your data)")


def replicate(call: Call) -> None:
    from deardiary_exchange.folder import Folder, kept_of
    from deardiary_exchange.progress import Bar
    from deardiary_exchange.replicate import replicate as copy
    from deardiary_exchange.reporting import report

    given = call.given
    with _server(given.source) as source, _server(given.target) as target, Bar("iterations") as progress:
        project = find.project(source, given.project)
        folder = Folder(given.folder or str(kept_of("deardiary-replicas", project.id)))
        report(call, copy(source, project.id, target, given.name, folder, progress=progress), progress)


def _server(text: str) -> Client:
    """A client of a server that is named by its URL or by a login."""
    login = settings.logins().get(text)
    if login is None and "://" not in text:
        raise CommandFailed(f"There is no login {text!r}: `deardiary login URL --as {text}` stores one", USAGE)
    return connect(text) if login is None else connect(login.url, login.token)
