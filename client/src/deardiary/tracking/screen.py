"""The lines of a stream as a terminal would show them: the states of a progress bar become one line."""

import re
from dataclasses import dataclass

# A line of more characters is cut into several; an unfinished one of more is shown when it ends, unless it is a bar.
MAX_CHARACTERS = 32 * 1024
_MAX_UNFINISHED = 1024
# A cursor-up sequence reaches this many rows; above them a long text is taken apart faster.
_REACHED_ROWS = 32
_MANY_CHARACTERS = 1024
_MOVES_BACK = re.compile("[\r\x1b]")
_MOVES = re.compile(r"\r\n|\n|\r|\x1b\[\d{0,3}A")


Shown = tuple[int, int, str]  # the order and time (ms since 1970) of the last change, and the text


@dataclass(slots=True, eq=False)
class Row:
    """A line on the screen. ``order`` and ``time_ms`` are of its last change; ``shown`` is the text as last taken."""

    text: str = ""
    order: int = 0
    time_ms: int = 0
    is_replaced: bool = False
    shown: str | None = None


class Screen:
    """Rows of one stream that are not taken yet. A cursor-up sequence moves only among these."""

    def __init__(self) -> None:
        self._rows = [Row()]
        self._index = 0
        self._replaces = False  # the next text begins the row anew
        self._finished: list[Shown] = []
        self._last: Row | None = None  # the row shown last

    def feed(self, text: str, time_ms: int, order: int) -> None:
        if len(text) > _MANY_CHARACTERS and not _MOVES_BACK.search(text):
            text = self._feed_many(text, time_ms, order)
        start = 0
        for move in _MOVES.finditer(text):
            self._write(text[start : move.start()], time_ms, order)
            start = move.end()
            if move[0] == "\r":
                self._replaces = True
            elif move[0].endswith("\n"):
                self._down(time_ms, order)
            else:
                self._index = max(0, self._index - int(move[0][2:-1] or 1))
                self._replaces = True
        self._write(text[start:], time_ms, order)

    def _feed_many(self, text: str, time_ms: int, order: int) -> str:
        """Finish many plain lines at once; return the rest of the text, which a later text may still change."""
        lines = text.split("\n")
        if self._index < len(self._rows) - 1 or self._replaces or max(map(len, lines)) > MAX_CHARACTERS:
            return text
        many, rest = lines[:-_REACHED_ROWS], lines[-_REACHED_ROWS:]
        if len(many) < _REACHED_ROWS:
            return text
        self._write(many[0], time_ms, order)
        self._down(time_ms, order)
        self._settle()
        self._finished += [(order, time_ms, line) for line in many[1:]]
        self._last = None
        return "\n".join(rest)

    def take(self, *, unfinished: bool) -> list[Shown]:
        """Take the finished rows, and with ``unfinished`` show the others.

        A text that begins with a carriage return replaces the one taken before it.
        """
        self._settle()
        taken, self._finished = self._finished, []
        if unfinished:
            taken += [found for row in self._rows if _is_shown(row) and (found := self._show(row)) is not None]
        return taken

    def _settle(self) -> None:
        """Show the rows above the cursor: nothing can change them any more."""
        rows, self._rows = self._rows[: self._index], self._rows[self._index :]
        self._index = 0
        self._finished += [found for row in rows if (found := self._show(row)) is not None]

    def _write(self, piece: str, time_ms: int, order: int) -> None:
        while piece:
            row = self._rows[self._index]
            if self._replaces:
                row.text, row.is_replaced, self._replaces = "", True, False
            room = MAX_CHARACTERS - len(row.text)
            row.text += piece[:room]
            row.time_ms, row.order = time_ms, order
            piece = piece[room:]
            if piece:
                self._down(time_ms, order)

    def _down(self, time_ms: int, order: int) -> None:
        row = self._rows[self._index]
        row.time_ms, row.order = row.time_ms or time_ms, row.order or order
        self._index += 1
        self._replaces = self._index < len(self._rows)
        if not self._replaces:
            self._rows.append(Row())

    def _show(self, row: Row) -> Shown | None:
        text = row.text.rstrip(" ") if row.is_replaced else row.text
        if text == row.shown:
            return None
        replaces = row.shown is not None and self._last is row
        row.shown, self._last = text, row
        return row.order, row.time_ms, f"\r{text}" if replaces else text


def _is_shown(row: Row) -> bool:
    return bool(row.text.strip()) and (row.is_replaced or len(row.text) <= _MAX_UNFINISHED)
