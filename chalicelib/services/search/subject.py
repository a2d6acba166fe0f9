"""The form in which conditions and orders see an iteration: from its own items, or from the columns of a block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chalicelib.services.search.ast import Name
from chalicelib.services.search.values import Value


class Subject(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def tags(self) -> Sequence[str]: ...

    def value(self, name: Name) -> Value | None: ...
