"""Labels on the command line: ``label`` of projects, experiments, iterations and models."""

import argparse
from typing import Protocol

from deardiary.cli.command import Call, Handler, Subparsers, verb
from deardiary.cli.failure import USAGE, CommandFailed


class Labelled(Protocol):
    """A project, an experiment, an iteration or a model."""

    @property
    def id(self) -> str: ...
    @property
    def labels(self) -> dict[str, str]: ...


def labelling(
    commands: Subparsers, about: str, handler: Handler, owner: str, about_owner: str
) -> argparse.ArgumentParser:
    """Add the verb that sets labels, or removes them with ``--remove``, of the owner that its argument names."""
    parser = verb(commands, "label", about, handler)
    parser.add_argument("--remove", action="store_true", help="remove the labels of these keys")
    parser.add_argument(owner, help=about_owner)
    parser.add_argument("labels", nargs="+", metavar="KEY=VALUE", help="a label; with --remove its key")
    return parser


def label_changes(call: Call, owner: Labelled) -> dict[str, str | None]:
    """The labels that the command names, None for one to remove. CommandFailed for one that is not there."""
    given: list[str] = call.given.labels
    if not call.given.remove:
        return dict(map(_pair, given))
    unknown = [key for key in given if key not in owner.labels]
    if unknown:
        raise CommandFailed(f"{owner.id} has no label {unknown[0]!r}; it has: {', '.join(owner.labels) or 'none'}")
    return dict.fromkeys(given)


def show_labels(call: Call, changed: Labelled) -> None:
    """Print the labels of an owner that has been changed; None came if the caller may not read."""

    def sentence(owner: Labelled) -> str:
        pairs = [f"{key}={value}" for key, value in owner.labels.items()]
        return f"{owner.id} has the labels: {', '.join(pairs)}" if pairs else f"{owner.id} has no labels"

    call.output.changed(changed, sentence)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CommandFailed(f"{text!r} is no label: give KEY=VALUE, or --remove to remove one", USAGE)
    return key, value
