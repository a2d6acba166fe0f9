"""Studies: records in one order for all workers of a search, each once, and leases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.storage.study import StudyRecordsRow
from chalicelib.storage.table import keys
from deardiary import Client, NotFound
from deardiary.wire import limits
from tests.support.consistency import check_consistency
from tests.support.server import Reply, Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running_server:
        yield running_server


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture
def experiment_id(client: Client) -> str:
    return client.experiments.create(client.projects.create("studies").id, "e").id


def append(server: Server, experiment_id: str, **body: Any) -> Reply:
    return server.call("POST", f"/experiments/{experiment_id}/studies/s/records", body)


def test_records_come_back_in_order_from_any_number(client: Client, experiment_id: str) -> None:
    parts = (["a", "b"], ["c"], ["", "é", "\0"])
    appends = [client.studies.append(experiment_id, "s", each) for each in parts]
    assert [(each.first, each.next) for each in appends] == [(0, 2), (2, 3), (3, 6)]
    every = [text for part in parts for text in part]
    for start in range(8):
        found = client.studies.read(experiment_id, "s", start)
        assert (found.records, found.next, found.has_more) == (every[start:], max(start, 6), False)
    assert list(client.studies.records(experiment_id, "s", 1)) == every[1:]
    assert list(client.studies.records(experiment_id, "other")) == []


def test_an_append_that_is_repeated_counts_once(client: Client, experiment_id: str) -> None:
    for _ in range(3):
        stored = client.studies.append(experiment_id, "s", ["a", "b"], append_id="one")
        assert (stored.first, stored.next) == (0, 2)
        client.studies.append(experiment_id, "s", ["c"], append_id="two")
    assert list(client.studies.records(experiment_id, "s")) == ["a", "b", "c"]


def test_appends_at_once_have_numbers_without_gaps(server: Server, client: Client, experiment_id: str) -> None:
    workers, each = 8, 6

    def work(name: int) -> None:
        own = server.client()
        for number in range(each):
            own.studies.append(experiment_id, "s", [f"{name}-{number}-{part}" for part in range(2)])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(client.studies.records(experiment_id, "s"))
    assert len(found) == len(set(found)) == 2 * workers * each
    for name in range(workers):
        own = [text for text in found if text.startswith(f"{name}-")]
        assert own == [f"{name}-{number}-{part}" for number in range(each) for part in range(2)]
    check_consistency()


def test_a_large_study_comes_in_several_answers(client: Client, experiment_id: str) -> None:
    for number in range(12):
        client.studies.append(experiment_id, "s", [f"{number:x}" * 200_000])
    first = client.studies.read(experiment_id, "s")
    assert first.has_more
    assert 2_000_000 <= sum(map(len, first.records)) < 3_000_000
    assert len(list(client.studies.records(experiment_id, "s"))) == 12


@pytest.mark.parametrize("text", ["\1", "é"])
def test_texts_that_are_longer_in_an_answer_can_be_read(client: Client, experiment_id: str, text: str) -> None:
    """Such as parameters of a trial in Chinese: JSON and Lambda escape them."""
    texts = [text * (limits.MAX_STUDY_BYTES // 100 // max(1, len(text.encode())))] * 100
    for _ in range(9):
        client.studies.append(experiment_id, "s", texts)
    assert list(client.studies.records(experiment_id, "s")) == texts * 9


def test_a_reader_who_misses_an_append_reads_the_later_ones_after_it(client: Client, experiment_id: str) -> None:
    """A Query and the transactions beside it are not isolated from each other."""
    for text in "abc":
        client.studies.append(experiment_id, "s", [text])
    key = keys.study_records(experiment_id, "s", 1)
    missed = StudyRecordsRow.get(*key)
    missed.delete()
    early = client.studies.read(experiment_id, "s")
    assert (early.records, early.next, early.has_more) == (["a"], 1, False)
    missed.save()
    assert client.studies.read(experiment_id, "s", early.next).records == ["b", "c"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"append_id": "1", "records": []}, "records"),
        ({"append_id": "1", "records": ["x"] * (limits.MAX_STUDY_ITEMS + 1)}, "records"),
        ({"append_id": "1", "records": ["é" * (limits.MAX_STUDY_BYTES // 2 + 1)]}, "records"),
        ({"append_id": "1", "records": [{}]}, "records[0]"),
        ({"append_id": "", "records": ["x"]}, "append_id"),
        ({"records": ["x"]}, "append_id"),
    ],
)
def test_an_append_that_is_wrong_is_refused(server: Server, experiment_id: str, body: Any, field: str) -> None:
    reply = append(server, experiment_id, **body)
    assert (reply.error, reply.field) == ((422, "INVALID_PAYLOAD"), field)


def test_the_largest_append_fits(server: Server, experiment_id: str) -> None:
    size = limits.MAX_STUDY_BYTES // limits.MAX_STUDY_ITEMS
    assert append(server, experiment_id, append_id="1", records=["\1" * size] * limits.MAX_STUDY_ITEMS).status == 201


@pytest.mark.parametrize("start", ["-1", "x", "1000000000000"])
def test_a_start_that_is_no_number_is_refused(server: Server, experiment_id: str, start: str) -> None:
    reply = server.call("GET", f"/experiments/{experiment_id}/studies/s/records?start={start}")
    assert (reply.error, reply.field) == ((422, "INVALID_PAYLOAD"), "start")


def test_a_lease_is_as_old_as_its_last_renewal(
    client: Client, experiment_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.studies.append(experiment_id, "s", ["x"])
    assert client.studies.renew(experiment_id, "s", "1").age_seconds < 60
    client.studies.renew(experiment_id, "s", "2")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=90))
    client.studies.renew(experiment_id, "s", "2")
    ages = {each.id: each.age_seconds for each in client.studies.leases(experiment_id, "s")}
    assert ages["2"] == 0 < 89 < ages["1"]
    client.studies.release(experiment_id, "s", "1")
    assert [each.id for each in client.studies.leases(experiment_id, "s")] == ["2"]
    with pytest.raises(NotFound):
        client.studies.release(experiment_id, "s", "1")


def test_a_lease_needs_a_study(client: Client, experiment_id: str) -> None:
    with pytest.raises(NotFound):
        client.studies.renew(experiment_id, "none", "1")


def test_a_study_goes_with_its_experiment(client: Client, experiment_id: str) -> None:
    client.studies.append(experiment_id, "s", ["x"])
    client.studies.renew(experiment_id, "s", "1")
    client.experiments.delete(experiment_id)
    with pytest.raises(NotFound):
        client.studies.append(experiment_id, "s", ["y"])
    with pytest.raises(NotFound):
        client.studies.read(experiment_id, "s")
    client.trash.purge(experiment_id)
    check_consistency()
