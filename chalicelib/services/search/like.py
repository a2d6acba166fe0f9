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
        self._pieces = None if self._accepting_any else _pieces(pattern)

    def matches(self, text: str) -> bool:
        """Whether the whole text fits the pattern; upper and lower case differ."""
        if self._pieces is not None:
            return _holds(self._pieces, text)
        state = 1
        for character in text:
            accepting = self._accepting.get(character, 0) | self._accepting_any
            state = (state & accepting) << 1 | (state & self._staying)
            if not state:
                return False
        return bool(state & self._end)


def _pieces(pattern: str) -> list[str]:
    """What stands between the % of a pattern without _, in its order."""
    pieces = [""]
    for escaped, plain in _TOKEN.findall(pattern):
        if plain == "%":
            pieces.append("")
        else:
            pieces[-1] += escaped or plain
    return pieces


def _holds(pieces: list[str], text: str) -> bool:
    """A text with all pieces in it, one after the other: the earliest place for each leaves most for the rest."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
