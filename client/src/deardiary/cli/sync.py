"""``deardiary sync``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deardiary.cli.command import Call, verb
from deardiary.cli.failure import CommandFailed
from deardiary.terminal import say

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    parser = verb(commands, "sync", "send what was logged offline, or could not be sent", sync)
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="URL",
        help="a server to which spools may go that name it, though the settings do not; may be repeated",
    )
    parser.add_argument("place", nargs="?", metavar="FOLDER", help="or an archive, or s3://bucket/prefix")


def sync(call: Call) -> None:
    from deardiary.syncing import sync as send

    client = call.client if call.given.url else None
    results = send(call.given.place, client=client, allow=call.given.allow, tell=lambda text: say(text, sys.stderr))
    call.output.json(results)
    if not all(each.is_done for each in results):
        raise CommandFailed("Not everything could be sent; what is left stays where it is")
