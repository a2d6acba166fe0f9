"""``deardiary iterations output``: what an iteration has printed, and prints."""

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from deardiary.cli import find
from deardiary.cli.command import Call
from deardiary.cli.output import has_colours
from deardiary.terminal import number, printable, size
from deardiary.wire.form import to_json
from deardiary.wire.shapes import OutputGap, OutputLine, OutputPage

FOLLOW_SECONDS = 2.0
_COLOUR = r"\x1b\[[0-9;:]*m"
# Sequences that begin with an escape: control sequences, titles and other strings, single functions.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
_RESET = "\x1b[0m"


def show(call: Call) -> None:
    iteration_id = find.iteration(call.client, call.given.iteration).id
    if call.output.as_json and not call.given.follow:
        call.output.json([line for page in _pages(call, iteration_id) for line in page.data])
        return
    screen = _Screen(keeps_colours=has_colours(), rewrites=call.output.room() is not None)
    for page in _pages(call, iteration_id):
        if call.output.as_json:
            for line in page.data:
                print(json.dumps(to_json(line)))
        else:
            screen.show(page)
        sys.stdout.flush()
    if screen.is_empty and not call.output.as_json:
        call.output.note("This iteration has no captured output")


def _pages(call: Call, iteration_id: str) -> Iterator[OutputPage]:
    """The pages that there are; with --follow also later ones, until the iteration has ended."""
    given = call.given
    page = None
    while True:
        has_ended = given.follow and call.client.iterations.get(iteration_id).end_date is not None
        after, tail = (None, given.tail) if page is None else (page.cursor, None)
        page = call.client.iterations.output_page(iteration_id, after=after, stream=given.stream, tail=tail)
        yield page
        if page.next_cursor is None:
            if has_ended or not given.follow:
                return
            time.sleep(FOLLOW_SECONDS)


class _Screen:
    """Prints lines. A line that replaces the one before it does so within a page, and on a terminal."""

    def __init__(self, *, keeps_colours: bool, rewrites: bool) -> None:
        self._keeps_colours = keeps_colours
        self._rewrites = rewrites
        self._last: tuple[str, str] | None = None  # the stream and the text of the line printed last
        self.is_empty = True

    def show(self, page: OutputPage) -> None:
        if page.gap is not None:
            self._last, self.is_empty = None, False
            print(_said(page.gap))
        for index, line in _without_replaced(page.data):
            if index == 0 and page.data[0].text.startswith("\r"):
                self._replace(line)
            text = self._visible(line.text.removeprefix("\r"))
            print(text)
            self._last, self.is_empty = (line.stream, text), False

    def _replace(self, line: OutputLine) -> None:
        """On a terminal, go back to the beginning of the last line, if this one replaces it."""
        if self._rewrites and self._last is not None and self._last[0] == line.stream:
            width = shutil.get_terminal_size().columns
            rows = sum(max(1, -(-len(row) // width)) for row in _ESCAPES.sub("", self._last[1]).split("\n"))
            sys.stdout.write(f"\x1b[{rows}A\r\x1b[J")

    def _visible(self, text: str) -> str:
        """The text without what could control the terminal, but with its colours if the terminal has any."""
        pieces = re.split(f"({_COLOUR})", text)
        plain = [_ESCAPES.sub("", piece) for piece in pieces[::2]]
        if not self._keeps_colours or len(pieces) == 1:
            return printable("".join(plain).expandtabs())
        # A tab goes to the next column of eight, and colours take no column.
        column = 0
        for index, each in enumerate(plain):
            spread = f"{' ' * column}{each}".expandtabs()[column:]
            pieces[2 * index] = printable(spread)
            column += len(spread)
        return "".join([*pieces, _RESET])


def _without_replaced(lines: Sequence[OutputLine]) -> Iterator[tuple[int, OutputLine]]:
    """Leave out the lines that others replace. A line comes with the index of the first one that it replaces."""
    first = 0
    for index, (line, following) in enumerate(zip_longest(lines, lines[1:]), 1):
        if following is None or following.stream != line.stream or not following.text.startswith("\r"):
            yield first, line
            first = index


def _said(gap: OutputGap) -> str:
    return f"[{number(gap.lines, 'line')} of {size(gap.bytes)} were not kept]"
