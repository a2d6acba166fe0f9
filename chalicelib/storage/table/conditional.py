"""Errors of single writes whose condition fails.

The SDK repeats a write whose answer was lost. So the condition must accept a repetition of the same write, or the
caller must read the stored row: docs/conditional-writes.md has the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DeleteError, PutError, PynamoDBException, UpdateError

from chalicelib.errors import DomainError
from chalicelib.storage.table.transaction import Otherwise, code_of


@contextmanager
def otherwise(meaning: Otherwise) -> Iterator[None]:
    """Raise `meaning()` if the condition of the write inside fails."""
    try:
        yield
    except (PutError, UpdateError, DeleteError) as error:
        if code_of(error) == "ConditionalCheckFailedException":
            raise meaning() from None
        raise


@contextmanager
def best_effort() -> Iterator[None]:
    """Ignore a failure of the write inside, on which nothing depends."""
    try:
        yield
    except (PynamoDBException, DomainError):
        return
