"""``deardiary activity``."""

from itertools import islice

from deardiary.cli.command import Call, Subparsers, count, verb

_COLUMNS = {"date": "date", "event": "event", "what": "kind", "name": "name", "id": "id"}


def add(commands: Subparsers) -> None:
    parser = verb(commands, "activity", "show what happened in your projects, newest first", activity)
    parser.add_argument("--limit", type=count, default=20, metavar="N", help="no more than N lines (default: 20)")


def activity(call: Call) -> None:
    found = islice(call.client.activity(), call.given.limit)
    call.output.objects(found, _COLUMNS, "Nothing has happened yet")
