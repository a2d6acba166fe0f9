"""HTML for notebooks. Every text is escaped: a name or a note may come from anybody who can log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from html import escape
from typing import Any

from deardiary.wire.times import format_time

MOST_ROWS = 20
_EMPTY: tuple[object, ...] = (None, "", (), {}, [])
_MOST_COLUMNS, _MOST_ENTRIES, _MOST_CHARACTERS = 30, 20, 300


def table(names: Sequence[str], rows: Sequence[Sequence[object]], total: int | None) -> str:
    """A table of the first rows. ``total`` is the number of all rows; None if there are more than these."""
    shown = rows[:MOST_ROWS]
    head = _row("th", map(escape, names[:_MOST_COLUMNS]))
    body = "".join(_row("td", map(cell, row[:_MOST_COLUMNS])) for row in shown)
    notes = []
    if total is None or total > len(shown):
        notes.append("and more rows" if total is None else f"{len(shown)} of {total:,} rows")
    if len(names) > _MOST_COLUMNS:
        notes.append(f"{_MOST_COLUMNS} of {len(names):,} columns")
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>" + _note(notes)


def objects(found: Sequence[Any]) -> str:
    """A table of shapes, one more than are shown if there are others; without the columns that are empty in all."""
    rows = [each.shown() for each in found]
    names = [name for name in (rows[0] if rows else ()) if any(row[name] not in _EMPTY for row in rows)]
    total = len(rows) if len(rows) <= MOST_ROWS else None
    return table(names, [[row[name] for name in names] for row in rows], total)


def fields(title: str, values: Mapping[str, object], url: str | None = None) -> str:
    """An object: its title, and a row for each field that has a value."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{cell(value)}</td></tr>'
        for name, value in values.items()
        if value not in _EMPTY
    )
    return f"<table><caption>{_link(title, url)}</caption><tbody>{rows}</tbody></table>"


def cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        lines = [f"{_text(key)} = {cell(each)}" for key, each in list(value.items())[:_MOST_ENTRIES]]
        return "<br>".join([*lines, "…"] if len(value) > _MOST_ENTRIES else lines)
    if isinstance(value, (tuple, list)):
        return ", ".join([*map(cell, value[:_MOST_ENTRIES]), *(["…"] if len(value) > _MOST_ENTRIES else [])])
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, Enum):
        text = value.name
    elif isinstance(value, datetime):
        text = format_time(value)
    else:
        # Of the summary of a metric its last value.
        value = getattr(value, "last", value)
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return escape(text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…")


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{each}</{tag}>" for each in cells) + "</tr>"


def _link(title: str, url: str | None) -> str:
    is_web = url is not None and url.startswith(("http://", "https://"))
    return (
        f'<a href="{escape(url or "")}" target="_blank" rel="noopener">{escape(title)}</a>' if is_web else escape(title)
    )


def _note(notes: Sequence[str]) -> str:
    return f"<p>{', '.join(notes)}</p>" if notes else ""
