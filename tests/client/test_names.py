"""Names of iterations in the client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary.testing import MemoryServer
from deardiary.wire.form import from_json
from deardiary.wire.names import name_of
from deardiary.wire.shapes import Iteration
from tests.support.transports import iteration

if TYPE_CHECKING:
    from pathlib import Path


def test_a_name_is_given_at_the_start_or_follows_from_the_id(capfd: pytest.CaptureFixture[str]) -> None:
    server = MemoryServer()
    with deardiary.start("Iris", "sweep", client=server.client(), name="baseline") as given:
        assert (given.name, given.child(name="fold 1").name) == ("baseline", "fold 1")
    with deardiary.start("Iris", "sweep", client=server.client()) as derived:
        assert derived.name == name_of(derived.id)
    assert [each.name for each in server.iterations] == ["baseline", "fold 1", derived.name]
    said = capfd.readouterr().err
    assert f"deardiary: Iris/sweep baseline at {given.url}\n" in said
    assert f"Iris/sweep {derived.name} {derived.id}, ended" in repr(derived)


def test_an_iteration_of_an_older_server_has_a_name() -> None:
    older = {name: value for name, value in iteration().items() if name not in ("name", "created_by")}
    found = from_json(Iteration, older)
    assert (found.name, found.created_by) == (name_of("i1"), None)


@pytest.mark.parametrize(("name", "error"), [("x" * 256, ValueError), (7, TypeError)])
def test_a_wrong_name_is_refused_at_once(name: Any, error: type[Exception]) -> None:
    server = MemoryServer()
    with pytest.raises(error, match="name"):
        deardiary.start("Iris", "sweep", client=server.client(), name=name)
    assert server.iterations == []


def test_the_attribute_says_how_to_rename() -> None:
    active = deardiary.start("Iris", "sweep", client=MemoryServer().client())
    with active, pytest.raises(AttributeError, match=r"iterations\.update\(iteration\.id, name="):
        active.name = "other"  # type: ignore[misc]


def test_a_name_given_offline_arrives_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start("Iris", "sweep", name="at sea") as active:
        assert active.name == "at sea"
    assert "Iris/sweep at sea, offline" in capfd.readouterr().err
    (run,) = tmp_path.rglob("run.json")
    assert json.loads(run.read_text())["origin"]["name"] == "at sea"
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    server = MemoryServer()
    deardiary.sync(client=server.client())
    assert [each.name for each in server.iterations] == ["at sea"]
