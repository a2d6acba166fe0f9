"""The artifacts of the MLflow face: by paths, presigned both ways, as its clients of all versions ask for them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests

import deardiary
from tests.support.artifacts import ROOT, Artifacts, files_of
from tests.support.consistency import check_consistency
from tests.support.server import Reply, Server

NAMES = [
    *(
        "with space.txt",
        "a+b&c=d.txt",
        "ünïcödé-日本.txt",
        "comma, @.txt",
        "100%.txt",
        "a/b/c/d/e/f/g/h/i.bin",
    ),
    "~[br](p)'q\".txt",
]


@pytest.fixture
def run(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("p").id, "e")
    return client.iterations.create(experiment.id)


@pytest.fixture
def artifacts(server: Server, run: deardiary.Iteration) -> Artifacts:
    return Artifacts(server, files_of(run))


def test_files_in_folders_are_listed_with_their_sizes(artifacts: Artifacts) -> None:
    artifacts.put("a.txt", b"a")
    artifacts.put("folder/deep/b.bin", b"bb")
    artifacts.put("folder/c", b"")
    assert artifacts.list() == [
        {"path": "a.txt", "is_dir": False, "file_size": 1},
        {"path": "folder", "is_dir": True},
    ]
    assert artifacts.list("folder") == [
        {"path": "c", "is_dir": False, "file_size": 0},
        {"path": "deep", "is_dir": True},
    ]
    assert artifacts.list("a.txt") == artifacts.list("nothing") == []
    assert artifacts.list(".") == artifacts.list("") != []


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept(artifacts: Artifacts, server: Server, run: deardiary.Iteration, name: str) -> None:
    folder, _, last = name.rpartition("/")
    assert artifacts.upload(folder, f"/home/someone/{last}", b"content").status == 200
    assert artifacts.get(name) == b"content"
    assert [each.name for each in server.client().resources.list(run.experiment_id)] == [name]
    assert [each["path"] for each in artifacts.list(folder)] == [last]


@pytest.mark.parametrize("local_path", ["x.bin", "/home/me/x.bin", r"C:\runs\x.bin"])
def test_the_name_is_the_last_part_of_the_path_that_older_clients_send(artifacts: Artifacts, local_path: str) -> None:
    artifacts.upload("folder", local_path, b"x" * 6_000_000, b"y")
    presigned = artifacts.call("GET", "presigned", "folder/x.bin").body
    assert presigned["file_size"] == 6_000_001
    span = {**presigned["headers"], "Range": "bytes=5999999-6000000"}
    assert requests.get(presigned["url"], headers=span, timeout=10).content == b"xy"
    check_consistency()


def test_an_empty_file_in_parts_is_a_file(artifacts: Artifacts) -> None:
    artifacts.upload("", "empty", b"")
    assert artifacts.call("GET", "presigned", "empty").body["file_size"] == 0
    assert artifacts.get("empty") == b""


def test_an_upload_is_completed_once_and_aborted_any_number_of_times(artifacts: Artifacts) -> None:
    made = artifacts.call("POST", "mpu/create", "", {"path": "x", "num_parts": 1}).body
    etag = requests.put(made["credentials"][0]["url"], data=b"x", timeout=10).headers["ETag"]
    body = {"path": "x", "upload_id": made["upload_id"]}
    wrong = artifacts.call("POST", "mpu/complete", "", {**body, "parts": [{"part_number": 1, "etag": '"0"'}]})
    assert (wrong.status, wrong.body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    parts = [{"part_number": 1, "etag": etag, "url": ""}]
    for _ in range(2):
        assert artifacts.call("POST", "mpu/complete", "", {**body, "parts": parts}).body == {}
    for _ in range(2):
        assert artifacts.call("POST", "mpu/abort", "", body).body == {}
    assert artifacts.get("x") == b"x"


def test_a_larger_body_is_sent_on_to_the_store(artifacts: Artifacts) -> None:
    """The local server gives the app the headers of a body that is too large for it."""
    for path, data, headers in (
        ("large.bin", b"", {"Content-Length": "20000000"}),
        ("folder/half.bin", b"x" * 5_000_000, {"Content-Length": "5000000"}),
        # API Gateway takes bytes of an unknown type for text.
        ("mangled.bin", "caf\N{REPLACEMENT CHARACTER}".encode(), {"Content-Length": "4"}),
    ):
        redirected = artifacts.put(path, data, **headers)
        assert redirected.status == 307
        assert artifacts.call("GET", "artifacts", path).status == 404
        requests.put(redirected.headers["location"], data=b"all of it", timeout=10)
        assert artifacts.get(path) == b"all of it"
    assert [each["path"] for each in artifacts.list()] == ["folder", "large.bin", "mangled.bin"]
    check_consistency()


def test_folders_and_files_are_deleted(artifacts: Artifacts) -> None:
    for path in ("a/x", "a/y/z", "ab", "b"):
        artifacts.put(path, b"x")
    for path in ("a", "b", "nothing"):
        assert artifacts.call("DELETE", "artifacts", path, {}).body == {}
    assert [each["path"] for each in artifacts.list()] == ["ab"]
    artifacts.call("DELETE", "artifacts")
    assert artifacts.list() == []
    check_consistency()


CLIMBING = ["../x", "a/../../x", "%2e%2e/x", "..%2fx", "a%00b", "a//b", "..%5cx"]


@pytest.mark.parametrize("path", CLIMBING)
@pytest.mark.parametrize(("method", "what"), [("PUT", "artifacts"), ("GET", "presigned"), ("DELETE", "artifacts")])
def test_a_path_that_climbs_out_is_refused(artifacts: Artifacts, method: str, what: str, path: str) -> None:
    reply = artifacts.server.call(method, f"{ROOT}/{what}/{artifacts.root}/{path}", b"x")
    assert (reply.status, reply.body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    reply = artifacts.server.call("GET", f"{ROOT}/artifacts?path={artifacts.root}/{quote(path)}")
    assert reply.status == 400


def test_what_is_not_there_is_not_found(artifacts: Artifacts, run: deardiary.Iteration) -> None:
    artifacts.put("there", b"x")
    for path in (
        f"{files_of(run)}/absent",
        f"{run.experiment_id}/nothing/artifacts/there",
        f"x/{run.id}/artifacts/there",
    ):
        for what in ("artifacts", "presigned"):
            reply = artifacts.server.call("GET", f"{ROOT}/{what}/{path}")
            assert (reply.status, reply.body["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert artifacts.server.call("GET", f"{ROOT}/presigned/{'x/' * 30}").status == 403  # no route, as in API Gateway


def test_the_workspace_of_a_path_is_that_of_the_request(server: Server, run: deardiary.Iteration) -> None:
    project = server.client().experiments.get(run.experiment_id).project_id
    root = f"workspaces/{project}/{files_of(run)}"
    mine = {"X-MLFLOW-WORKSPACE": project}
    assert Artifacts(server, root, **mine).put("x", b"x").status == 200
    assert Artifacts(server, files_of(run), **mine).get("x") == b"x"
    assert Artifacts(server, root).get("x") == b"x"
    other = {"X-MLFLOW-WORKSPACE": server.client().projects.create("other").id}
    assert Artifacts(server, files_of(run), **other).call("GET", "artifacts", "x").status == 404
    assert Artifacts(server, root, **other).call("GET", "artifacts", "x").status == 400


def test_the_files_of_a_logged_model_have_a_place_of_their_own(server: Server, run: deardiary.Iteration) -> None:
    made = server.call("POST", "/api/2.0/mlflow/logged-models", {"experiment_id": run.experiment_id})
    model = Artifacts(server, f"{run.experiment_id}/models/{made.body['model']['info']['model_id']}/artifacts")
    model.upload("", "MLmodel", b"flavors: {}")
    assert model.list() == [{"path": "MLmodel", "is_dir": False, "file_size": 11}]
    assert model.get("MLmodel") == b"flavors: {}"
    assert Artifacts(server, files_of(run)).list() == []


def test_overwriting_needs_the_permission_to_update(server: Server, artifacts: Artifacts) -> None:
    client, newcomer = server.client(), server.newcomer("newcomer").whoami()
    project = client.experiments.get(artifacts.root.split("/")[0]).project_id
    record = {"create_permission": True, "read_permission": True}
    assert server.call("PUT", f"/projects/{project}/permissions/{newcomer.id}", record).status == 200
    theirs = {"Authorization": f"Bearer {server.token('newcomer')}"}

    def put(data: bytes) -> Reply:
        return server.call("PUT", f"{ROOT}/artifacts/{artifacts.root}/x", data, token=None, headers=theirs)

    assert put(b"one").status == 200
    assert put(b"one").status == 200
    assert put(b"two").body["error_code"] == "PERMISSION_DENIED"
    made = server.call("POST", f"{ROOT}/mpu/create/{artifacts.root}", {"path": "x"}, token=server.token("newcomer"))
    assert made.status == 403
    assert artifacts.get("x") == b"one"


def test_no_url_is_logged(artifacts: Artifacts, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="deardiary"):
        artifacts.upload("", "x", b"x")
        artifacts.put("y", b"", **{"Content-Length": "20000000"})
        artifacts.get("x")
    assert "X-Amz-Signature" not in caplog.text


def test_the_server_tells_clients_to_transfer_by_signed_urls(server: Server) -> None:
    for prefix in ("/api", "/ajax-api"):
        info = server.call("GET", f"{prefix}/3.0/mlflow/server-info", token=None).body
        assert info["multipart_uploads_enabled"]
        assert info["multipart_downloads_enabled"]
        assert info["artifacts_presigned_only"]
        assert info["workspaces_enabled"]


def test_workspaces_are_projects(server: Server) -> None:
    root = "/api/3.0/mlflow/workspaces"
    made = server.call("POST", root, {"name": "team-a", "description": "ours"})
    assert (made.status, made.body["workspace"]) == (201, {"name": "team-a", "description": "ours"})
    again = server.call("POST", root, {"name": "team-a"})
    assert (again.status, again.body["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    other = server.client().projects.create("Not a name").id
    listed = server.call("GET", root).body["workspaces"]
    assert {each["name"] for each in listed} >= {"team-a", other}
    assert server.call("PATCH", f"{root}/team-a", {"description": "new"}).body["workspace"]["description"] == "new"
    named = {"X-MLFLOW-WORKSPACE": "team-a"}
    create = "/api/2.0/mlflow/experiments/create"
    assert server.call("POST", create, {"name": "e"}, headers=named).status == 200
    (project,) = [each for each in server.client().projects.list() if each.name == "team-a"]
    assert [each.name for each in server.client().experiments.list(project.id)] == ["e"]
    assert server.call("DELETE", f"{root}/team-a").status == 204
    gone = server.call("GET", f"{root}/team-a")
    assert (gone.status, gone.body["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert server.call("POST", create, {"name": "f"}, headers=named).status == 404


@pytest.mark.parametrize("name", ["x", "Team", "-a", "a-", "a_b", "a" * 64, "default"])
def test_the_name_of_a_workspace_follows_the_rule_of_mlflow(server: Server, name: str) -> None:
    reply = server.call("POST", "/api/3.0/mlflow/workspaces", {"name": name})
    assert (reply.status, reply.body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
