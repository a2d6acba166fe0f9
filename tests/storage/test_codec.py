"""The binary form of points: whatever goes in comes out, and damage never becomes a number."""

from __future__ import annotations

import math
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.storage import codec
from chalicelib.storage.codec import Columns, DamagedData, Digest

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


@given(series)
def test_a_chunk_gives_back_every_bit(given_series: dict[str, list[tuple[int, int, float]]]) -> None:
    packed = codec.pack({key: columns(rows) for key, rows in given_series.items()})
    unpacked = codec.unpack(packed)
    assert list(unpacked) == list(given_series)
    for key, rows in given_series.items():
        assert list(unpacked[key].steps) == [step for step, _, _ in rows]
        assert list(unpacked[key].times) == [time for _, time, _ in rows]
        assert unpacked[key].values.tobytes() == array("d", [value for _, _, value in rows]).tobytes()


@given(series, st.data())
def test_a_damaged_chunk_is_an_error(whole: dict[str, list[tuple[int, int, float]]], data: st.DataObject) -> None:
    packed = bytearray(codec.pack({key: columns(rows) for key, rows in whole.items()}))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedData):
        codec.unpack(bytes(packed))


@pytest.mark.parametrize("length", [0, 3, 4, 7, 8, 20])
def test_a_cut_chunk_is_an_error(length: int) -> None:
    packed = codec.pack({"loss": columns([(0, 0, 1.0)])})
    with pytest.raises(DamagedData):
        codec.unpack(packed[:length])


def test_a_thousand_points_take_less_than_nine_kilobytes() -> None:
    rows = [(step, 1_700_000_000_000 + 37 * step, math.exp(-step / 300) + math.sin(step) / 7) for step in range(1000)]
    assert len(codec.pack({"loss": columns(rows)})) < 9 * 1024 - 300


@given(st.lists(points, min_size=2, max_size=4))
def test_merging_digests_is_the_digest_of_all(batches: list[list[tuple[int, int, float]]]) -> None:
    merged = Digest.of(columns(batches[0]))
    for batch in batches[1:]:
        merged = merged.merge(Digest.of(columns(batch)))
    whole = Digest.of(columns([row for batch in batches for row in batch]))
    assert repr(merged) == repr(whole) or _equal_but_for_zeros(merged, whole)


def _equal_but_for_zeros(one: Digest, other: Digest) -> bool:
    """0.0 and -0.0 are equal: which of them is the least is a matter of order."""
    names = Digest.__slots__
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    return all(a == b or (a != a and b != b) for a, b in pairs)


@given(st.dictionaries(st.text(max_size=20), points.map(columns).map(Digest.of), max_size=5))
def test_digests_come_back(digests: dict[str, Digest]) -> None:
    assert repr(codec.unpack_digests(codec.pack_digests(digests))) == repr(digests)
