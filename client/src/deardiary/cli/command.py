"""Shared parts of all commands: the parsed call, and helpers that add verbs to the parser."""

import argparse
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, TypeAlias

from deardiary import terminal
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.cli.output import Output
from deardiary.client import Client, connect

Handler = Callable[["Call"], object]
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no other name


_NAMED = 3  # ids in a sentence
# The nouns that have verbs, and their parsers; filled when the parser is created.
NOUNS: list[str] = []
VERBS: dict[str, Mapping[str, argparse.ArgumentParser]] = {}


class Parser(argparse.ArgumentParser):
    """Shows a positional argument as its name in capitals, one of several in the singular."""

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        name = names[0].removesuffix("s") if options.get("nargs") == "+" else names[0]
        if not name.startswith("-") and "choices" not in options:
            options.setdefault("metavar", name.upper())
        return super().add_argument(*names, **options)


class Call:
    """One parsed command. ``client`` connects at its first use."""

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

    def sure(self, what: str, extent: Callable[[], str] | None = None, *, for_good: bool = False) -> None:
        """Ask before a deletion, unless ``--yes`` is set. CommandFailed for any answer but yes.

        ``extent`` counts what the deletion includes; it is called only if the question is asked.
        """
        if self.given.yes:
            return
        included = extent() if extent else ""
        what = f"{what} with {included}" if included else what
        final = " for good" if for_good or getattr(self.given, "purge", False) else ""
        if not terminal.is_attended():
            raise CommandFailed(f"{what} would be deleted{final}: say --yes", USAGE)
        if not terminal.agrees(f"Delete {what}{final}?"):
            raise CommandFailed("Nothing was deleted")

    def deleted(self, *ids: str) -> None:
        self.output.deleted(*ids)
        if not self.given.purge:
            named = " ".join(ids[:_NAMED]) + (" …" if len(ids) > _NAMED else "")
            self.output.note(f"To undo: `deardiary trash restore {named}`, as long as the trash has it")


def noun(commands: Subparsers, name: str, about: str) -> Subparsers:
    parser = commands.add_parser(name, help=about, description=about)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    VERBS[name] = verbs.choices
    return verbs


def verb(commands: Subparsers, name: str, about: str, handler: Handler, /, **arguments: str) -> argparse.ArgumentParser:
    """Add a verb. ``arguments`` are its positional arguments, each with its help."""
    parser = commands.add_parser(name, help=about, description=about)
    for argument, argument_help in arguments.items():
        parser.add_argument(argument, help=argument_help)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--url", help="the server, in place of the configured one")
    parser.set_defaults(handler=handler)
    return parser


def edit(commands: Subparsers, about: str, handler: Handler, /, **arguments: str) -> argparse.ArgumentParser:
    parser = verb(commands, "edit", about, handler, **arguments)
    parser.add_argument("--name", help="the new name")
    parser.add_argument("--description", help="the new description")
    return parser


def changes_of(call: Call) -> dict[str, Any]:
    """Return the changes that an `edit` names. CommandFailed if it names none."""
    changes = {name: getattr(call.given, name) for name in ("name", "description")}
    if all(each is None for each in changes.values()) and not getattr(call.given, "status", None):
        raise CommandFailed("Say what to change: --name or --description", USAGE)
    return changes


def one_of(kind: type[IntEnum]) -> Callable[[str], str]:
    """Return a type for argparse: a unique prefix of a member's name, in any case, becomes the name.

    Any other text is left to `choices`.
    """

    def name_of(text: str) -> str:
        begin_so = [each.name for each in kind if each.name.startswith(text.upper())]
        return begin_so[0] if text and len(begin_so) == 1 else text.upper()

    return name_of


def count(text: str) -> int:
    """Parse a whole number from 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return number


def removal(commands: Subparsers, about: str, handler: Handler, /, **arguments: str) -> argparse.ArgumentParser:
    parser = verb(commands, "rm", about, handler, **arguments)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def trashing(commands: Subparsers, about: str, handler: Handler, /, **arguments: str) -> argparse.ArgumentParser:
    parser = removal(commands, about, handler, **arguments)
    parser.add_argument("--purge", action="store_true", help="remove it for good, not into the trash")
    return parser
