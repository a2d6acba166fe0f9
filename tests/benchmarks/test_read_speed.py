"""The benchmark of reading with a small load: its figures are there, and what it reads is checked."""

from __future__ import annotations

import pytest

from benchmarks import read_speed
from benchmarks.kit import reading
from benchmarks.kit.reading import Load, Reading, WrongAnswer


def test_reading_is_measured_and_checked() -> None:
    figures = read_speed.measure(Load(history=2000, series=3000, iterations=6, rounds=1), peer=False)
    assert figures["history_100k_pages"] == 1
    assert figures["series_1m_bytes"] <= 65_536
    assert figures["server_idle_mb"] <= figures["server_peak_mb"] <= 300
    for name in ("history_100k_s", "series_100k_s", "series_1m_s", "table_1000_s", "table_page_s"):
        assert figures[name] > 0


def test_a_wrong_answer_is_no_figure() -> None:
    right = reading.is_whole(reading.one_key(2)["loss"])
    wrong = Reading("history", lambda: {"step": [0, 1], "value": [0.0, 0.0]}, right)
    with pytest.raises(WrongAnswer, match="history"):
        reading.timed([wrong], rounds=1)
