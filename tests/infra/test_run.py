"""`make run` and `make serve`: their output, and when they log the example."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local import __main__ as local


class Interrupted:
    """An emulator that the user stops with Ctrl-C as soon as everything runs."""

    def wait(self) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs at which the example was logged, with no real server behind `run`."""
    logged: list[str] = []
    monkeypatch.setattr(local, "STATE", tmp_path)
    monkeypatch.setattr(local, "ADDRESS", tmp_path / "server.json")
    monkeypatch.setattr(local, "DEMO_LOGGED", tmp_path / "demo-logged")
    monkeypatch.setattr(local, "log_demo", logged.append)
    monkeypatch.setattr("infra.local.__main__.signal.signal", lambda *_: None)
    serve_at(monkeypatch, "http://127.0.0.1:9000")
    return logged


def serve_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    @contextmanager
    def system(*_arguments: Any, **_options: Any) -> Iterator[Any]:
        yield SimpleNamespace(url=url, emulator=SimpleNamespace(process=Interrupted()), address=lambda: {"url": url})

    monkeypatch.setattr(local, "running_system", system)


def test_the_example_is_logged_at_the_first_start_only(demos: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert local.main("run") == 0
    assert demos == ["http://127.0.0.1:9000"]
    assert "`make demo` logs it once more" in capsys.readouterr().out


def test_an_example_that_failed_is_logged_at_the_next_start(
    demos: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_url: str) -> None:
        raise subprocess.CalledProcessError(1, "train")

    with monkeypatch.context() as patch:
        patch.setattr(local, "log_demo", fail)
        local.main("run")
    assert "did not run to its end" in capsys.readouterr().err
    local.main("run")
    assert len(demos) == 1


def test_serve_logs_no_example(demos: list[str]) -> None:
    assert local.main("run", "--no-demo") == 0
    assert demos == []


@pytest.mark.parametrize(("port", "told"), [(9000, False), (9003, True)])
def test_another_port_than_the_clients_default_is_explained(
    demos: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: int, told: bool
) -> None:
    serve_at(monkeypatch, f"http://127.0.0.1:{port}")
    local.main("run")
    printed = capsys.readouterr().out
    assert (f"export DEARDIARY_URL=http://127.0.0.1:{port}\n" in printed) is told
    assert ("Another program uses port 9000" in printed) is told


@pytest.mark.parametrize("arguments", [(), ("run", "--demo"), ("start",), ("serve",)])
def test_wrong_arguments_start_nothing(demos: list[str], arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        local.main(*arguments)
    assert demos == []
