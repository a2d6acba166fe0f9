"""``deardiary restore``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from deardiary.cli.command import Call, Subparsers, verb

if TYPE_CHECKING:
    from deardiary.environment.restore import Restored


def add(commands: Subparsers) -> None:
    parser = verb(commands, "restore", "restore the code and the environment of an iteration", restore)
    parser.add_argument("iteration", help="an id")
    parser.add_argument("directory", help="new, empty, or a checkout without changes of its own")
    parser.add_argument("--install", action="store_true", help="run the command that rebuilds the environment")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="report how the present environment differs; status 1 if it does, or if it is unknown",
    )


def restore(call: Call) -> int:
    from deardiary.environment.restore import restore as bring_back

    given = call.given
    found = bring_back(given.iteration, given.directory, client=call.client, install=given.install, verify=given.verify)
    call.output.json(_json_of(found))
    for line in _lines_of(found, is_installed=given.install):
        call.output.say(line)
    return 1 if found.differences or found.not_compared else 0


def _json_of(found: Restored) -> dict[str, object]:
    fields = {each.name: getattr(found, each.name) for each in dataclasses.fields(found)}
    places = {"directory": str(found.directory), "project": str(found.project), "files": list(map(str, found.files))}
    return {**fields, **places, "command": found.command}


def _lines_of(found: Restored, *, is_installed: bool) -> list[str]:
    lines = [f"{found.directory} is at commit {found.git_sha}"] if found.is_checked_out else []
    lines += ["the uncommitted changes are in it"] if found.is_patched else []
    lines += [f"restored {path}" for path in found.files]
    lines += [f"note: {remark}" for remark in found.remarks]
    if found.command:
        lines += ["installed" if is_installed else f"to install: cd {found.project} && {found.command}"]
    if found.differences is not None:
        lines += _lines_of_comparison(found, found.differences)
    return lines


def _lines_of_comparison(found: Restored, differences: tuple[str, ...]) -> list[str]:
    lines = [f"compared: {each}" for each in found.compared]
    lines += [f"not compared: {each}" for each in found.not_compared]
    lines += [f"differs: {each}" for each in differences]
    return lines if differences or found.not_compared else [*lines, "the present environment is the same"]
