"""The store or the server refuses wrong bytes, wrong hashes and parts that a resource does not have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import deardiary
from deardiary.http.transport import Request
from tests.support.parts import BYTES, PART, Watching, ask, client_over, declare, hashes, piece, put
from tests.support.server import Server


@pytest.mark.parametrize("wrong", [lambda data: b"x" + data[1:], lambda data: data[:-1]], ids=["flipped", "cut"])
def test_a_wrong_part_is_refused_and_nothing_becomes_ready(
    server: Server, experiment: deardiary.Experiment, wrong: Callable[[bytes], bytes]
) -> None:
    resource_id = declare(server, experiment)
    signed = ask(server, resource_id)
    assert [each["part_number"] for each in signed] == list(range(1, 12))
    assert [put(each, piece(each)) for each in signed[1:]] == [200] * 10
    assert put(signed[0], wrong(piece(signed[0]))) in (400, 403)
    refused = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "part_hashes")
    assert refused.body["details"]["first_missing_part"] == 1
    assert server.call("GET", f"/resources/{resource_id}/download").error == (409, "CONFLICT")
    assert [each["part_number"] for each in ask(server, resource_id)] == [1]


def test_a_file_that_changes_while_it_is_sent_is_refused(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    def change(number: int, request: Request) -> Request:
        if number == 1:
            file.write_bytes(bytes(len(BYTES)))
        return request

    watching = Watching(server)
    watching.interfere = change
    with pytest.raises(deardiary.ClientError):
        client_over(server, watching).resources.upload(experiment.id, file)
    (resource,) = server.client().resources.list(experiment.id)
    assert resource.state == "pending"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"part_hashes": hashes()[:-1]}, "part_hashes"),
        ({"part_hashes": [*hashes(), "0" * 64]}, "part_hashes"),
        ({"part_hashes": ["0" * 63]}, "part_hashes[0]"),
        ({"part_hashes": ["0" * 64, *hashes()[1:]]}, "part_hashes"),
        ({}, "part_hashes"),
    ],
)
def test_a_completion_that_does_not_fit(
    server: Server, experiment: deardiary.Experiment, body: dict[str, Any], field: str
) -> None:
    resource_id = declare(server, experiment)
    for each in ask(server, resource_id):
        assert put(each, piece(each)) == 200
    refused = server.call("POST", f"/resources/{resource_id}/complete", body)
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), field)
    right = {"part_hashes": hashes()}
    assert server.call("POST", f"/resources/{resource_id}/complete", right).body["state"] == "ready"
    assert server.call("POST", f"/resources/{resource_id}/complete", right).body["state"] == "ready"


@pytest.mark.parametrize(
    "body",
    [
        {"first_part": 0, "part_hashes": hashes()},
        {"first_part": 2, "part_hashes": hashes()},
        {"first_part": 12, "part_hashes": ["0" * 64]},
        {"part_hashes": ["0" * 64] * 101},
    ],
)
def test_parts_that_the_resource_does_not_have(
    server: Server, experiment: deardiary.Experiment, body: dict[str, Any]
) -> None:
    refused = server.call("POST", f"/resources/{declare(server, experiment)}/upload", body)
    assert (refused.error, refused.field in ("part_hashes", "first_part")) == ((422, "INVALID_PAYLOAD"), True)


def test_a_small_resource_has_no_parts(server: Server, experiment: deardiary.Experiment) -> None:
    small = declare(server, experiment, BYTES[:PART])
    refused = server.call("POST", f"/resources/{small}/upload", {"part_hashes": hashes()[:1]})
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "part_hashes")
