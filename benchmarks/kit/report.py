"""Shared parts of all benchmarks: their options, and the output of their results."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Number = int | float
Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a benchmark: output for a program, and whether to run peers."""

    json: bool
    peer: bool


def parse_options(name: str, description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Parse the options. All benchmarks accept the same ones, even those without a peer."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--json", action="store_true", help="one flat JSON object instead of a table")
    parser.add_argument("--no-peer", action="store_true", help="measure DearDiary only")
    given = parser.parse_args(arguments)
    return Options(json=given.json, peer=not given.no_peer)


def show(
    options: Options, figures: Mapping[str, Number], columns: Row = ("figure", "value"), rows: Sequence[Row] = ()
) -> None:
    """Print all figures as one JSON object, or as a table: of `rows` if the figures alone are hard to read."""
    if options.json:
        print(json.dumps(figures))
    else:
        print(table(columns, rows or list(figures.items())))


def table(columns: Row, rows: Sequence[Row]) -> str:
    """Lines of aligned text, numbers to the right."""
    cells = [[_text(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    right = [bool(rows) and isinstance(rows[0][at], int | float) for at in range(len(columns))]
    lines = [_line(row, widths, right) for row in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _text(cell: object) -> str:
    """Floats in four significant digits, whole and large ones as whole numbers."""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() or abs(cell) >= 1000 else f"{cell:.4g}"
    return str(cell)
