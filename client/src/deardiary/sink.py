"""Where an iteration's records go."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

from deardiary.records import Record, split

if TYPE_CHECKING:
    from deardiary.nouns.iteration import Iterations


class Sink(Protocol):
    """Takes the records of iterations, from several threads at once, and brings them to the server."""

    def write(self, record: Record) -> None: ...

    def flush(self) -> None:
        """Return when everything written has arrived."""

    def close(self) -> None:
        """Flush, and take nothing more."""


class DirectSink:
    """Sends each record before ``write`` returns; a failure is the caller's, as `ClientError`."""

    def __init__(self, iterations: Iterations) -> None:
        self._iterations = iterations

    def write(self, record: Record) -> None:
        for piece in split(record):
            self._iterations.log(piece, batch_id=secrets.token_hex(16))

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is open here."""
