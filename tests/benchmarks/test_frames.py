"""The benchmark of data frames with a small load: its figures are there, and each frame is checked."""

from __future__ import annotations

from pathlib import Path

import pandas

from benchmarks import frames
from benchmarks.kit.reading import KEY, one_key


def test_frames_are_measured_and_checked(tmp_path: Path) -> None:
    figures = frames.measure(tmp_path, {"100k": 1500, "1m": 2500}, 1, peer=False)
    assert set(figures) == {"frame_100k_s", "frame_1m_s", "columns_1m_s"}
    assert all(seconds > 0 for seconds in figures.values())


def test_a_wrong_frame_is_no_figure() -> None:
    curve = one_key(2)[KEY]
    right = {
        "key": [KEY] * 2,
        "step": list(curve.steps),
        "value": list(curve.values),
        "recorded_at": pandas.to_datetime(list(curve.times), unit="ms", utc=True),
    }
    assert frames._is_frame(pandas.DataFrame(right), curve)
    for wrong in ({"value": [0.0, 0.0]}, {"step": [0, 2]}, {"recorded_at": [right["recorded_at"][0]] * 2}):
        assert not frames._is_frame(pandas.DataFrame(right | wrong), curve)
