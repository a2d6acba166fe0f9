"""Patterns with % and _, matched without backtracking. The caller counts and bounds the work."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby

from chalicelib.services.search.budget import CHARACTERS_A_STEP

_TOKEN = re.compile(r"\\([%_\\])|([\s\S])")
_VERIFIED_A_STEP = 64

Spend = Callable[[int], None]


def _free(steps: int) -> None:
    """Count nothing."""


class _Piece:
    """The tokens between two %: characters, and None for each _."""

    def __init__(self, tokens: list[str | None]) -> None:
        self.length = len(tokens)
        self._form = re.compile("".join("." if each is None else re.escape(each) for each in tokens), re.DOTALL)
        self._is_plain = None not in tokens
        self._run, self._start = _longest_run(tokens)
        self._steps = 1 + self.length // _VERIFIED_A_STEP

    def is_at(self, text: str, index: int) -> bool:
        return self._form.match(text, index) is not None

    def find(self, text: str, start: int, end: int, spend: Spend) -> int:
        """The first index of the piece between start and end, or -1. Search for its longest run, then verify."""
        last = end - self.length
        index = start
        while index <= last:
            found = text.find(self._run, index + self._start, last + self._start + len(self._run))
            spend(self._steps + (max(found, index) - index if found >= 0 else end - index) // CHARACTERS_A_STEP)
            if found < 0:
                return -1
            index = found - self._start
            if self._is_plain or self.is_at(text, index):
                return index
            index += 1
        return -1


class Like:
    """A pattern of pieces. Leftmost matching suffices: it leaves the most text for the next pieces."""

    def __init__(self, pattern: str) -> None:
        pieces: list[list[str | None]] = [[]]
        for escaped, plain in _TOKEN.findall(pattern):
            if plain == "%":
                pieces.append([])
            else:
                pieces[-1].append(None if plain == "_" else escaped or plain)
        self._first, *rest = [_Piece(each) for each in (pieces[0], *(each for each in pieces[1:-1] if each))]
        self._last = _Piece(pieces[-1]) if len(pieces) > 1 else None
        self._middle = rest

    def matches(self, text: str, spend: Spend = _free) -> bool:
        """True if the whole text fits the pattern, else False. Case-sensitive."""
        first, last = self._first, self._last
        spend(1 + first.length // _VERIFIED_A_STEP)
        if not first.is_at(text, 0):
            return False
        if last is None:
            return len(text) == first.length
        index, end = first.length, len(text) - last.length
        if end < index or not last.is_at(text, end):
            return False
        for piece in self._middle:
            found = piece.find(text, index, end, spend)
            if found < 0:
                return False
            index = found + piece.length
        return True


def _longest_run(tokens: list[str | None]) -> tuple[str, int]:
    """The longest run of characters without a _, and its index."""
    runs, index = [("", 0)], 0
    for is_any, group in groupby(tokens, lambda each: each is None):
        found = list(group)
        if not is_any:
            runs.append(("".join(each or "" for each in found), index))
        index += len(found)
    return max(runs, key=lambda run: len(run[0]))
