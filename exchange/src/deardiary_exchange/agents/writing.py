"""The tools that write, which `deardiary mcp --allow-writes` adds: notes, tags, and the wish that a run stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deardiary import Client
from deardiary.cli import find
from deardiary_exchange.agents import shown


class Writing:
    def __init__(self, client: Client) -> None:
        self._client = client

    def set_notes(self, iteration: str, notes: str) -> dict[str, Any]:
        """Replace the notes of an iteration (run). Read the present ones before, to keep what a person wrote."""
        found = find.iteration(self._client, iteration)
        return shown.without(self._client.iterations.update(found.id, notes=notes), "labels")

    def change_tags(
        self, iterations: Sequence[str], add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Add tags to iterations of one experiment, and remove tags from them. Says of each if it is done."""
        if not iterations or not (add or remove):
            raise ValueError("name iterations, and tags to add or to remove")
        found = [find.iteration(self._client, each) for each in iterations]
        if len({each.experiment_id for each in found}) > 1:
            raise ValueError("the iterations belong to several experiments: call this once for each")
        outcomes = self._client.iterations.bulk(
            found[0].experiment_id, [each.id for each in found], add_tags=add, remove_tags=remove
        )
        return {key: "done" if each is None else each.message for key, each in outcomes.items()}

    def stop_iteration(self, iteration: str, reason: str) -> dict[str, Any]:
        """Ask the program of a running iteration to stop. It does so at its next flush, if it reads its commands."""
        found = find.iteration(self._client, iteration)
        return dict(shown.plain(self._client.commands.create(found.id, "stop", reason)))
