"""What every command takes, and is given."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deardiary import terminal
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.cli.output import Output
from deardiary.client import Client, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import IntEnum

    Handler = Callable[["Call"], object]
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no other name for it


# What can be done with each noun that has verbs; known once the parser has been made.
NOUNS: list[str] = []
VERBS: dict[str, Mapping[str, argparse.ArgumentParser]] = {}


class Call:
    """One command as it was typed. ``client`` connects when it is first asked for."""

    def __init__(self, given: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
        self.given = given
        self.parser = parser
        self.output = Output(as_json=given.json)
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = connect(self.given.url)
        return self._client

    def sure(self, what: str, extent: Callable[[], str] | None = None) -> None:
        """Ask before something is removed, unless ``--yes`` says so. CommandFailed for any answer but yes.

        ``extent`` counts what would go with it; nothing is counted where nothing is asked.
        """
        if self.given.yes:
            return
        taken = extent() if extent else ""
        what = f"{what} with {taken}" if taken else what
        if not terminal.is_attended():
            raise CommandFailed(f"{what} would be deleted: say --yes", USAGE)
        if not terminal.agrees(f"Delete {what}?"):
            raise CommandFailed("Nothing was deleted")


def noun(commands: Subparsers, name: str, about: str) -> Subparsers:
    """A command that has commands of its own."""
    parser = commands.add_parser(name, help=about, description=about)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    VERBS[name] = verbs.choices
    return verbs


def verb(commands: Subparsers, name: str, about: str, handler: Handler) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--url", help="the server, in place of the configured one")
    parser.set_defaults(handler=handler)
    return parser


def edit(commands: Subparsers, about: str, handler: Handler) -> argparse.ArgumentParser:
    """A verb that changes the name or the description; `changes_of` gives what was said."""
    parser = verb(commands, "edit", about, handler)
    parser.add_argument("--name", help="the new name")
    parser.add_argument("--description", help="the new description")
    return parser


def changes_of(call: Call) -> dict[str, str | None]:
    """The changes that an `edit` names. CommandFailed when it names none."""
    changes = {name: getattr(call.given, name) for name in ("name", "description")}
    if all(each is None for each in changes.values()) and not getattr(call.given, "status", None):
        raise CommandFailed("Say what to change: --name or --description", USAGE)
    return changes


def tagging(commands: Subparsers, about: str, handler: Handler) -> argparse.ArgumentParser:
    """A verb that adds tags, or with ``--remove`` takes them away; the owner is still to be added."""
    parser = verb(commands, "tag", about, handler)
    parser.add_argument("--remove", action="store_true", help="take these tags away")
    return parser


def one_of(kind: type[IntEnum]) -> Callable[[str], str]:
    """For argparse: the name of the member that begins so, in any case; any other text is left to `choices`."""

    def name_of(text: str) -> str:
        begin_so = [each.name for each in kind if each.name.startswith(text.upper())]
        return begin_so[0] if text and len(begin_so) == 1 else text.upper()

    return name_of


def count(text: str) -> int:
    """A whole number from 1, as argparse wants it."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return number


def removal(commands: Subparsers, about: str, handler: Handler) -> argparse.ArgumentParser:
    parser = verb(commands, "rm", about, handler)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser
