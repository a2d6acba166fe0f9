"""The verbs that several kinds of objects share: ``edit``, ``tag``, ``label`` and ``rm``."""

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from deardiary.cli.command import Call, Handler, Subparsers, changes_of, edit, trashing, verb
from deardiary.cli.failure import USAGE, CommandFailed
from deardiary.client import Client
from deardiary.entities.tag import Owner


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects.

    ``which`` is the help of the argument that names one. ``find`` returns the one that a text names, if it is the only
    one. ``extent`` describes the content of the object with an id.
    """

    name: str
    which: str
    find: Callable[[Client, str], Any]
    extent: Callable[[Client, str], str] = lambda _client, _id: ""

    def calls(self, call: Call) -> Any:
        return getattr(call.client, f"{self.name}s")

    def named(self, call: Call) -> Any:
        return self.find(call.client, getattr(call.given, self.name))

    def add_edit(self, verbs: Subparsers) -> None:
        edit(verbs, f"rename or describe {self._one}", self._edit, **{self.name: self.which})

    def add_tag(self, verbs: Subparsers, handler: Handler | None = None) -> argparse.ArgumentParser:
        """Add ``tag``. The ``handler``, by default `change_tags`, adds tags, or removes them with ``--remove``."""
        parser = verb(verbs, "tag", f"tag {self._one}", handler or self.change_tags, **{self.name: self.which})
        parser.add_argument("--remove", action="store_true", help="remove these tags")
        parser.add_argument("tags", nargs="+", help="a word or a phrase")
        return parser

    def add_label(self, verbs: Subparsers) -> None:
        parser = verb(verbs, "label", f"set labels of {self._one}", self._label, **{self.name: self.which})
        parser.add_argument("--remove", action="store_true", help="remove the labels of these keys")
        parser.add_argument("labels", nargs="+", metavar="KEY=VALUE", help="a label; with --remove its key")

    def add_rm(self, verbs: Subparsers, about: str) -> None:
        trashing(verbs, about, self._rm, **{self.name: self.which})

    @property
    def _one(self) -> str:
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    def _edit(self, call: Call) -> None:
        changed = self.calls(call).update(self.named(call).id, **changes_of(call))
        call.output.changed(changed, lambda it: f"Changed {self.name} {it.name} ({it.id})")

    def change_tags(self, call: Call) -> None:
        tags, owner, owner_id = call.client.tags, cast("Owner", self.name), self.named(call).id
        if call.given.remove:
            known = {each.value: each.id for each in tags.list(owner, owner_id)}
            _check_known(call.given.tags, known, f"This {owner} has no tag")
            for value in call.given.tags:
                tags.delete(owner, owner_id, known[value])
        else:
            for value in call.given.tags:
                tags.create(owner, owner_id, value)
        left = [each.value for each in tags.list(owner, owner_id)]
        call.output.json({"id": owner_id, "tags": left})
        call.output.say(_listed(owner_id, "tags", left))

    def _label(self, call: Call) -> None:
        owner = self.named(call)
        changed = self.calls(call).update(owner.id, labels=_label_changes(call, owner))
        call.output.changed(
            changed, lambda it: _listed(it.id, "labels", [f"{key}={value}" for key, value in it.labels.items()])
        )

    def _rm(self, call: Call) -> None:
        found = self.named(call)
        call.sure(f"{self.name} {found.name} ({found.id})", lambda: self.extent(call.client, found.id))
        self.calls(call).delete(found.id, purge=call.given.purge)
        call.deleted(found.id)


def _label_changes(call: Call, owner: Any) -> dict[str, str | None]:
    """The labels that the command names, None for one to remove. CommandFailed for one that is not there."""
    given: list[str] = call.given.labels
    if not call.given.remove:
        return dict(map(_pair, given))
    _check_known(given, owner.labels, f"{owner.id} has no label")
    return dict.fromkeys(given)


def _check_known(given: Collection[str], known: Collection[str], failure: str) -> None:
    unknown = [each for each in given if each not in known]
    if unknown:
        raise CommandFailed(f"{failure} {unknown[0]!r}; it has: {', '.join(known) or 'none'}")


def _listed(owner_id: str, what: str, texts: Sequence[str]) -> str:
    return f"{owner_id} has the {what}: {', '.join(texts)}" if texts else f"{owner_id} has no {what}"


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CommandFailed(f"{text!r} is no label: give KEY=VALUE, or --remove to remove one", USAGE)
    return key, value
