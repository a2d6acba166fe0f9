"""`deardiary import` of every tracker: killed again and again, it ends as an import that was never interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import deardiary
import deardiary.client
from deardiary.wire.names import name_of
from deardiary_exchange.origins import origin as origins
from deardiary_exchange.origins.table import ORIGINS
from tests.client.cli.conftest import Said, run, server
from tests.exchange.record import RECORDINGS, unpack
from tests.exchange.test_load import state
from tests.exchange.test_origins import LATER_MS, TRACKERS
from tests.exchange.test_written_origins import sqlite_file, write_neptune
from tests.support.mortal import Killed, Mortal
from tests.support.server import Server

__all__ = ["run", "server"]

BEGAN = datetime.now(timezone.utc)
# The kills of one import: each run of it gets so much further.
_KILLS = 3


def _neptune(folder: Path) -> Path:
    write_neptune(folder)
    return folder


def _deardiary_jl(folder: Path) -> Path:
    sqlite_file(folder / "deardiary.db")
    return folder / "deardiary.db"


WRITTEN: dict[str, Callable[[Path], Path]] = {"neptune": _neptune, "deardiary-jl": _deardiary_jl}
# By what is killed: those whose test is elsewhere, because it needs more.
ELSEWHERE = {"wandb-api": "tests/exchange/test_wandb_api.py"}


def test_every_tracker_is_killed() -> None:
    assert {TRACKERS.get(name, name) for name in RECORDINGS} | {*WRITTEN} | {*ELSEWHERE} == {*ORIGINS}


@pytest.mark.parametrize("name", [*RECORDINGS, *WRITTEN])
def test_killed_again_and_again_it_goes_on(
    name: str, run: Callable[..., Said], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "aim":
        pytest.importorskip("aimrocks", reason="aimrocks is for Python 3.12 and older")
    monkeypatch.setattr(origins, "now_ms", lambda: LATER_MS)
    location = WRITTEN[name](tmp_path) if name in WRITTEN else unpack(name, tmp_path)
    survives(lambda to: run("import", TRACKERS.get(name, name), str(location), "--to", to), name, server, monkeypatch)


def survives(bring: Callable[[str], Said], name: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import into a project without a fault, and into another one whose imports die at later and later requests."""
    counting = _transport(server, monkeypatch)
    assert bring(f"{name} whole").status == 0
    step = counting.requests // (_KILLS + 1)
    for number in range(1, _KILLS + 1):
        _transport(server, monkeypatch, number * step, is_sent=number % 2 == 0)
        try:
            said = bring(f"{name} killed")
        except Killed:
            continue
        assert said.status == 0, said.err  # what is done costs less, so the last runs may reach the end
    _transport(server, monkeypatch)
    assert bring(f"{name} killed").status == 0
    assert content(server.client(), f"{name} killed") == content(server.client(), f"{name} whole")


def _transport(server: Server, monkeypatch: pytest.MonkeyPatch, last: int = 0, *, is_sent: bool = False) -> Mortal:
    made = Mortal(server.transport, last, is_sent=is_sent)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: made)
    return made


def content(client: deardiary.Client, project: str) -> list[str]:
    """All that a project has, in any order, without the times and names that this server made up."""

    def shown(value: Any) -> str:
        return "now" if isinstance(value, datetime) and value > BEGAN else str(value)

    project_id = client.projects.find_or_create(project).id
    texts = [json.dumps(each, default=shown) for each in state(client, project_id)]
    for each in client.iterations.list(project=project_id):
        texts = [text.replace(json.dumps(name_of(each.id)), '"unnamed"') for text in texts]
    return sorted(texts)
