"""Patterns with % and _, matched in one pass over the text whatever the pattern: no backtracking."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\([%_\\])|([\s\S])")


class Like:
    """A pattern as a set of places in it, one bit each, that a text can have reached.

    Bit i of the state says that what was read so far can be the first i tokens. A character moves a place on if its
    token accepts the character, and keeps it if there is a % at it (Shift-And: Baeza-Yates and Gonnet 1992).
    """

    def __init__(self, pattern: str) -> None:
        self._accepting: dict[str, int] = {}
        self._accepting_any = self._staying = 0
        place = 1
        for escaped, plain in _TOKEN.findall(pattern):
            if plain == "%":
                self._staying |= place
                continue
            if plain == "_":
                self._accepting_any |= place
            else:
                character = escaped or plain
                self._accepting[character] = self._accepting.get(character, 0) | place
            place <<= 1
        self._end = place

    def matches(self, text: str) -> bool:
        """Whether the whole text fits the pattern; upper and lower case differ."""
        state = 1
        for character in text:
            accepting = self._accepting.get(character, 0) | self._accepting_any
            state = (state & accepting) << 1 | (state & self._staying)
            if not state:
                return False
        return bool(state & self._end)
