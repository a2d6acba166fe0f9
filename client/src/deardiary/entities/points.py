"""The points of an iteration as columns, decoded from the rows that the server stores."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from deardiary.api import Api, path_of, present
from deardiary.errors import NOT_OURS, ClientError
from deardiary.wire.chunks import Batch, DamagedData, Part, in_order, unpack
from deardiary.wire.points_page import PointsPage, decode_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from deardiary.wire.columns import Columns

_NO_BATCH = Batch("", 0)


def read_points(
    api: Api, iteration_id: str, keys: Sequence[str], min_step: int | None, max_step: int | None
) -> dict[str, Columns]:
    """Read the points of these keys in their order, or of all keys, sorted. A key without points is left out."""
    path = path_of("iterations", iteration_id, "metrics", "columns")
    window = present(min_step=min_step, max_step=max_step)
    pages = list(_pages(api, path, [*(("key", key) for key in keys), *window.items()]))
    try:
        parts = _parts(pages, frozenset(keys) or None)
    except DamagedData as error:
        raise ClientError(0, NOT_OURS, f"The points of iteration {iteration_id} are damaged: {error}") from None
    ordered = ((key, in_order(parts.pop(key))) for key in dict.fromkeys(keys or sorted(parts)) if key in parts)
    found = {key: columns.between(min_step, max_step) for key, columns in ordered}
    return {key: columns for key, columns in found.items() if len(columns)}


def _pages(api: Api, path: str, asked: Sequence[tuple[str, object]]) -> Iterator[PointsPage]:
    cursor: str | None = None
    while True:
        query = urlencode([*asked, *present(cursor=cursor).items()])
        page = api.get_bytes_as(_page_of, f"{path}?{query}" if query else path)
        yield page
        if page.next_cursor is None:
            return
        if page.next_cursor == cursor:
            raise ClientError(0, NOT_OURS, "The server repeats a page of points")  # it would repeat it for ever
        cursor = page.next_cursor


def _page_of(content: bytes) -> PointsPage:
    try:
        return decode_page(content)
    except DamagedData as error:
        raise ValueError(str(error)) from None


def _parts(pages: Sequence[PointsPage], keys: Collection[str] | None) -> dict[str, list[Part]]:
    """Decode the visible points, as parts by key."""
    # A batch may move between two pages: only all pages together say which packed points are visible.
    homes = {batch: generation for page in pages for batch, generation in page.homes.items()}
    parts: dict[str, list[Part]] = {}
    for row in (row for page in pages for row in page.rows):
        content = unpack(row.points, row.batch or _NO_BATCH, keys)
        if row.generation is not None:
            content = content.visible(row.generation, homes)
        for key, piece in content.series.items():
            parts.setdefault(key, []).append((content.batches, piece))
    return parts
