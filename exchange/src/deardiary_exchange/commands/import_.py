"""``deardiary import``: bring an exported project into a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.cli.command import Call, verb

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    parser = verb(commands, "import", "bring in an exported project", import_)
    parser.add_argument("place", metavar="FOLDER", help="a folder that `deardiary export` wrote, or s3://bucket/prefix")
    parser.add_argument("--to", metavar="PROJECT", help="the name of the project (default: that of the exported one)")


def import_(call: Call) -> None:
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.imported import import_folder
    from deardiary_exchange.progress import Bar
    from deardiary_exchange.reporting import report

    with Bar("iterations") as progress:
        report(call, import_folder(call.client, Folder(call.given.place), call.given.to, progress=progress))
