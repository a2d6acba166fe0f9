"""The benchmark of exports and imports with a small load: its figures are there, and its results are checked."""

from __future__ import annotations

from pathlib import Path

from benchmarks.exchange import Load, measure


def test_exports_and_imports_are_measured_and_checked(tmp_path: Path) -> None:
    figures = measure(tmp_path, many=Load(3, 2, 5, 10), few=Load(2, 2, 5, 10), long=Load(1, 1, 50, 50))
    keys = {"import_100_runs_s", "export_1000_runs_s", "export_points_per_s", "import_points_per_s", "peak_mb"}
    assert set(figures) == keys
    assert all(figure > 0 for figure in figures.values())
