"""The benchmark of the dashboard with a small load: each figure is there."""

from __future__ import annotations

import pytest

from benchmarks import dashboard
from benchmarks.dashboard import Load
from tests.support.browser import NoBrowser


def test_the_dashboard_is_measured() -> None:
    load = Load(rows=30, many_rows=31, curves=2, points=500, running=2, polls=1, frames=10, rounds=1, settled=0)
    try:
        figures = dashboard.measure(load, peer=False)
    except NoBrowser as reason:
        pytest.skip(str(reason))
    for name in ("first_load_s", "table_1000_s", "table_10000_s", "chart_20x100k_s", "chart_20x100k_cold_s"):
        assert figures[name] > 0
    for name in ("table_1000", "table_10000"):
        assert figures[f"{name}_whole_s"] >= figures[f"{name}_s"]
    assert 20 < figures["first_load_kb_gzip"] <= 110
    assert figures["table_1000_kb"] > figures["first_load_kb_gzip"]
    assert figures["script_ms_per_frame"] > 0
    assert figures["scroll_frame_ms"] > 10
    # Six units each poll at least, every five seconds.
    assert figures["live_tab_read_units_per_hour"] >= 6 * 720
