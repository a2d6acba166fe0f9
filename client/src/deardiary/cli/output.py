"""Output of commands: JSON for programs, tables for people."""

import dataclasses
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from enum import IntEnum
from typing import Any, TypeVar

from deardiary.terminal import printable
from deardiary.wire.form import to_json
from deardiary.wire.shapes import Shape

T = TypeVar("T")

GAP = "  "  # between two columns
_WIDEST, _NARROWEST = 60, 8  # characters of a column
# Enough to distinguish ids that were created more than a tenth of a millisecond apart.
_SHORT_ID = 10
_IDS = ("spool",)  # fields that hold an id, though their names do not end with "id"
_UNCUT = ("id", "iteration", "experiment", "resource", "run", "status", "stage", "created")
_NOT_ASCII = re.compile(r"[^\n -~]")
_RED, _GREEN, _YELLOW, _BLUE = 31, 32, 33, 34
_COLOURS = {
    "FAILED": _RED,
    "KILLED": _YELLOW,
    "RUNNING": _BLUE,
    "SUCCEEDED": _GREEN,
    "PRODUCTION": _GREEN,
    "STAGING": _YELLOW,
}


class Output:
    """Writes to stdout: with ``as_json`` only objects in their wire form, otherwise only text for people."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, text: str, values: Iterable[object] = ()) -> None:
        """Print text for people. On a terminal, colour the statuses among these values."""
        if not self.as_json:
            print(coloured(printable(text), values) if has_colours() else printable(text))

    def json(self, value: Any) -> None:
        if self.as_json:
            text = json.dumps(with_words(value), indent=2, ensure_ascii=False, allow_nan=False)
            print(_NOT_ASCII.sub(_escaped, text))

    def objects(
        self, objects: Iterable[Any], columns: Mapping[str, str], empty: str, *, whole_ids: bool = False
    ) -> None:
        """Print a table of these fields, by their headings, or ``empty`` if there are no objects."""
        if self.as_json:
            self.json(list(objects))
            return
        shown = list(objects)
        values: list[Sequence[object]] = []
        for field in columns.values():
            column = [getattr(each, field) for each in shown]
            is_id = field.endswith("id") or field in _IDS
            values.append(_short(column) if is_id and not whole_ids and self.room() is not None else column)
        self.table(list(columns), list(zip(*values, strict=True)), empty)

    def one(self, shape: Any, left_out: Iterable[str] = ()) -> None:
        self.json(shape)
        if shape is None:
            self.say("Done; you may not read the result")
            return
        fields = {name: getattr(shape, name) for name in shape.__dataclass_fields__ if name not in left_out}
        labels: dict[str, str] = fields.pop("labels", {})
        fields |= {f"labels.{key}": value for key, value in labels.items()}
        self.fields({_label(name, value): value for name, value in fields.items() if value not in (None, "")})

    def changed(self, shape: T, sentence: Callable[[T], str]) -> None:
        """Print a sentence for people, or the whole object for programs. A caller who may not read gets None back."""
        self.json(shape)
        self.say("Done; you may not read the result" if shape is None else sentence(shape))

    def deleted(self, *ids: str) -> None:
        self.json({"deleted": ids})
        for each in ids:
            self.say(f"Deleted {each}")

    def note(self, text: str) -> None:
        """Print a sentence, wrapped to the width of the terminal."""
        room = self.room()
        self.say(text if room is None else textwrap.fill(text, room, break_on_hyphens=False))

    def room(self) -> int | None:
        """The width of the terminal in characters; None if stdout is no terminal."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def fields(self, fields: Mapping[str, object]) -> None:
        width = max(map(len, fields), default=0)
        for name, value in fields.items():
            self.say(self._wrapped(f"{name.ljust(width)}  {cell(value)}", width + len(GAP)), [value])

    def _wrapped(self, text: str, indent: int) -> str:
        room = self.room()
        if room is None or len(text) <= room or "\n" in text:
            return text
        return textwrap.fill(text, room, subsequent_indent=" " * indent, break_on_hyphens=False)

    def width(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
        """The width of this table in characters."""
        widths = [width_of(column, [row[index] for row in rows]) for index, column in enumerate(columns)]
        return sum(widths) + len(GAP) * (len(widths) - 1)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str = "", *, whole: bool = False
    ) -> None:
        """Print a table. On a narrow terminal cut texts, but no numbers and no ids; with ``whole`` cut nothing."""
        if not rows:
            self.note(empty)
            return
        right = [all(_is_number(row[index]) for row in rows) for index in range(len(columns))]
        widths = [width_of(column, [row[index] for row in rows]) for index, column in enumerate(columns)]
        room = None if whole else self.room()
        if room is not None:
            texts = [not is_number and name not in _UNCUT for name, is_number in zip(columns, right, strict=True)]
            widths = _fitting_widths(widths, texts, room, len(GAP))
        shown = len(widths)
        for line in (columns[:shown], ["-" * width for width in widths]):
            self.say(_aligned(line, widths, right))
        for row in rows:
            self.say(_aligned(map(cell, row[:shown]), widths, right), row)
        if shown < len(columns):
            self.note(f"Not shown: {', '.join(columns[shown:])}. A wider terminal or a pipe shows all.")


def _label(name: str, value: object) -> str:
    """The label of a field: a status or stage is shown as a word, not as an id."""
    return name.removesuffix("_id") if isinstance(value, IntEnum) else name


def short_ids(ids: Sequence[str]) -> list[str]:
    """Prefixes of these ids, long enough to distinguish them."""
    length = _SHORT_ID
    while len({each[:length] for each in ids}) < len(set(ids)):
        length += 1
    return [each[:length] for each in ids]


def _short(values: Sequence[object]) -> Sequence[object]:
    """Shorten ids for a terminal; a status is no id, though its field ends with "id"."""
    if not all(value is None or type(value) is str for value in values):
        return values
    return [value or None for value in short_ids([str(value or "") for value in values])]


def cell(value: object) -> str:
    """Format a value for people: times in UTC to the second, numbers with six digits, an empty text for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return str(value)


def _escaped(sign: re.Match[str]) -> str:
    """Escape control characters: JSON escapes only those below the space, and others control terminals too."""
    return sign[0] if sign[0].isprintable() else json.dumps(sign[0])[1:-1]


def with_words(value: Any) -> Any:
    """The wire form, with the word for each status or stage beside its number: ``"status": "FAILED"``."""
    if isinstance(value, Shape):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        words = {_label(name, each): each.name for name, each in fields.items() if isinstance(each, IntEnum)}
        return {name: with_words(each) for name, each in fields.items()} | words
    if isinstance(value, Mapping):
        return {name: with_words(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_words(each) for each in value]
    return to_json(value)


def has_colours() -> bool:
    """True on a terminal that has colours, unless NO_COLOR asks for none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(text: str, values: Iterable[object]) -> str:
    for value in values:
        code = _COLOURS.get(value.name) if isinstance(value, IntEnum) else None
        if code and isinstance(value, IntEnum):
            text = text.replace(value.name, f"\x1b[{code}m{value.name}\x1b[0m", 1)
    return text


def shortened(text: str, widest: int = _WIDEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= widest else line[: widest - 1] + "…"


def width_of(heading: str, values: Iterable[object]) -> int:
    return max(len(heading), *(len(shortened(cell(value))) for value in values), 0)


def _is_number(value: object) -> bool:
    """True for numbers, and for text that is a number: parameters are text, and align like numbers."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, (bool, IntEnum)))


def _aligned(line: Iterable[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        shortened(text, width).rjust(width) if to_right else shortened(text, width).ljust(width)
        for text, width, to_right in zip(line, widths, right[: len(widths)], strict=True)
    )
    return GAP.join(padded).rstrip()


def _fitting_widths(widths: Sequence[int], may_be_cut: Sequence[bool], room: int, gap: int) -> list[int]:
    """The widths of the columns that have room, the first ones.

    The widest that may be cut shrink first, to ``_NARROWEST`` at least. Then the last columns have no room.
    """
    left = _narrowed(widths, may_be_cut, room - gap * (len(widths) - 1))
    while len(left) > 1 and sum(left) + gap * (len(left) - 1) > room:
        left.pop()
    return left


def _narrowed(widths: Sequence[int], may_be_cut: Sequence[bool], room: int) -> list[int]:
    left = list(widths)
    while sum(left) > room:
        cuttable = [index for index, may in enumerate(may_be_cut) if may and left[index] > _NARROWEST]
        if not cuttable:
            break
        left[max(cuttable, key=left.__getitem__)] -= 1
    return left
