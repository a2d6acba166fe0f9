"""All points of an iteration as its server stores them, on this machine's disk."""

from __future__ import annotations

import tempfile
from array import array
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import numpy

from deardiary.entities.points import read_pages
from deardiary.errors import NOT_OURS, ClientError
from deardiary.wire.chunks import Batch, Content, DamagedData, unpack
from deardiary_exchange.on_disk import PointsOnDisk, windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import deardiary
    from deardiary.wire.points_page import StoredRow
    from deardiary_exchange.on_disk import Rows

_NO_BATCH = Batch("", 0)
# Columns of the points: those of a metric, when their batch was accepted, and their number in it.
_COLUMNS = 5


def read(client: deardiary.Client, iteration_id: str) -> PointsOnDisk:
    """Read all points, page by page. Close what is returned."""
    with ExitStack() as stack:
        found = stack.enter_context(PointsOnDisk(_COLUMNS))
        packed = stack.enter_context(_PackedRows())
        homes: dict[str, str] = {}
        try:
            for page in read_pages(client.metrics._api, iteration_id):  # noqa: SLF001 - a part of the client
                homes |= page.homes
                for row in page.rows:
                    if row.batch is None:
                        packed.add(row)  # a batch may move between two pages
                    else:
                        _put(found, unpack(row.points, row.batch))
            for points, generation in packed:
                _put(found, unpack(points, _NO_BATCH).visible(generation, homes))
        except DamagedData as error:
            raise ClientError(0, NOT_OURS, f"The points of iteration {iteration_id} are damaged: {error}") from None
        stack.pop_all()
        packed.close()
        return found


def in_order(points: PointsOnDisk, key: str) -> Iterator[Rows]:
    """The points of a key by step, then time, then arrival, as steps, times and the bits of the values."""
    for low, high in windows(key, points):
        steps, times, values, accepted, ordinals = points.rows(key, low, high)
        order = numpy.lexsort((ordinals, accepted, times, steps))
        yield numpy.stack([steps[order], times[order], values[order]])


def _put(found: PointsOnDisk, content: Content) -> None:
    accepted = numpy.array([each.accepted_us for each in content.batches], dtype="i8")
    for key, piece in content.series.items():
        bits = array("q", piece.columns.values.tobytes())
        numbers = numpy.asarray(piece.ordinals, dtype="i8")
        batches = numpy.frombuffer(piece.batches, dtype="u1") if isinstance(piece.batches, bytes) else piece.batches
        arrived = accepted[numpy.asarray(batches, dtype="i8")]
        columns = (array("q", each.tobytes()) for each in (arrived, numbers))
        found.add(key, piece.columns.steps, piece.columns.times, bits, *columns)


class _Place(NamedTuple):
    offset: int
    size: int
    generation: str


class _PackedRows:
    """Packed rows in a temporary file, still compressed."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="deardiary-packed-")  # noqa: SIM115 - __exit__ closes it
        self._places: list[_Place] = []

    def __enter__(self) -> _PackedRows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def add(self, row: StoredRow) -> None:
        self._places.append(_Place(self._file.tell(), len(row.points), row.generation or ""))
        self._file.write(row.points)

    def __iter__(self) -> Iterator[tuple[bytes, str]]:
        for place in self._places:
            self._file.seek(place.offset)
            yield self._file.read(place.size), place.generation
