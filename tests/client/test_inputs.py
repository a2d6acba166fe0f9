"""What an iteration has read, recorded by the client: at once or later, once, and never at the cost of the training."""

from __future__ import annotations

import json
import logging
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import Client
from deardiary.sending import operations
from deardiary.tracking import inputs
from deardiary.tracking.files import pending_resource, pending_version
from tests.support.server import Server, server_on_moto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary import Input, Resource


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One for all tests of the file: each logs into an experiment of its own."""
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture
def source(client: Client, tmp_path: Path, request: pytest.FixtureRequest) -> Resource:
    """A file that is also version 1 of the model "iris", which is its champion; in a project of this test."""
    (tmp_path / "flowers.csv").write_text(request.node.name)
    with deardiary.start(_project(request), "sources", client=client) as iteration:
        resource: Resource = iteration.log_resource(tmp_path / "flowers.csv")
        version = iteration.register_model("iris", "flowers.csv")
    client.models.set_alias(version.model_id, "champion", version.version)
    return resource


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return _project(request)


def _project(request: pytest.FixtureRequest) -> str:
    return f"Inputs of {request.node.name}"[:200]


def read(client: Client, iteration_id: str) -> list[tuple[str, str, str]]:
    return sorted((each.kind, each.name, each.context) for each in client.inputs.list(iteration_id))


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("postgresql://ada:se@same@db/iris", "postgresql://***@db/iris"),
        ("https://h.example/x.csv?X-Amz-Signature=sesame", "https://h.example/x.csv?X-Amz-Signature=***"),
        ("s3://bucket/x@1.csv", "s3://bucket/x@1.csv"),
    ],
)
def test_the_source_of_a_dataset_has_no_credential(
    client: Client, name: str, source: str, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    with deardiary.start(name, "sources", client=client, capture=()) as iteration:
        iteration.log_dataset("iris", source=source)
    assert [each.source for each in client.inputs.list(iteration.id)] == [kept]
    assert ("had a credential" in caplog.text) == (kept != source)


def test_files_models_and_datasets_are_recorded_with_their_uses(client: Client, source: Resource, name: str) -> None:
    with deardiary.start(name, "readers", client=client) as iteration:
        iteration.use_resource(source, context="training")
        iteration.use_model("iris@champion")
        iteration.log_dataset("flowers", digest="abc", source="s3://b/flowers.csv", labels={"rows": 150})
    assert read(client, iteration.id) == [
        ("dataset", "flowers", ""),
        ("model", "iris/1", ""),
        ("resource", "flowers.csv", "training"),
    ]
    dataset, model = _of_kind(client, iteration.id, "dataset"), _of_kind(client, iteration.id, "model")
    assert (dataset.digest, dataset.source, dataset.labels) == ("abc", "s3://b/flowers.csv", {"rows": "150"})
    assert [each.id for each in client.resources.uses(source.id)] == [iteration.id]
    assert [each.id for each in client.modelversions.uses(str(model.modelversion_id))] == [iteration.id]


def _of_kind(client: Client, iteration_id: str, kind: str) -> Input:
    (found,) = [each for each in client.inputs.list(iteration_id) if each.kind == kind]
    return found


@pytest.mark.parametrize(
    "form", ["object", "id", "iris@champion", "iris/1", "{project}/iris/1", "{project}/iris@champion"]
)
def test_a_version_is_named_in_any_of_these_ways(client: Client, source: Resource, name: str, form: str) -> None:
    version = client.modelversions.get(f"{name}/iris/1")
    wanted: Any = {"object": version, "id": version.id}.get(form, form.format(project=name))
    with deardiary.start(name, "readers", client=client) as iteration:
        iteration.use_model(wanted)
    assert [each.modelversion_id for each in client.inputs.list(iteration.id)] == [version.id]


def test_an_input_is_deleted_by_its_id(client: Client, source: Resource, name: str) -> None:
    with deardiary.start(name, "readers", client=client) as iteration:
        iteration.use_resource(source.id)
        assert iteration.flush(10)
        (found,) = client.inputs.list(iteration.id)
        client.inputs.delete(iteration.id, found.id)
    assert [*client.inputs.list(iteration.id), *client.resources.uses(source.id)] == []


def test_what_was_read_offline_is_sent_once_from_every_copy(
    client: Client, source: Resource, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "one"))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start(name, "readers") as iteration:
        iteration.use_resource(source.id)
        iteration.use_model("iris@champion")
        iteration.log_dataset("flowers", digest="abc", resource=source)
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    for folder in ("one", "other"):
        (synced,) = deardiary.sync(tmp_path / folder, client=client, tell=lambda _: None)
        assert synced.error is None
    (used,) = client.resources.uses(source.id)
    wanted = [("dataset", "flowers", ""), ("model", "iris/1", ""), ("resource", "flowers.csv", "")]
    assert read(client, used.id) == wanted


def test_an_unknown_version_is_kept_and_does_not_hold_up_the_others(
    client: Client, source: Resource, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), deardiary.start(name, "readers", client=client) as iteration:
        for missing in ("iris/2", "tulip@champion", "iris@challenger", "nothing"):
            iteration.use_model(missing)
        iteration.log_dataset("flowers")
        assert iteration.flush(10)
        kept = [json.loads(each.read_text()) for each in (iteration.folder or _no()).glob("rejected/*")]
    assert read(client, iteration.id) == [("dataset", "flowers", "")]
    assert {each["input"]["model"] for each in kept} == {"iris/2", "tulip@champion", "iris@challenger", "nothing"}
    assert "no model version 'iris/2'" in caplog.text


def _log_offline(name: str, resource_id: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEARDIARY_OFFLINE", "1")
        with deardiary.start(name, "readers") as iteration:
            iteration.use_resource(resource_id)


def test_an_input_in_the_trash_waits_in_the_spool_for_the_restoration(
    client: Client, source: Resource, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "spools"))
    _log_offline(name, source.id)
    client.resources.delete(source.id)
    (synced,) = deardiary.sync(tmp_path / "spools", client=client, tell=lambda _: None)
    assert f"deardiary trash restore {source.id}" in str(synced.error)
    client.trash.restore(source.id)
    (synced,) = deardiary.sync(tmp_path / "spools", client=client, tell=lambda _: None)
    assert (synced.error, synced.rejected) == (None, 0)
    assert len(list(client.resources.uses(source.id))) == 1


def test_an_input_in_the_trash_does_not_hold_up_a_running_program(
    client: Client, source: Resource, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.resources.delete(source.id)
    with caplog.at_level(logging.WARNING), deardiary.start(name, "readers", client=client) as iteration:
        iteration.use_resource(source.id)
        iteration.log_dataset("flowers")
        assert iteration.flush(10)
        (kept,) = (iteration.folder or _no()).glob("rejected/*")
    assert json.loads(kept.read_text())["input"]["resource_id"] == source.id
    assert read(client, iteration.id) == [("dataset", "flowers", "")]
    assert f"deardiary trash restore {source.id}" in caplog.text


def _no() -> Any:
    raise AssertionError("there is no folder")


def test_a_writer_who_may_not_read_records_inputs_by_their_ids(
    server: Server, client: Client, source: Resource, name: str
) -> None:
    version, project = client.modelversions.get(f"{name}/iris/1"), next(client.projects.list(name=name))
    writer = server.newcomer(f"writer-{project.id}")
    client.permissions.put(project.id, writer.whoami().id, create_permission=True)
    experiment = client.experiments.create(project.id, "blind")
    iteration = client.iterations.create(experiment.id)
    for given in (inputs.of_resource(source.id, ""), inputs.of_version(version.id, "")):
        operations.KINDS["input"](writer, iteration, given, None)
    assert read(client, iteration.id) == [("model", "iris/1", ""), ("resource", "flowers.csv", "")]


def test_what_is_not_on_the_server_yet_is_recorded_by_what_is_known_of_it(client: Client, name: str) -> None:
    waiting = pending_resource("", "", "flowers.csv", "", content_hash="a" * 64)
    with deardiary.start(name, "readers", client=client) as iteration:
        iteration.use_resource(waiting)
        iteration.use_model(pending_version("i1", ""))
        iteration.log_dataset("flowers", resource=waiting)
    assert read(client, iteration.id) == [
        ("dataset", "flowers", ""),
        ("dataset", "flowers.csv", ""),
        ("model", "model of iteration i1", ""),
    ]


WRONG: list[tuple[type[Exception], str, tuple[Any, ...], dict[str, Any]]] = [
    (ValueError, "log_dataset", ("",), {}),
    (TypeError, "log_dataset", (1,), {}),
    (ValueError, "log_dataset", ("n" * 256,), {}),
    (ValueError, "log_dataset", ("n",), {"digest": "d" * 256}),
    (ValueError, "log_dataset", ("n",), {"source": "é" * 40_000}),
    (ValueError, "log_dataset", ("n",), {"labels": {"k" * 251: "v"}}),
    (ValueError, "log_dataset", ("n",), {"labels": {"k": "v" * 8001}}),
    (ValueError, "log_dataset", ("n",), {"labels": dict.fromkeys(map(str, range(501)), "")}),
    (ValueError, "log_dataset", ("n",), {"labels": dict.fromkeys(map(str, range(26)), "v" * 8000)}),
    (TypeError, "log_dataset", ("n",), {"resource": 1}),
    (ValueError, "use_resource", ("",), {}),
    (TypeError, "use_resource", (1,), {}),
    (ValueError, "use_resource", ("r",), {"context": "c" * 256}),
    (ValueError, "use_model", ("",), {}),
    (TypeError, "use_model", (None,), {}),
]


@pytest.mark.parametrize(("error", "method", "given", "options"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_the_server_would_refuse_is_an_error_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    method: str,
    given: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start("Inputs", "wrong") as iteration, pytest.raises(error):
        getattr(iteration, method)(*given, **options)


def test_an_ended_iteration_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start("Inputs", "ended") as iteration:
        pass
    with pytest.raises(RuntimeError, match="has ended"):
        iteration.log_dataset("late")


def test_files_that_wait_delay_no_version(client: Client, tmp_path: Path, name: str) -> None:
    (tmp_path / "model.bin").write_text("weights")
    with deardiary.start(name, "versions", client=client) as iteration:
        for step in range(20):
            iteration.log_image("samples", b"<svg/>%d" % step, step=step)
        version = iteration.register_model("leaves", tmp_path / "model.bin")
        assert (version.version, bool(version.id)) == (1, True)
        iteration.log_resource(tmp_path / "model.bin", "later.bin", wait=False)
        assert iteration.flush(30)
        # It waits no longer.
        assert iteration.register_model("leaves", "later.bin").version == 2
