"""The command line: call the handler of the typed words; convert an error into a message and an exit status."""

import argparse
import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile

from deardiary.__version__ import __version__
from deardiary.cli import (
    activity,
    completion,
    dashboard,
    exchange,
    experiment,
    identity,
    iteration,
    metric,
    model,
    project,
    resource,
    restore,
    session,
    share,
    sync,
    token,
    trash,
    user,
)
from deardiary.cli.command import NOUNS, VERBS, Call, Parser
from deardiary.cli.failure import INTERRUPTED, REFUSED, USAGE, CommandFailed, NotThere, explained
from deardiary.terminal import PrintableFormatter, say, wrapped

_NOUNS = (
    session,
    activity,
    dashboard,
    project,
    experiment,
    iteration,
    metric,
    resource,
    model,
    user,
    token,
    share,
    identity,
    trash,
    sync,
    restore,
    completion,
)
_STATUSES = """\
exit status: 0 done, 1 refused or failed, 2 not understood, 3 not signed in,
             4 no answer from the server
settings: DEARDIARY_URL and DEARDIARY_TOKEN, or what `deardiary login` keeps;
          with nothing set, http://127.0.0.1:9000"""


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    is_listed = False
    try:
        ours = parser(exchange.COMMANDS if words[:1] == ["completion"] else words[:1])
        _refuse_unknown_noun(words, NOUNS)
        whole = _with_verb(words)
        is_listed = whole != words
        given = ours.parse_args(whole)
        if not hasattr(given, "handler"):
            ours.print_help(sys.stderr)
            return USAGE
        with _warnings_on_stderr():
            status = given.handler(Call(given, ours))
        sys.stdout.flush()
    except (KeyboardInterrupt, EOFError):  # Ctrl-D at a prompt
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, closed the pipe. Keep Python from reporting that again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - its trace is printed, without control characters
        failure = explained(error)
        if isinstance(failure, NotThere) and words[1:2] and is_listed:
            failure = _no_verb(words[0], words[1], failure)
        if failure is None:
            say(traceback.format_exc().rstrip(), sys.stderr)
            return REFUSED
        say(wrapped(f"deardiary: {failure}", sys.stderr), sys.stderr)
        return failure.status
    return status if isinstance(status, int) else 0


@contextlib.contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    """Print log messages as Python does by default, but without control characters."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(PrintableFormatter(stream=sys.stderr))
    logger = logging.getLogger("deardiary")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


# Verbs of other programs, and ours for the same.
_GUESSES = {
    "delete": "rm",
    "remove": "rm",
    "list": "ls",
    "rename": "edit",
    "update": "edit",
    "get": "show",
    "add": "create",
}


def _refuse_unknown_noun(words: list[str], nouns: Collection[str]) -> None:
    """Raise CommandFailed, with the most similar noun, if the first word is no command."""
    if not words or words[0].startswith("-") or words[0] in nouns:
        return
    near = get_close_matches(words[0], nouns, n=1, cutoff=0.6)
    meant = f"; did you mean `{near[0]}`?" if near else "."
    raise CommandFailed(f"`deardiary` has no command {words[0]!r}{meant} It has: {', '.join(nouns)}", USAGE)


def _with_verb(words: list[str]) -> list[str]:
    """Insert ``ls`` after a noun without a verb."""
    verbs = VERBS.get(words[0]) if words else None
    if verbs is None or (len(words) > 1 and words[1] in (*verbs, "-h", "--help")):
        return words
    _refuse_unknown_verb(words[0], words[1:], verbs)
    return [words[0], "ls", *words[1:]]


def _refuse_unknown_verb(noun: str, words: list[str], verbs: Mapping[str, argparse.ArgumentParser]) -> None:
    """Raise CommandFailed if the first word cannot be an argument of ``ls``, or is similar to a verb."""
    names = list(takewhile(lambda word: not word.startswith("-"), words))
    accepted = sum(not action.option_strings for action in verbs["ls"]._actions)  # noqa: SLF001 - argparse hides them
    near = get_close_matches(names[0], verbs, n=1, cutoff=0.7) if names and "/" not in names[0] else []
    near += [_GUESSES[names[0]]] if names and _GUESSES.get(names[0]) in verbs and not near else []
    if len(names) <= accepted and not near:
        return
    raise CommandFailed(_unknown_verb(noun, names[0], near), USAGE)


def _unknown_verb(noun: str, word: str, near: Sequence[str]) -> str:
    meant = f"; did you mean `{near[0]}`?" if near else "."
    return f"`deardiary {noun}` has no command {word!r}{meant} It has: {', '.join(VERBS[noun])}"


def _no_verb(noun: str, word: str, failure: NotThere) -> CommandFailed:
    """The error for a word in the position of a verb that is no verb and no name."""
    near = get_close_matches(word, VERBS[noun], n=1, cutoff=0.5)
    return CommandFailed(f"{_unknown_verb(noun, word, near)}. {failure}", failure.status)


def parser(wanted: Collection[str] = ()) -> argparse.ArgumentParser:
    """The parser of all commands; those of another package are complete only if they are wanted."""
    created: argparse.ArgumentParser = Parser(
        prog="deardiary",
        description="Inspect and manage the projects, runs and files of DearDiary.",
        epilog=_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    created.add_argument("--version", action="version", version=f"deardiary {__version__}")
    commands = created.add_subparsers(title="commands", metavar="COMMAND")
    for noun in _NOUNS:
        noun.add(commands)
    exchange.add(commands, wanted)
    NOUNS[:] = commands.choices
    return created
