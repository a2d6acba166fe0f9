"""``deardiary sync``: send the unsent records of this machine, list them or delete them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deardiary.cli.command import Call, Subparsers, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.client import connect
from deardiary.terminal import number, say

if TYPE_CHECKING:
    from deardiary.sending.leftover import Waiting
    from deardiary.sending.sync import Synced
    from deardiary.spool.run import Run

_WAITING = {
    "run": "spool",
    "iteration": "iteration_id",
    "server": "url",
    "points": "points",
    "others": "others",
    "files": "files",
    "rejected": "rejected",
    "bytes": "bytes",
}
_REJECTED = {"run": "spool", "iteration": "iteration_id", "kind": "kind", "records": "records", "reason": "reason"}
_NONE_REFUSED = "Nothing that was refused is kept here"


def add(commands: Subparsers) -> None:
    parser = verb(commands, "sync", "send records that were logged offline, or could not be sent", sync)
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="URL",
        help="a server that only the spool names, not the settings, to which it may be sent; may be repeated",
    )
    parser.add_argument("--from-url", metavar="OLD", help="only records that were logged for this server")
    _add_actions(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask before deleting")
    parser.add_argument(
        "places",
        nargs="*",
        metavar="FOLDER|RUN",
        help="a folder, an archive or s3://bucket/prefix to send (default: the spools of this machine); with "
        "--discard, --rejected and --drop-rejected folders, or runs by the beginning of their id or their iteration's",
    )


def _add_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--to", metavar="NEW", help="send the records for --from-url to this server instead")
    actions.add_argument("--discard", action="store_true", help="delete unsent records")
    actions.add_argument("--rejected", action="store_true", help="list records refused for good, with the reason")
    actions.add_argument("--drop-rejected", action="store_true", help="delete records refused for good")


def sync(call: Call) -> None:
    given = call.given
    if given.rejected:
        _list_rejected(call)
    elif given.drop_rejected:
        _drop_rejected(call)
    elif given.discard:
        _discard(call)
    else:
        _send(call)


def _send(call: Call) -> None:
    from deardiary.sending.sync import sync as send

    given = call.given
    if len(given.places) > 1:
        raise CommandFailed("Name one FOLDER, archive or s3:// prefix at a time", USAGE)
    if given.to and not given.from_url:
        raise CommandFailed("--to goes with --from-url: say for which server the records were logged", USAGE)
    if given.from_url and not (given.to or given.url):
        raise CommandFailed("--from-url goes with --to or --discard: say to which server the records go", USAGE)
    client = connect(given.to) if given.to else call.client if given.url or given.from_url else None
    results = send(
        given.places[0] if given.places else None,
        client=client,
        from_url=given.from_url,
        allow=given.allow,
        tell=(lambda text: say(text, sys.stderr)) if call.output.as_json else call.output.note,
    )
    call.output.json(results)
    _check(results)


def _check(results: list[Synced]) -> None:
    if not all(each.is_done for each in results):
        raise CommandFailed("Not everything could be sent; what is left stays where it is")
    if any(each.rejected for each in results):
        raise CommandFailed(
            "Some records were refused for good: `deardiary sync --rejected` lists them with the reason, "
            "`deardiary sync --drop-rejected` deletes them"
        )


def _discard(call: Call) -> None:
    from deardiary.sending import leftover

    found = _found(call)
    waiting = [leftover.waiting_in(folder, run) for folder, run in found]
    if not call.output.as_json:
        _list_waiting(call, waiting)
    if found:
        call.sure(_total(waiting))
    gone = [leftover.discard(folder, run) for folder, run in found]
    call.output.json({"discarded": [each for each, is_gone in zip(waiting, gone, strict=True) if is_gone]})
    for each, is_gone in zip(waiting, gone, strict=True):
        call.output.say(f"Deleted {each.spool}" if is_gone else f"Left {each.spool}")
    if not all(gone):
        raise CommandFailed("The programs of some runs may still write to them: end those first")


def _list_waiting(call: Call, waiting: list[Waiting]) -> None:
    if call.output.room() is None or not waiting:
        call.output.objects(waiting, _WAITING, "Nothing waits here")
        return
    # A URL is too long for a column on a terminal, and must not be cut.
    columns = {name: each for name, each in _WAITING.items() if each != "url"}
    for url in dict.fromkeys(each.url for each in waiting):
        call.output.note(f"For {url or 'the server of the settings'}:")
        call.output.objects([each for each in waiting if each.url == url], columns, "")


def _total(waiting: list[Waiting]) -> str:
    records = sum(each.points + each.others for each in waiting)
    size = sum(each.bytes for each in waiting)
    return f"{number(len(waiting), 'run')} with {number(records, 'unsent record')} ({number(size, 'byte')})"


def _list_rejected(call: Call) -> None:
    from deardiary.sending import leftover

    parts = [part for folder, run in _found(call) for part in leftover.rejected_in(folder, run)]
    if call.output.room() is None:
        call.output.objects(parts, _REJECTED, _NONE_REFUSED)
        return
    # A reason is too long for a column on a terminal.
    call.output.objects(parts, {name: each for name, each in _REJECTED.items() if each != "reason"}, _NONE_REFUSED)
    for reason in dict.fromkeys(part.reason for part in parts):
        call.output.note(f"Refused: {reason}")


def _drop_rejected(call: Call) -> None:
    from deardiary.sending import leftover

    found = [(folder, run, leftover.rejected_in(folder, run)) for folder, run in _found(call)]
    parts = [part for _, _, mine in found for part in mine]
    if parts:
        records = sum(part.records for part in parts)
        call.sure(f"{number(len(parts), 'part')} with {number(records, 'record')} that the server refused")
    for folder, run, mine in found:
        if mine:
            leftover.drop_rejected(folder, run)
    call.output.json({"dropped": parts})
    call.output.say(f"Deleted {number(len(parts), 'part')}" if parts else _NONE_REFUSED)


def _found(call: Call) -> list[tuple[Path, Run]]:
    from deardiary.sending import leftover

    return leftover.find(call.given.places, call.given.from_url)
