"""The README's commands and code work as described."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import deardiary.client
from tests.support.server import URL, Server

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_quickstart_runs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token())
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: server.transport)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own page
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["0 1.0", "1 0.5"]
    assert lines[-1] == "weights"
    assert list(tmp_path.iterdir()) == [], "the quickstart leaves files behind"


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(path: str) -> None:
    assert (Path(__file__).parents[2] / path).exists()
