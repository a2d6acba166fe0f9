"""Many uploads: begun in one request, completed in another, each with an outcome of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.api import check_invalid, check_refused, found, new_experiment, new_iteration
from tests.support.server import Server

ABSENT = "0" * 24


def declared(content: bytes, **fields: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"name": digest[:8], "size_bytes": len(content), "content_hash": digest, "id_key": digest, **fields}


def begin(server: Server, experiment: str, *resources: dict[str, Any]) -> Any:
    return found(server.call("POST", f"/experiments/{experiment}/resources/bulk", {"resources": [*resources]}))["data"]


def complete(server: Server, experiment: str, *ids: str) -> Any:
    return found(server.call("POST", f"/experiments/{experiment}/resources/complete", {"ids": [*ids]}))["data"]


def put(request: dict[str, Any], content: bytes) -> None:
    headers = {**request["headers"], "x-amz-sdk-checksum-algorithm": "SHA256"}
    requests.request(request["method"], request["url"], headers=headers, data=content, timeout=10).raise_for_status()


def test_each_has_an_outcome_of_its_own_and_a_repetition_is_harmless(server: Server) -> None:
    experiment = new_experiment(server)
    wanted = [declared(b"a"), declared(b"b", iteration_id=ABSENT), declared(b"c")]
    first, refused, third = begin(server, experiment, *wanted)
    assert refused["failure"]["code"] in ("INVALID_PAYLOAD", "NOT_FOUND")
    again = begin(server, experiment, *wanted)
    assert [each["resource"] and each["resource"]["id"] for each in again] == [
        first["resource"]["id"],
        None,
        third["resource"]["id"],
    ]
    put(first["requests"][0], b"a")
    ids = [first["resource"]["id"], third["resource"]["id"], ABSENT]
    for _ in range(2):
        done, missing, unknown = complete(server, experiment, *ids)
        assert done["resource"]["state"] == "ready"
        assert missing["failure"]["code"] == "INVALID_PAYLOAD"
        assert unknown["failure"]["code"] == "NOT_FOUND"


def test_bytes_that_the_project_has_need_no_request(server: Server) -> None:
    experiment = new_experiment(server)
    (begun,) = begin(server, experiment, declared(b"same"))
    put(begun["requests"][0], b"same")
    complete(server, experiment, begun["resource"]["id"])
    (known,) = begin(server, experiment, declared(b"same", id_key="another"))
    assert (known["resource"]["state"], known["requests"]) == ("ready", [])


def test_the_limits_name_their_fields(server: Server) -> None:
    experiment = new_experiment(server)
    path = f"/experiments/{experiment}/resources"
    check_invalid(server.call("POST", f"{path}/bulk", {"resources": []}), "resources")
    check_invalid(server.call("POST", f"{path}/complete", {"ids": [ABSENT] * 101}), "ids")
    nowhere = server.call("POST", f"/experiments/{ABSENT}/resources/bulk", {"resources": [declared(b"a")]})
    check_refused(nowhere, 404, "NOT_FOUND")


@pytest.mark.parametrize("number", [1, 12])
def test_a_folder_costs_two_calls_of_the_api(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    contents = {f"{index}.txt": bytes([index]) * 10 for index in range(number)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    client = server.client()
    calls: list[str] = []
    call = server.transport.call

    def counting(*given: Any) -> Any:
        calls.append(given[1])
        return call(*given)

    monkeypatch.setattr(server.transport, "call", counting)
    stored = client.resources.upload_folder(experiment, tmp_path, iteration_id=iteration)
    assert len(calls) == (3 if number == 1 else 2)
    assert [each.name for each in stored] == sorted(contents)
    assert {each.state for each in stored} == {"ready"}
    client.resources.download_all(experiment, tmp_path / "back", iteration_id=iteration)
    assert {path.name: path.read_bytes() for path in (tmp_path / "back").iterdir()} == contents
