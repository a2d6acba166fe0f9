"""The captured output of an iteration, read in pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from deardiary.api import Api, path_of, present
from deardiary.wire.shapes import OutputLine, OutputPage


def read_page(api: Api, iteration_id: str, after: str | None, stream: str | None, tail: int | None) -> OutputPage:
    query = urlencode(present(after=after, stream=stream, tail=tail))
    path = path_of("iterations", iteration_id, "output")
    return api.get(OutputPage, f"{path}?{query}" if query else path)


def each_line(api: Api, iteration_id: str, after: str | None, stream: str | None) -> Iterator[OutputLine]:
    while True:
        page = read_page(api, iteration_id, after, stream, None)
        for number, line in enumerate(page.data):
            yield line if number or page.gap is None else replace(line, gap=page.gap)
        after = page.next_cursor
        if after is None:
            return
