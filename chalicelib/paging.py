"""Pages of lists, from storage through services to routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

Cursor = str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, and the cursor to the next page, None at the end."""

    data: list[T]
    next_cursor: Cursor | None
