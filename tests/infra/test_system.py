"""`python -m infra.local serve`: the whole system, for a program that starts it and dies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import requests


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
