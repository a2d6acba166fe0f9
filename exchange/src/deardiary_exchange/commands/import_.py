"""``deardiary import``: bring an exported project, or the runs of another tracker, into a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deardiary.cli.command import Call, count, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary_exchange.origins.table import ORIGINS

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    parser = verb(commands, "import", "bring in an exported project, or runs of another tracker", import_)
    parser.add_argument(
        "place",
        metavar="FOLDER|TRACKER",
        help=f"a folder that `deardiary export` wrote, or s3://bucket/prefix; or a tracker: {', '.join(ORIGINS)}",
    )
    parser.add_argument(
        "location", nargs="?", help="where the tracker keeps its runs; by default where it usually does"
    )
    parser.add_argument("--to", metavar="PROJECT", help="the name of the project (default: that of the exported one)")
    parser.add_argument(
        "--artifacts", metavar="FOLDER", type=Path, help="where the artifacts of MLflow, Neptune or Aim are now"
    )
    parser.add_argument("--step-factor", type=count, default=1, metavar="N", help="multiply steps that have fractions")


def import_(call: Call) -> None:
    if call.given.place in ORIGINS:
        _import_origin(call)
    else:
        _import_folder(call)


def _import_folder(call: Call) -> None:
    if call.given.location is not None:
        raise CommandFailed(f"{call.given.place!r} is no tracker. The trackers are: {', '.join(ORIGINS)}", USAGE)
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.imported import import_folder
    from deardiary_exchange.progress import Bar
    from deardiary_exchange.reporting import report

    with Bar("iterations") as progress:
        report(call, import_folder(call.client, Folder(call.given.place), call.given.to, progress=progress), progress)


def _import_origin(call: Call) -> None:
    from deardiary_exchange.commands import origin

    origin.import_runs(call)
