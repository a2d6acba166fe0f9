"""``deardiary export``: write a project as Parquet and files, or check such a folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from deardiary.cli import find
from deardiary.cli.command import Call, verb
from deardiary.cli.failure import USAGE, CommandFailed

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    parser = verb(commands, "export", "write a project as Parquet and files", export)
    parser.add_argument("project", nargs="?", help="a name or an id; not with --verify")
    parser.add_argument("place", metavar="FOLDER", help="a folder, or s3://bucket/prefix")
    parser.add_argument("--verify", action="store_true", help="check the files of an export against their hashes")


def export(call: Call) -> None:
    if call.given.verify:
        _verify(call)
        return
    if call.given.project is None:
        raise CommandFailed("Name a project and a folder: deardiary export PROJECT FOLDER", USAGE)
    from deardiary_exchange.export import export_project
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.progress import Bar

    project = find.project(call.client, call.given.project)
    with Bar("iterations") as progress:
        done = export_project(call.client, project.id, Folder(call.given.place), progress=progress)
    call.output.json(asdict(done))
    call.output.note(
        f"{done.place} has {done.iterations:,} iterations, {done.points:,} points and {done.files:,} files of "
        f"{project.name}; {done.new_parts:,} of {done.new_parts + done.unchanged_parts:,} parts were written. "
        f"Not exported: {', '.join(done.not_exported)}."
    )


def _verify(call: Call) -> None:
    from deardiary_exchange import manifest
    from deardiary_exchange.folder import Folder
    from deardiary_exchange.progress import Bar

    with Bar("files") as progress:
        faults = list(manifest.faults(Folder(call.given.place), progress))
    call.output.json({"faults": faults})
    for each in faults:
        call.output.say(each)
    if faults:
        raise CommandFailed(f"{call.given.place} is not as it was exported; `deardiary export` into an empty folder")
    call.output.say("All files are as they were exported")
