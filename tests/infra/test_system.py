"""`python -m infra.local serve`: the whole system, for a program that starts it and dies; its upkeep."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from chalicelib.routes import upkeep
from infra.local import system


def test_it_serves_until_its_starter_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.local", "serve", str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=pipe, stdout=pipe, text=True) as server:  # noqa: S603
        assert server.stdin is not None
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())
        assert address["pid"] == server.pid
        assert requests.get(f"{address['url']}/auth/me", timeout=10).json()["is_admin"]
        server.stdin.close()
        assert server.wait(timeout=30) == 0


def test_upkeep_goes_on_after_each_failure_and_logs_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fourth = threading.Event()
    runs = 0

    def run(_seconds: float) -> bool:
        nonlocal runs
        runs += 1
        if runs >= 4:
            fourth.set()
            return True
        raise OSError(f"failure {runs}")

    monkeypatch.setattr(upkeep, "run", run)
    monkeypatch.setattr(system, "UPKEEP_SECONDS", 0.01)
    with system._upkeep_running():
        assert fourth.wait(20)
    logged = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert logged == ["failure 1", "failure 2", "failure 3"]
    assert not [each for each in threading.enumerate() if each.name == system.UPKEEP_THREAD]
