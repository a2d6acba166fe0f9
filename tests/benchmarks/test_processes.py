"""Servers that a benchmark starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.kit.processes import ServerFailed, running

DYING = [sys.executable, "-c", "import sys; print('no memory', file=sys.stderr); sys.exit(7)"]


def test_a_failure_says_that_the_server_has_ended(tmp_path: Path) -> None:
    def use_it() -> None:
        with running(DYING, tmp_path / "log", cwd=tmp_path) as process:
            process.wait()
            raise ConnectionRefusedError

    with pytest.raises(ServerFailed, match=r"status 7:\nno memory"):
        use_it()
