"""The binary form of points: decoding restores every input, and damage never becomes a number."""

from __future__ import annotations

import base64
import contextlib
import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.columns import Columns
from chalicelib.storage.points import codec, summary
from chalicelib.storage.points.codec import Batch, Content, DamagedData, Slice
from chalicelib.storage.points.summary import Summary
from deardiary.wire import chunks

int64 = st.integers(-(2**63), 2**63 - 1)
# Any pattern of 64 bits: subnormals, both zeros, infinities, every NaN.
float64 = st.binary(min_size=8, max_size=8).map(lambda raw: float(struct.unpack("<d", raw)[0]))
points = st.lists(st.tuples(int64, int64, float64), min_size=1, max_size=40)
series = st.dictionaries(st.text(max_size=20), points, max_size=5)


def columns(rows: list[tuple[int, int, float]]) -> Columns:
    made = Columns.empty()
    for row in rows:
        made.append(*row)
    return made


BATCH = Batch("0" * 24, 1_700_000_000_000_000)
batches = st.builds(
    Batch,
    st.binary(min_size=15, max_size=15).map(lambda raw: base64.b32hexencode(raw).decode().lower()),
    st.integers(0, 2**60),
)


def of_one_batch(rows_by_key: dict[str, list[tuple[int, int, float]]]) -> bytes:
    return codec.pack_batch({key: columns(rows) for key, rows in rows_by_key.items()})


def same_bits(one: Columns, other: Columns) -> bool:
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in ("steps", "times", "values"))


@given(series)
def test_a_batch_gives_back_every_bit(given_series: dict[str, list[tuple[int, int, float]]]) -> None:
    content = codec.unpack(of_one_batch(given_series), BATCH)
    assert content.batches == (BATCH,)
    assert list(content.series) == list(given_series)
    ordinals = [ordinal for piece in content.series.values() for ordinal in piece.ordinals]
    assert ordinals == list(range(sum(map(len, given_series.values()))))
    for key, rows in given_series.items():
        assert same_bits(content.series[key].columns, columns(rows))
        assert set(content.series[key].batches) == {0}
        # A key decoded alone equals the same key decoded among others.
        assert same_bits(codec.unpack(of_one_batch(given_series), BATCH, {key}).series[key].columns, columns(rows))


@given(series, st.lists(batches, min_size=1, max_size=4), st.data())
def test_points_of_many_batches_give_back_every_bit(
    whole: dict[str, list[tuple[int, int, float]]], table: list[Batch], data: st.DataObject
) -> None:
    slices = {
        key: Slice(
            columns(rows),
            data.draw(st.lists(st.integers(0, 9999), min_size=len(rows), max_size=len(rows))),
            data.draw(st.lists(st.integers(0, len(table) - 1), min_size=len(rows), max_size=len(rows))),
        )
        for key, rows in whole.items()
    }
    back = codec.unpack(codec.pack(Content(table, slices)), BATCH)
    assert list(back.batches) == table
    assert list(back.series) == list(slices)
    for key, piece in back.series.items():
        assert same_bits(piece.columns, slices[key].columns)
        assert (list(piece.ordinals), list(piece.batches)) == (slices[key].ordinals, slices[key].batches)


@given(series, st.booleans(), st.data())
def test_a_damaged_chunk_is_an_error(
    whole: dict[str, list[tuple[int, int, float]]], of_many: bool, data: st.DataObject
) -> None:
    packed = bytearray(of_one_batch(whole))
    if of_many:
        packed = bytearray(codec.pack(codec.unpack(bytes(packed), BATCH)))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedData):
        codec.unpack(bytes(packed), BATCH)


@pytest.mark.parametrize("length", [0, 3, 4, 7, 8, 20])
def test_a_cut_chunk_is_an_error(length: int) -> None:
    packed = of_one_batch({"loss": [(0, 0, 1.0)]})
    with pytest.raises(DamagedData):
        codec.unpack(packed[:length], BATCH)


def test_a_thousand_points_take_less_than_nine_kilobytes() -> None:
    rows = [(step, 1_700_000_000_000 + 37 * step, math.exp(-step / 300) + math.sin(step) / 7) for step in range(1000)]
    assert len(of_one_batch({"loss": rows})) < 9 * 1024 - 300


@given(st.lists(points, min_size=2, max_size=4))
def test_merging_summaries_is_the_summary_of_all(batches: list[list[tuple[int, int, float]]]) -> None:
    merged = Summary.of(columns(batches[0]))
    for batch in batches[1:]:
        merged = merged.merge(Summary.of(columns(batch)))
    whole = Summary.of(columns([row for batch in batches for row in batch]))
    assert repr(merged) == repr(whole) or _equal_but_for_zeros(merged, whole)


def _equal_but_for_zeros(one: Summary, other: Summary) -> bool:
    """0.0 and -0.0 are equal: their order decides which of them is the minimum."""
    names = Summary._fields
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    return all(a == b or (a != a and b != b) for a, b in pairs)


@given(st.dictionaries(st.text(max_size=20), points.map(columns).map(Summary.of), max_size=5))
def test_summaries_come_back(summaries: dict[str, Summary]) -> None:
    assert repr(summary.unpack_summaries(summary.pack_summaries(summaries))) == repr(summaries)


@given(st.dictionaries(st.text(max_size=20), points.map(columns).map(Summary.of), max_size=5))
def test_summaries_are_found_one_by_one(summaries: dict[str, Summary]) -> None:
    packed = summary.PackedSummaries(summary.pack_summaries(summaries))
    assert list(packed) == list(summaries)
    assert len(packed) == len(summaries)
    assert repr({key: packed[key] for key in packed}) == repr(summaries)
    assert "another key than all of these" not in packed
    # zlib adds a few bytes to incompressible data.
    assert len(summary.pack_summaries(summaries)) <= summary.size_of_summaries(summaries) + 16


@given(st.dictionaries(st.text(max_size=20), points.map(columns).map(Summary.of), max_size=5))
def test_summaries_of_version_1_are_read(summaries: dict[str, Summary]) -> None:
    """In version 1 each name precedes its own numbers."""
    rows = [
        struct.pack(">H", len(key.encode())) + key.encode() + summary._NUMBERS.pack(*one)
        for key, one in summaries.items()
    ]
    assert repr(summary.unpack_summaries(b"\x01" + b"".join(rows))) == repr(summaries)


@given(st.dictionaries(st.text(max_size=20), points.map(columns).map(Summary.of), max_size=5))
def test_summaries_of_version_2_are_read(summaries: dict[str, Summary]) -> None:
    """Version 2 is not compressed."""
    plain = zlib.decompress(summary.pack_summaries(summaries)[1:])
    assert repr(summary.unpack_summaries(b"\x02" + plain)) == repr(summaries)


@given(
    st.dictionaries(st.text(max_size=20), points.map(columns).map(Summary.of), min_size=1, max_size=5),
    st.data(),
)
def test_one_wrong_byte_in_summaries_is_never_another_number(
    summaries: dict[str, Summary], data: st.DataObject
) -> None:
    """Of the packed ones; the first byte is the version. Some bits of zlib do not change the content."""
    packed = bytearray(summary.pack_summaries(summaries))
    packed[data.draw(st.integers(1, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(DamagedData):
        assert repr(summary.unpack_summaries(bytes(packed))) == repr(summaries)
    with pytest.raises(DamagedData):
        summary.unpack_summaries(bytes(packed[: data.draw(st.integers(0, len(packed) - 1))]))


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x04",
        b"\x03",
        b"\x03abc",
        b"\x03" + zlib.compress(b"a"),
        b"\x02",
        b"\x02\0\0\0\0\0",
        b"\x02\0\0\0\x03\0\x01a",
    ],
)
def test_damaged_summaries_are_an_error(damage: bytes) -> None:
    with pytest.raises(DamagedData):
        summary.unpack_summaries(damage)


def test_a_row_that_unpacks_to_more_than_the_server_packs_is_refused() -> None:
    """390 KB of zeros, packed, are 390 MB."""
    bomb = zlib.compress(bytes(chunks.MAX_INFLATED + 1))
    framed = chunks.MAGIC + bytes([chunks.ONE_BATCH]) + zlib.crc32(bomb).to_bytes(4, "big") + bomb
    with pytest.raises(DamagedData, match="more than"):
        codec.unpack(framed, BATCH)
    with pytest.raises(DamagedData, match="more than"):
        summary.unpack_summaries(bytes([summary.VERSION]) + bomb)
    with pytest.raises(DamagedData, match="ends too early"):
        codec.inflate(bomb[: len(bomb) // 2])
    assert codec.inflate(zlib.compress(bytes(1000))) == bytes(1000)
