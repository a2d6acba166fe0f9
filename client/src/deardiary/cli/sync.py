"""``deardiary sync``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deardiary.cli.command import Call, verb
from deardiary.cli.failure import CommandFailed

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    parser = verb(commands, "sync", "send what was logged offline, or could not be sent", sync)
    parser.add_argument("place", nargs="?", metavar="FOLDER", help="or an archive, or s3://bucket/prefix")


def sync(call: Call) -> None:
    from deardiary.syncing import sync as send

    client = call.client if call.given.url else None
    results = send(call.given.place, client=client, tell=lambda text: print(text, file=sys.stderr))
    call.output.json(results)
    if not all(each.is_done for each in results):
        raise CommandFailed("Not everything could be sent; what is left stays where it is")
