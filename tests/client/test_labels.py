"""Labels that the client sets: at once or later, once, in the order of the calls."""

from __future__ import annotations

import json
import logging
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import Client, IterationStatus
from deardiary.testing import recording
from deardiary.wire import limits
from tests.support.active import CREATE, END, LOG, begin
from tests.support.server import Server, server_on_moto
from tests.support.spools import iterations_of, sync
from tests.support.transports import FakeServer, body_of, experiment, iteration, page, project, taken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary import Request


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


def test_labels_of_a_run(client: Client, request: pytest.FixtureRequest) -> None:
    with deardiary.start(
        "Labels", request.node.name, labels={"team": "nlp", "rows": 150, "draft": None}, client=client
    ) as active:
        active.set_label("rows", 151)
        active.set_labels({"stage": "late", "team": None})
        with active.child(labels={"fold": 1}) as child:
            pass
        client.iterations.update(active.id, labels={"by hand": "yes"})
    assert client.iterations.get(active.id).labels == {"by hand": "yes", "rows": "151", "stage": "late"}
    assert client.iterations.get(child.id).labels == {"fold": "1"}


def test_a_value_that_returns_is_set_again(client: Client, request: pytest.FixtureRequest) -> None:
    """The third flush has the content of the first one, and is another one."""
    with deardiary.start("Labels", request.node.name, client=client) as active:
        for value in ("1", "2", "1"):
            active.set_label("phase", value)
            assert active.flush(30)
    assert client.iterations.get(active.id).labels == {"phase": "1"}


def test_labels_of_every_kind_of_object(client: Client) -> None:
    new: dict[str, Any] = {"labels": {"a": "1", "b": "2"}}
    changes: dict[str, Any] = {"labels": {"a": None, "c": "3"}}
    project = client.projects.create("Labelled", **new)
    experiment = client.experiments.create(project.id, "e", **new)
    iteration = client.iterations.create(experiment.id, **new)
    model = client.models.create(project.id, "m", **new)
    version = client.modelversions.create(model.id, iteration.id, **new)
    for created in (project, experiment, iteration, model, version):
        assert created.labels == {"a": "1", "b": "2"}
    updated: list[Any] = [
        client.projects.update(project.id, **changes),
        client.experiments.update(experiment.id, **changes),
        client.iterations.update(iteration.id, **changes),
        client.models.update(model.id, **changes),
        client.modelversions.update(version.id, **changes),
    ]
    assert [each.labels for each in updated] == [{"b": "2", "c": "3"}] * 5
    (listed,) = client.iterations.list(experiment.id, filter='labels.c = "3"', include=["labels"])
    assert listed.labels == {"b": "2", "c": "3"}


def test_labels_set_offline_are_sent_once_from_every_copy(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "one"))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start("Offline", request.node.name, labels={"team": "nlp", "old": "1"}) as active:
        active.set_labels({"team": "vision", "old": None})
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    assert sync(tmp_path / "one", client).is_done
    (found,) = iterations_of(client, request.node.name)
    assert (found.labels, found.status_id) == ({"team": "vision"}, IterationStatus.SUCCEEDED)
    client.iterations.update(found.id, labels={"team": "audio"})
    assert sync(tmp_path / "other", client).rejected == 0
    assert client.iterations.get(found.id).labels == {"team": "audio"}


def test_a_test_with_recording_sees_labels() -> None:
    with recording() as memory:
        with deardiary.start("Iris", "sweep", labels={"team": "nlp", "rows": 9}) as active:
            active.set_label("rows", None)
            assert active.flush(30)
            memory.client().iterations.update(active.id, labels={"seen": "yes"})
        (first,) = memory.iterations
    assert first.labels == {"team": "nlp", "seen": "yes"}


WRONG: list[tuple[Any, type[Exception]]] = [
    ({"": "v"}, ValueError),
    ({"k" * (limits.MAX_KEY_CHARACTERS + 1): "v"}, ValueError),
    ({"line\n": "v"}, ValueError),
    ({1: "v"}, TypeError),
    ({"k": "v" * (limits.MAX_LABEL_CHARACTERS + 1)}, ValueError),
    ({str(number): "" for number in range(limits.MAX_LABELS + 1)}, ValueError),
    ({str(number): "v" * 8000 for number in range(51)}, ValueError),
]


@pytest.mark.parametrize(("labels", "error"), WRONG, ids=range(len(WRONG)))
def test_labels_that_the_server_would_refuse_raise_at_once(labels: Any, error: type[Exception]) -> None:
    with recording() as memory:
        with pytest.raises(error):
            deardiary.start("Iris", "sweep", labels=labels)
        with deardiary.start("Iris", "sweep") as active, pytest.raises(error):
            active.set_labels(labels)
        assert [each.labels for each in memory.iterations] == [{}]


def test_labels_are_set_by_their_method(client: Client) -> None:
    with recording(), deardiary.start("Iris", "sweep") as active, pytest.raises(AttributeError, match="set_labels"):
        active.labels = {"a": "1"}
    with pytest.raises(RuntimeError, match="has ended"):
        active.set_label("a", "1")


def refuse_labels(field: str) -> Any:
    def answer(request: Request) -> Any:
        if "labels" not in json.loads(body_of(request)):
            return taken(request)
        message = "There is no such field here"
        return 422, {"code": "INVALID_PAYLOAD", "message": message, "details": {"field": field}}

    return answer


@pytest.mark.parametrize("field", ["labels", "labels.team"])
def test_a_server_that_refuses_labels_still_gets_the_rest(field: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is older than labels, or has too many of this iteration. The labels are kept in a file."""
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1/experiments": (200, page(experiment())),
        CREATE: (201, iteration()),
        LOG: refuse_labels(field),
        "GET /iterations/i1": (200, iteration()),
        END: (200, iteration()),
    }
    with caplog.at_level(logging.WARNING):
        active = begin(server, parameters={"lr": 1}, tags=["t"], labels={"team": "nlp"})
        assert active.flush(30)
        folder = active.folder
    assert folder is not None
    (kept,) = (folder / "rejected").glob("*-labels-*.json")
    assert json.loads(kept.read_text())["labels"] == {"team": "nlp"}
    sent = [body for body in server.bodies(LOG) if "labels" not in body]
    assert {key for body in sent for key in body.get("parameters", {})} == {"lr"}
    assert [tag for body in sent for tag in body.get("tags", [])] == ["t"]
    assert "refuses labels of iteration i1" in caplog.text
