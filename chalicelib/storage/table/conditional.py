"""The meaning of a single write whose condition did not hold.

The SDK sends a write again when its answer was lost. So the condition must let a repetition of the same write through,
or the caller must read what is stored: docs/conditional-writes.md has the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DeleteError, PutError, UpdateError

from chalicelib.storage.table.transaction import Otherwise, code_of


@contextmanager
def otherwise(meaning: Otherwise) -> Iterator[None]:
    """Raise what `meaning` makes when the condition of the write inside does not hold."""
    try:
        yield
    except (PutError, UpdateError, DeleteError) as error:
        if code_of(error) == "ConditionalCheckFailedException":
            raise meaning() from None
        raise
