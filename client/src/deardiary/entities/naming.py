"""Find objects by name, or create them."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from deardiary.errors import Conflict
from deardiary.wire import limits


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)

_log = logging.getLogger(__name__)


def find_or_create(kind: str, name: str, list_named: Callable[[], Iterator[N]], create: Callable[[str | None], N]) -> N:
    """Return the first object of that name, or create one; its id_key lets concurrent calls create only one."""
    found = _find_first(kind, name, list_named)
    if found is not None:
        return found
    try:
        return _create(name, create)
    except Conflict:
        # Another process took the name since the list was read.
        found = _find_first(kind, name, list_named)
        if found is None:
            raise
        return found


def _find_first(kind: str, name: str, list_named: Callable[[], Iterator[N]]) -> N | None:
    found = list(itertools.islice(list_named(), 2))
    if len(found) > 1:
        _log.warning("Several %ss are named %r: the oldest, %s, is taken", kind, name, found[0].id)
    return found[0] if found else None


def _create(name: str, create: Callable[[str | None], N]) -> N:
    made = create(_id_key(name))
    # The key may name an object that has been renamed since: then the name is free, so create another object.
    return made if made.name == name else create(None)


def _id_key(name: str) -> str:
    key = f"name:{name}"
    return key if len(key) <= limits.MAX_ID_CHARACTERS else f"name:sha256:{hashlib.sha256(name.encode()).hexdigest()}"
