"""Commands to running iterations."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from deardiary.api import Calls, path_of
from deardiary.wire.shapes import Command


class Commands(Calls):
    def create(self, iteration_id: str, kind: str, text: str = "", *, id_key: str | None = None) -> Command:
        """Ask a running iteration for ``stop``, ``checkpoint`` or a word of your own, with a text.

        Its program gets the command in the answer to its next flush, and carries it out once. The same ``id_key`` in
        the same iteration returns the same command. ClientError 422 if the iteration has ended.
        """
        # A retry after a lost answer must not ask twice.
        body = {"kind": kind, "text": text, "id_key": id_key or secrets.token_hex(16)}
        return self._api.post(Command, path_of("iterations", iteration_id, "commands"), body, repeatable=True)

    def list(self, iteration_id: str) -> Iterator[Command]:
        """List all commands of an iteration, oldest first, also those that are acknowledged."""
        return self._api.pages(Command, path_of("iterations", iteration_id, "commands"))

    def get(self, iteration_id: str, command_id: str) -> Command:
        return self._api.get(Command, path_of("iterations", iteration_id, "commands", command_id))

    def delete(self, iteration_id: str, command_id: str) -> None:
        """Withdraw a command. ClientError 409 if the program has seen it."""
        self._api.delete(path_of("iterations", iteration_id, "commands", command_id))
