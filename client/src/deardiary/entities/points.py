"""The points of an iteration as columns, decoded from the rows that the server stores."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from deardiary.api import Api, path_of, present
from deardiary.errors import NOT_OURS, ClientError
from deardiary.wire.chunks import Batch, Content, DamagedData, Part, in_order, unpack
from deardiary.wire.columns import Columns
from deardiary.wire.points_page import PointsPage, StoredRow, decode_page

_NO_BATCH = Batch("", 0)


def read_points(
    api: Api, iteration_id: str, keys: Sequence[str], min_step: int | None, max_step: int | None
) -> dict[str, Columns]:
    """Read the points of these keys in their order, or of all keys, sorted. A key without points is left out."""
    window = present(min_step=min_step, max_step=max_step)
    asked = [*(("key", key) for key in keys), *window.items()]
    decoder = _Decoder(frozenset(keys) or None)
    try:
        for page in read_pages(api, iteration_id, asked):
            decoder.add(page)
        parts = decoder.parts()
    except DamagedData as error:
        raise ClientError(0, NOT_OURS, f"The points of iteration {iteration_id} are damaged: {error}") from None
    ordered = ((key, in_order(parts.pop(key))) for key in dict.fromkeys(keys or sorted(parts)) if key in parts)
    found = {key: columns.between(min_step, max_step) for key, columns in ordered}
    return {key: columns for key, columns in found.items() if len(columns)}


def read_pages(api: Api, iteration_id: str, asked: Sequence[tuple[str, object]] = ()) -> Iterator[PointsPage]:
    """Read all pages. The next one is on its way while the caller decodes one."""
    path = path_of("iterations", iteration_id, "metrics", "columns")

    def read(cursor: str | None) -> PointsPage:
        query = urlencode([*asked, *present(cursor=cursor).items()])
        page = api.get_bytes_as(_page_of, f"{path}?{query}" if query else path)
        if cursor is not None and page.next_cursor == cursor:
            raise ClientError(0, NOT_OURS, "The server repeats a page of points")  # it would repeat it for ever
        return page

    page = read(None)
    with ThreadPoolExecutor(1) as pool:
        while page.next_cursor is not None:
            following = pool.submit(read, page.next_cursor)
            yield page
            page = following.result()
        yield page


def _page_of(content: bytes) -> PointsPage:
    try:
        return decode_page(content)
    except DamagedData as error:
        raise ValueError(str(error)) from None


class _Decoder:
    def __init__(self, keys: Collection[str] | None) -> None:
        self._keys = keys
        self._parts: dict[str, list[Part]] = {}
        self._packed: list[StoredRow] = []
        self._homes: dict[str, str] = {}

    def add(self, page: PointsPage) -> None:
        """Decode the chunks of a page. Its packed rows wait: a batch may move between two pages."""
        self._homes.update(page.homes)
        for row in page.rows:
            if row.batch is None:
                self._packed.append(row)
            else:
                self._put(unpack(row.points, row.batch, self._keys))

    def parts(self) -> dict[str, list[Part]]:
        for row in self._packed:
            self._put(unpack(row.points, _NO_BATCH, self._keys).visible(row.generation or "", self._homes))
        return self._parts

    def _put(self, content: Content) -> None:
        for key, piece in content.series.items():
            self._parts.setdefault(key, []).append((content.batches, piece))
