"""The meaning of a single write whose condition did not hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DeleteError, PutError, UpdateError

from chalicelib.storage.transaction import Otherwise


@contextmanager
def otherwise(meaning: Otherwise) -> Iterator[None]:
    """Raise what `meaning` makes when the condition of the write inside does not hold."""
    try:
        yield
    except (PutError, UpdateError, DeleteError) as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise meaning() from None
        raise
