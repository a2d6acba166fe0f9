"""A piece of a list: what storage reads, services hand on and routes answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

Cursor = str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and where to go on or None at its end."""

    data: list[T]
    next_cursor: Cursor | None
