"""The client's benchmarks, small and without peers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import deardiary
from benchmarks import client_import, client_log


def test_a_killed_process_loses_nothing() -> None:
    figures = client_log.measure(peer=False, calls=50, rounds=1, steps=10)
    assert set(figures) == {
        *("log_p50_us", "log_p99_us", "lost_after_sigkill", "points", "keys"),
        *("start_ms", "start_without_capture_ms", "capture_ratio"),
    }
    assert figures["capture_ratio"] > 0
    assert (figures["lost_after_sigkill"], figures["points"]) == (0, 250)
    assert 0 < figures["log_p50_us"] <= figures["log_p99_us"]


def test_the_import_is_timed_and_weighed(tmp_path: Path) -> None:
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "big.py").write_bytes(b"x" * 1000)
    (tmp_path / "slim.py").write_text("begin = 1\n")
    (tmp_path / "slim-1.0.dist-info").mkdir()
    (tmp_path / "pip-1.0.dist-info").mkdir()
    variables = {"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    slim = client_import.Contender("slim_", "slim", "begin", sys.executable, variables, tmp_path)
    figures = client_import._figures(slim, rounds=1)
    assert figures["slim_packages"] == 1
    assert figures["slim_installed_mb"] == (tmp_path / "slim.py").stat().st_size / 1e6
    assert set(figures) == {f"slim_{name}" for name in ("import_ms", "ready_ms", "installed_mb", "packages")}


def test_the_client_stays_small() -> None:
    source = Path(deardiary.__file__).parent
    assert sum(path.stat().st_size for path in source.rglob("*.py")) < 1e6
