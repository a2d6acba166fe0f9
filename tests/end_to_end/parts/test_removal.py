"""Deletions and the daily sweep remove parts and late bytes, and keep the bytes that a resource owns."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import deardiary
from chalicelib import clock
from chalicelib.services.lifecycle import expiry, sweep
from tests.support.parts import BYTES, ask, at, declare, hashes, objects, piece, put, unfinished
from tests.support.server import Server


def test_a_deletion_removes_the_parts_and_reports_the_bytes_freed(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    client = server.client()
    resource_id = declare(server, experiment)
    signed = ask(server, resource_id)
    assert put(signed[0], piece(signed[0])) == 200
    assert len(unfinished(experiment)) == 1
    assert client.resources.delete(resource_id, purge=True) == 0
    assert unfinished(experiment) == []
    one, other = (client.resources.upload(experiment.id, file, name) for name in "ab")
    assert client.resources.delete(one.id, purge=True) == 0
    assert client.resources.delete(other.id, purge=True) == len(BYTES)
    assert objects(experiment) == []


def test_an_upload_unfinished_for_a_day_is_removed_with_its_parts(
    server: Server, experiment: deardiary.Experiment, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client()
    kept = client.resources.upload(experiment.id, file)
    stale, active = (declare(server, experiment, data) for data in (BYTES[:-1], BYTES[:-2]))
    for each, size in ((stale, -1), (active, -2)):
        ask(server, each, 1, hashes(BYTES[:size]))
    moment = clock.now()
    at(monkeypatch, moment + timedelta(hours=23))
    assert expiry.sweep_uploads(60)
    assert {each.id for each in client.resources.list(experiment.id)} == {kept.id, stale, active}
    ask(server, active, 1, hashes(BYTES[:-2]))
    at(monkeypatch, moment + timedelta(hours=25))
    assert not expiry.sweep_uploads(-1), "no time, nothing done"
    assert expiry.sweep_uploads(60)
    assert {each.id for each in client.resources.list(experiment.id)} == {kept.id, active}
    assert len(unfinished(experiment)) == 1
    at(monkeypatch, moment + timedelta(hours=48))
    assert expiry.sweep_uploads(60)
    assert [each.id for each in client.resources.list(experiment.id)] == [kept.id]
    assert unfinished(experiment) == []


@pytest.mark.parametrize("ready", [True, False])
def test_bytes_that_come_after_a_deletion_are_removed(
    server: Server, experiment: deardiary.Experiment, monkeypatch: pytest.MonkeyPatch, *, ready: bool
) -> None:
    resource_id = declare(server, experiment)
    (signed,) = server.call("POST", f"/resources/{resource_id}/upload").body["requests"]
    if ready:
        assert put(signed, BYTES) == 200
        assert server.call("POST", f"/resources/{resource_id}/complete").status == 200
    assert server.call("DELETE", f"/resources/{resource_id}?purge=true").status == 204
    assert put(signed, BYTES) == 200
    assert len(objects(experiment)) == 1
    at(monkeypatch, clock.now() + timedelta(minutes=10))
    assert expiry.sweep_uploads(60)
    assert len(objects(experiment)) == 1, "the URL lives still"
    at(monkeypatch, clock.now() + timedelta(minutes=30))
    assert expiry.sweep_uploads(60)
    assert objects(experiment) == []


def test_bytes_that_have_an_owner_again_are_not_late(
    server: Server, experiment: deardiary.Experiment, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client()
    client.resources.delete(client.resources.upload(experiment.id, file).id, purge=True)
    again = client.resources.upload(experiment.id, file)
    at(monkeypatch, clock.now() + timedelta(days=2))
    assert expiry.sweep_uploads(60)
    assert sweep.resume_deletions(60)
    assert len(objects(experiment)) == 1
    assert client.resources.get(again.id).state == "ready"
