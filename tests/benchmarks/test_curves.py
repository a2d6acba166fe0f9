"""The benchmark of charts with a small load: its figures are there."""

from __future__ import annotations

from benchmarks import curves


def test_charts_are_measured() -> None:
    load = curves.Load(curves=2, points=12_000, keys=2, long=12_000, window=10, rounds=1)
    figures = curves.measure(load, peer=False)
    assert figures["one_of_ten_keys_read_units"] < figures["one_of_ten_keys_first_read_units"]
    assert 0 < figures["running_poll_read_units"] < figures["running_new_read_units"]
    assert figures["running_new_read_units"] < figures["running_first_read_units"]
    for name in ("chart_20x100k_cold_s", "chart_20x100k_warm_s", "answer_kb_gzip", "warm_read_units"):
        assert figures[name] > 0
