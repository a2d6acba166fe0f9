"""Models, versions and snapshots under sixteen writers at once, against real transactions."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar

import pytest

import deardiary
from chalicelib import config, deadline, retry
from chalicelib.services.lifecycle import sweep
from chalicelib.storage import blob
from chalicelib.storage.table import item, keys
from deardiary.wire.shapes import Stage
from tests.support.consistency import check_consistency
from tests.support.server import Reply, Server

THREADS = 16
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _no_limit_of_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request retry until all others are done, which can take minutes on a busy machine."""
    for module in (retry, deadline):
        monkeypatch.setattr(module, "SECONDS", 600.0)


@pytest.fixture(autouse=True)
def _consistent_at_the_end(real_server: Server) -> Iterator[None]:
    yield
    check_consistency()


@pytest.fixture
def iteration(real_server: Server) -> deardiary.Iteration:
    client = real_server.client()
    project = client.projects.create("races")
    return client.iterations.create(client.experiments.create(project.id, "races").id)


@pytest.fixture
def project_id(real_server: Server, iteration: deardiary.Iteration) -> str:
    return real_server.client().experiments.get(iteration.experiment_id).project_id


@pytest.fixture
def model(real_server: Server, project_id: str) -> deardiary.Model:
    return real_server.client().models.create(project_id, "iris")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def everything() -> set[tuple[str, str]]:
    """The keys of all rows in the table."""
    table = config.settings().table
    found: set[tuple[str, str]] = set()
    start: Any = None
    while True:
        answer = item.connection().connection.scan(table, exclusive_start_key=start)
        found |= {(row["PK"]["S"], row["SK"]["S"]) for row in answer["Items"]}
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return found


def versions(server: Server, model: deardiary.Model) -> list[deardiary.ModelVersion]:
    return list(server.client().modelversions.list(model.id))


def create(server: Server, model: deardiary.Model, iteration: deardiary.Iteration) -> Reply:
    return server.call("POST", f"/models/{model.id}/versions", {"iteration_id": iteration.id})


def promote(server: Server, version: deardiary.ModelVersion, stage: Stage = Stage.PRODUCTION) -> Reply:
    return server.call("PATCH", f"/modelversions/{version.id}", {"stage_id": int(stage)})


def test_version_numbers_have_no_gap_and_no_repeat(
    real_server: Server, model: deardiary.Model, iteration: deardiary.Iteration
) -> None:
    answers = at_once([partial(create, real_server, model, iteration)] * 2 * THREADS)
    assert {answer.status for answer in answers} == {201}
    numbers = list(range(1, 2 * THREADS + 1))
    assert sorted(answer.body["version"] for answer in answers) == numbers
    assert [version.version for version in versions(real_server, model)] == numbers


def test_a_name_goes_to_one(real_server: Server, project_id: str) -> None:
    path = f"/projects/{project_id}/models"
    answers = at_once([partial(real_server.call, "POST", path, {"name": "the one"})] * THREADS)
    assert sorted(answer.status for answer in answers) == [201] + [409] * (THREADS - 1)
    others = [real_server.client().models.create(project_id, f"model {number}") for number in range(THREADS)]
    renamed = at_once(
        [partial(real_server.call, "PATCH", f"/models/{each.id}", {"name": "wanted by all"}) for each in others]
    )
    assert sorted(answer.status for answer in renamed) == [200] + [409] * (THREADS - 1)
    names = [each.name for each in real_server.client().models.list(project_id)]
    assert len(names) == len(set(names)) == THREADS + 1


def test_a_model_that_many_rename_at_once_has_one_name(
    real_server: Server, model: deardiary.Model, project_id: str
) -> None:
    names = [f"name {number}" for number in range(THREADS)]
    answers = at_once([partial(real_server.call, "PATCH", f"/models/{model.id}", {"name": name}) for name in names])
    assert {answer.status for answer in answers} == {200}
    (left,) = real_server.client().models.list(project_id)
    claimed = [key for key in everything() if key[0] == f"PROJECT#{project_id}" and key[1].startswith("MODELNAME#")]
    assert claimed == [keys.model_name(project_id, left.name)]


def test_the_client_finds_or_creates_one(real_server: Server, project_id: str) -> None:
    client = real_server.client()
    found = at_once([partial(client.models.find_or_create, project_id, "shared")] * THREADS)
    assert len({each.id for each in found}) == 1


class Readers(Generic[T]):
    """Read a model's versions repeatedly while the block runs, and keep the results."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._over = threading.Event()
        self.seen: list[T] = []

    def _run(self) -> None:
        while not self._over.is_set():
            self.seen.append(self._look())

    def watch(self, act: Callable[[], Any]) -> Any:
        threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            return act()
        finally:
            self._over.set()
            for thread in threads:
                thread.join()


@pytest.fixture
def eight(real_server: Server, model: deardiary.Model, iteration: deardiary.Iteration) -> list[deardiary.ModelVersion]:
    client = real_server.client()
    return [client.modelversions.create(model.id, iteration.id) for _ in range(8)]


def test_one_is_in_production_at_every_read(
    real_server: Server, model: deardiary.Model, eight: list[deardiary.ModelVersion]
) -> None:
    promote(real_server, eight[0])
    readers = Readers(lambda: [int(each.stage_id) for each in versions(real_server, model)])
    answers = readers.watch(lambda: at_once([partial(promote, real_server, each) for each in eight * 4]))
    assert {answer.status for answer in answers} == {200}
    assert {answer.body["stage_id"] for answer in answers} == {Stage.PRODUCTION}
    assert len(readers.seen) > 4
    assert {stages.count(Stage.PRODUCTION) for stages in readers.seen} == {1}
    # After its promotion, a version is archived or in production; none is archived before.
    assert sorted(int(each.stage_id) for each in versions(real_server, model)) == [3] + [4] * 7


def test_no_read_sees_a_version_archived_before_it_was_promoted(
    real_server: Server, model: deardiary.Model, iteration: deardiary.Iteration
) -> None:
    client = real_server.client()
    many = [client.modelversions.create(model.id, iteration.id) for _ in range(30)]
    readers = Readers(lambda: [int(each.stage_id) for each in versions(real_server, model)])
    readers.watch(lambda: [promote(real_server, each) for each in many])
    for stages in readers.seen:
        current = stages.index(3) if 3 in stages else 0
        before = [4] * current + [3] if 3 in stages else [1]
        assert stages == before + [1] * (len(many) - len(before))


def test_promotions_demotions_and_deletions_leave_at_most_one(
    real_server: Server, model: deardiary.Model, eight: list[deardiary.ModelVersion]
) -> None:
    readers = Readers(lambda: [int(each.stage_id) for each in versions(real_server, model)])
    calls: list[Callable[[], Reply]] = []
    for each in eight[:4]:
        calls += [partial(promote, real_server, each, stage) for stage in (Stage.PRODUCTION, Stage.STAGING) * 4]
    for each in eight[4:]:
        calls += [partial(promote, real_server, each)] * 3
        calls += [partial(real_server.call, "DELETE", f"/modelversions/{each.id}")] * 2
    answers = readers.watch(lambda: at_once(calls))
    assert {answer.status for answer in answers} <= {200, 204, 404}
    assert [answer.status for answer in answers].count(204) == 4
    assert max(stages.count(Stage.PRODUCTION) for stages in readers.seen) <= 1
    assert [each.version for each in versions(real_server, model)] == [1, 2, 3, 4]
    # The pointer names no deleted version: the next promotion succeeds.
    assert promote(real_server, eight[0]).status == 200
    (production,) = real_server.client().modelversions.list(model.id, stage=Stage.PRODUCTION)
    assert production.id == eight[0].id


def test_an_alias_that_moves_among_deletions_names_one_version_or_none(
    real_server: Server, model: deardiary.Model, eight: list[deardiary.ModelVersion]
) -> None:
    path, gone = f"/models/{model.id}/aliases/champion", set[int]()

    def move(version: deardiary.ModelVersion) -> Reply:
        return real_server.call("PUT", path, {"version": version.version})

    def delete(version: deardiary.ModelVersion) -> Reply:
        answer = real_server.call("DELETE", f"/modelversions/{version.id}")
        gone.add(version.version)
        return answer

    def read() -> tuple[list[int], Reply, set[int]]:
        before = set(gone)
        named = [each.version for each in versions(real_server, model) if "champion" in each.aliases]
        return named, real_server.call("GET", path), before

    readers = Readers(read)
    calls: list[Callable[[], Reply]] = [partial(move, each) for each in eight * 5]
    for number, each in enumerate(eight[2:], 1):
        calls.insert(6 * number, partial(delete, each))
    answers = readers.watch(lambda: at_once(calls))
    assert {answer.status for answer in answers} <= {200, 204, 422}
    assert [answer.status for answer in answers].count(204) == 6
    for named, answer, before in readers.seen:
        assert len(named) <= 1
        assert not before.intersection(named)
        assert answer.status in (200, 404)
        assert answer.status == 404 or answer.body["version"] not in before
    assert move(eight[0]).status == 200
    assert real_server.client().models.get(model.id).aliases == {"champion": 1}


def test_a_deletion_among_creations_leaves_nothing(
    real_server: Server, model: deardiary.Model, iteration: deardiary.Iteration, project_id: str
) -> None:
    path = f"/models/{model.id}"
    rename = partial(real_server.call, "PATCH", path, {"name": "another"})
    calls = [partial(create, real_server, model, iteration)] * 24 + [rename] * 4
    calls += [partial(real_server.call, "DELETE", f"{path}?purge=true")] * 4
    answers = at_once(calls[::-1] + calls)
    assert {answer.status for answer in answers} <= {200, 201, 202, 204, 404}
    assert sweep.resume_deletions(60)
    below = (keys.model_partition(model.id), keys.project_partition(project_id))
    assert not [key for key in everything() if key[0] in below and "MODEL" in "".join(key)]
    real_server.client().models.create(project_id, "iris")


def test_sixteen_iterations_share_a_text_and_leave_nothing(
    real_server: Server, iteration: deardiary.Iteration, project_id: str
) -> None:
    client = real_server.client()
    mine = [client.iterations.create(iteration.experiment_id) for _ in range(THREADS)]
    at_once([partial(client.iterations.set_snapshot, each.id, manifest_toml="the same lock") for each in mine])
    sha256 = hashlib.sha256(b"the same lock").hexdigest()
    row = item.find(blob.BlobRow, keys.blob(project_id, sha256))
    assert row is not None
    assert row.owners == THREADS
    at_once([partial(client.iterations.delete, each.id, purge=True) for each in mine])
    # A request that finds another one removing the bytes leaves the rest to the upkeep.
    assert sweep.resume_deletions(60)
    assert item.find(blob.BlobRow, keys.blob(project_id, sha256)) is None
    below = (keys.experiment_partition(iteration.experiment_id), keys.project_partition(project_id))
    assert not [key for key in everything() if key[0] in below and key[1].startswith(("BLOB#", "SNAPSHOT#"))]


def test_sixteen_snapshots_of_one_iteration_leave_one_owner_each(
    real_server: Server, iteration: deardiary.Iteration, project_id: str
) -> None:
    path = f"/iterations/{iteration.id}/snapshot"
    bodies = [{"git_diff": f"diff {number % 4}", "project_toml": "p"} for number in range(THREADS)]
    answers = at_once([partial(real_server.call, "PUT", path, body) for body in bodies])
    assert {answer.status for answer in answers} == {200}
    last = real_server.call("GET", path).body["git_diff"]
    blobs = {key[1] for key in everything() if key[0] == f"PROJECT#{project_id}" and key[1].startswith("BLOB#")}
    assert blobs == {keys.blob(project_id, hashlib.sha256(text.encode()).hexdigest()).sk for text in (last, "p")}
    real_server.client().iterations.delete(iteration.id, purge=True)
    assert not [key for key in everything() if key[0] == f"PROJECT#{project_id}" and key[1].startswith("BLOB#")]
