"""Many uploads: begun in one request, completed in another, each with an outcome of its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests

import deardiary
from chalicelib import artifacts, config
from chalicelib.artifacts import Location
from deardiary import ClientError
from deardiary.http.transport import Request, Response
from tests.support.api import check_invalid, check_refused, counted_calls, found, new_experiment, new_iteration
from tests.support.server import Server

ABSENT = "0" * 24


def declared(content: bytes, **fields: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"name": digest[:8], "size_bytes": len(content), "content_hash": digest, "id_key": digest, **fields}


def begin(server: Server, experiment: str, *resources: dict[str, Any]) -> Any:
    return found(server.call("POST", f"/experiments/{experiment}/resources/bulk", {"resources": [*resources]}))["data"]


def complete(server: Server, experiment: str, *ids: str) -> Any:
    return found(server.call("POST", f"/experiments/{experiment}/resources/complete", {"ids": [*ids]}))["data"]


def project_of(begun: dict[str, Any]) -> str:
    project: str = begun["resource"]["uri"].split("/")[1]
    return project


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


def test_a_folder_of_a_hundred_files_costs_six_calls_of_the_api(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = new_experiment(server)
    for index in range(100):
        (tmp_path / f"{index}.txt").write_bytes(bytes([index]))
    client = server.client()
    begun: list[int] = []
    calls: list[str] = []
    call = server.transport.call

    def counting(method: str, path: str, *rest: Any) -> Any:
        calls.append(path)
        if path.endswith("/bulk"):
            begun.append(len(json.loads(rest[1])["resources"]))
        return call(method, path, *rest)

    monkeypatch.setattr(server.transport, "call", counting)
    stored = client.resources.upload_folder(experiment, tmp_path)
    assert {each.state for each in stored} == {"ready"}
    assert len(calls) == 6
    assert begun == [14, 42, 44], "the first bytes wait for the hashes of few files"


def test_many_uploads_cost_few_calls_of_the_table(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    contents = [bytes([index]) * 10 for index in range(30)]
    with counted_calls() as calls:
        begun = begin(server, experiment, *(declared(each, iteration_id=iteration) for each in contents))
    assert len(calls) <= 15, calls
    for each, content in zip(begun, contents, strict=True):
        put(each["requests"][0], content)
    with counted_calls() as calls:
        done = complete(server, experiment, *(each["resource"]["id"] for each in begun))
    assert len(calls) <= 15, calls
    assert {each["resource"]["state"] for each in done} == {"ready"}
    files = found(server.call("GET", f"/experiments/{experiment}/resources?iteration_id={iteration}"))["data"]
    assert [each["name"] for each in files] == [each["resource"]["name"] for each in begun]


def test_the_same_bytes_and_the_same_key_twice_in_one_request(server: Server) -> None:
    experiment = new_experiment(server)
    wanted = [
        declared(b"a"),
        declared(b"a", id_key="second"),
        declared(b"a"),
        declared(b"b"),
        declared(b"c", id_key="second"),
    ]
    first, second, repeated, other, refused = begin(server, experiment, *wanted)
    assert first["resource"]["id"] == repeated["resource"]["id"] != second["resource"]["id"]
    assert refused["failure"]["code"] == "CONFLICT"
    for request, content in ((first["requests"][0], b"a"), (other["requests"][0], b"b")):
        put(request, content)
    ids = [each["resource"]["id"] for each in (first, second, other)]
    done = complete(server, experiment, *ids)
    assert [(each["resource"]["id"], each["resource"]["state"]) for each in done] == [(each, "ready") for each in ids]


def test_one_with_wrong_bytes_does_not_stop_the_others(server: Server) -> None:
    experiment = new_experiment(server)
    contents = [b"x", b"y", b"z"]
    begun = begin(server, experiment, *map(declared, contents))
    for each, content in list(zip(begun, contents, strict=True))[1:]:
        put(each["requests"][0], content)
    done = complete(server, experiment, *(each["resource"]["id"] for each in begun))
    assert [each["failure"] and each["failure"]["code"] for each in done] == ["INVALID_PAYLOAD", None, None]
    assert [each["resource"] and each["resource"]["state"] for each in done] == [None, "ready", "ready"]


def test_what_an_answer_cannot_hold_is_sent_again(server: Server) -> None:
    """Lambda returns at most 6 MB, in which each of these letters takes six."""
    experiment = new_experiment(server)
    wanted = [declared(bytes([number]), description="é" * 30_000) for number in range(40)]
    content = json.dumps({"resources": wanted}, ensure_ascii=False).encode()
    reply = server.call("POST", f"/experiments/{experiment}/resources/bulk", content)
    assert len(json.dumps(json.dumps(reply.body, ensure_ascii=False))) < 6_000_000
    fitting = [each for each in reply.body["data"] if each["failure"] is None]
    assert {each["failure"]["code"] for each in reply.body["data"] if each["failure"]} == {"PAYLOAD_TOO_LARGE"}
    rest = begin(server, experiment, *wanted[len(fitting) :])
    assert len({each["resource"]["id"] for each in [*fitting, *rest]}) == len(wanted)


def test_answers_about_many_leave_inline_bytes_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred inline files have 35 MB as base64."""
    monkeypatch.setenv("DEARDIARY_ARTIFACT_BACKEND", "inline")
    config.settings.cache_clear()
    experiment = new_experiment(server)
    contents = [b"a", b"b"]
    begun = begin(server, experiment, *map(declared, contents))
    for each, content in zip(begun, contents, strict=True):
        artifacts.store("inline").write(Location(project_of(each), each["resource"]["content_hash"]), 1, [content])
    ids = [each["resource"]["id"] for each in begun]
    answers = [complete(server, experiment, *ids), complete(server, experiment, *ids)]
    answers.append(begin(server, experiment, *map(declared, contents)))
    for data in answers:
        assert [(each["resource"]["state"], each["resource"].get("data")) for each in data] == [("ready", None)] * 2
    assert found(server.call("GET", f"/resources/{ids[0]}"))["data"] == "YQ=="


def test_a_logged_folder_costs_two_calls_of_the_api(server: Server, tmp_path: Path) -> None:
    class Counting:
        def __init__(self, inner: Any) -> None:
            self.inner, self.broken = inner, False
            self.calls: list[str] = []

        def send(self, request: Request) -> Response:
            path = request.url.split("?")[0]
            if "/resources" in path:
                self.calls.append(path.rpartition("/")[2])
            if self.broken and path.endswith("/resources/complete"):
                raise ClientError(0, "CONNECTION_FAILED", "no answer")
            answer: Response = self.inner.send(request)
            return answer

        def close(self) -> None:
            """Do nothing: there is nothing to close."""

    counting = Counting(server.transport)
    client = deardiary.connect("http://127.0.0.1:9", token=server.token(), transport=counting)
    (tmp_path / "plots").mkdir()
    names = [f"plots/{index}.txt" for index in range(6)]
    for name in names:
        (tmp_path / name).write_text(name)
    with deardiary.start("p", "folders", client=client) as active:
        stored: Any = active.log_resource(tmp_path / "plots", "first")
        assert [each.state for each in stored] == ["ready"] * 6
        assert counting.calls == ["bulk", "complete"]
        counting.broken = True
        # The server has begun these uploads; each file is stored under the same key, and so only once.
        again: Any = active.log_resource(tmp_path / "plots", "second")
        assert [each.state for each in again] == ["ready"] * 6
        listed = [each.name for each in server.client().resources.list(active.experiment_id)]
    assert sorted(listed) == sorted(each.replace("plots", top) for each in names for top in ("first", "second"))
