"""The lines that a W&B run printed, from the pieces in its record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from deardiary_exchange.origins.wandb.state import milliseconds
from deardiary_exchange.runs import Line

_STREAMS = {0: "stderr", 1: "stdout"}


def lines_of(records: Iterable[Any]) -> Iterator[Line]:
    """Each line with the time of its last piece. Of a line that was written over (a progress bar) the last text."""
    open_lines = {"stdout": "", "stderr": ""}
    last_ms = 0
    for record in records:
        kind = record.WhichOneof("record_type")
        if kind not in ("output", "output_raw"):
            continue
        piece = getattr(record, kind)
        stream, last_ms = _STREAMS[piece.output_type], milliseconds(piece.timestamp)
        *whole, open_lines[stream] = (open_lines[stream] + piece.line).split("\n")
        for text in whole:
            yield _line(stream, text, last_ms)
        open_lines[stream] = open_lines[stream].rpartition("\r")[2]
    for stream, text in open_lines.items():
        if text:
            yield _line(stream, text, last_ms)


def _line(stream: str, text: str, time_ms: int) -> Line:
    shown = text.rstrip("\r").rpartition("\r")[2]
    return Line("stderr" if stream == "stderr" else "stdout", shown, time_ms)
