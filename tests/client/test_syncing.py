"""Records logged offline reach the real server once, wherever the spool is from, and nothing else does."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
import deardiary.client
from deardiary import Client, Iteration, IterationStatus
from deardiary.spool import lines
from tests.support.server import URL, Server, server_on_moto
from tests.support.transports import respond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deardiary import Request, Response


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of the file; each logs into an experiment of its own."""
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[Path]:
    """Two copies of the folder of an offline run, as on two machines."""
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "one"))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    (tmp_path / "back\\slash ü.txt").write_text("weights")
    with deardiary.start("Offline", request.node.name, parameters={"lr": 1}, tags=["t"]) as iteration:
        iteration.log({"loss": 1.0})
        iteration.set_snapshot(python_version="3.12.1", manifest_toml="torch==2.9\n")
        iteration.log_resource(tmp_path / "back\\slash ü.txt", "weights.txt")
        iteration.register_model(request.node.name, "weights.txt")
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    return [tmp_path / "one", tmp_path / "other"]


def sync(folder: Path, client: Client) -> deardiary.Synced:
    (result,) = deardiary.sync(folder, client=client, tell=lambda _: None)
    return result


def iterations_of(client: Client, experiment: str) -> list[Iteration]:
    project = next(client.projects.list(name="Offline"))
    found = next(client.experiments.list(project.id, name=experiment))
    return list(client.iterations.list(found.id))


def spool_in(folder: Path) -> Path:
    (spool,) = (folder / "spool").iterdir()
    return spool


def test_the_times_are_those_of_the_run(copies: list[Path], client: Client, request: pytest.FixtureRequest) -> None:
    begun = json.loads((spool_in(copies[0]) / "run.json").read_text())["started_at"]
    assert sync(copies[0], client).is_done
    (iteration,) = iterations_of(client, request.node.name)
    assert iteration.created_date.isoformat(timespec="milliseconds").startswith(begun[:23])
    assert iteration.end_date is not None
    assert iteration.end_date >= iteration.created_date


def test_an_end_is_not_before_the_beginning_whatever_the_clocks_say(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's clock is behind the server's."""
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    monkeypatch.setattr("deardiary.tracking.iteration.to_milliseconds", lambda _: 1_700_000_000_000)
    with deardiary.start("Offline", "behind", client=client):
        pass
    (iteration,) = iterations_of(client, "behind")
    assert iteration.end_date == iteration.created_date


def test_a_second_copy_changes_nothing_and_warns_of_nothing(
    copies: list[Path], client: Client, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    results = [sync(folder, client) for folder in copies]
    assert [(each.is_done, each.rejected) for each in results] == [(True, 0), (True, 0)]
    assert not caplog.records
    assert [list(folder.rglob("*.log")) for folder in copies] == [[], []]
    (iteration,) = iterations_of(client, request.node.name)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert client.iterations.snapshot(iteration.id).manifest_toml == "torch==2.9\n"
    (resource,) = client.resources.list(iteration.experiment_id, iteration_id=iteration.id)
    assert resource.name == "weights.txt"
    project = next(client.projects.list(name="Offline"))
    (model,) = client.models.list(project.id, name=request.node.name)
    assert [each.version for each in client.modelversions.list(model.id)] == [1]


@pytest.mark.parametrize(
    "entry",
    [
        {"points": 5},
        {"parameters": 5},
        {"tags": [[1]]},
        {"upload": {}},
        {"register": {}},
        {"snapshot": {"nope": "x"}},
        {"finish": {}},
        {"finish": {"status": 99, "at": 0, "error_message": ""}},
    ],
    ids=str,
)
def test_a_record_that_cannot_be_sent_keeps_no_other_back(
    copies: list[Path], client: Client, request: pytest.FixtureRequest, entry: dict[str, Any]
) -> None:
    segment = spool_in(copies[0]) / "00000001.log"
    segment.write_bytes(lines.seal(lines.dump(entry)) + segment.read_bytes())
    result = sync(copies[0], client)
    assert (result.is_done, result.points, result.rejected) == (True, 1, 1)
    (kept,) = copies[0].rglob("rejected/*.json")
    assert entry.items() <= json.loads(kept.read_text()).items()
    (iteration,) = iterations_of(client, request.node.name)
    assert iteration.status_id == IterationStatus.SUCCEEDED


def said(spool: Path, **fields: Any) -> None:
    run = json.loads((spool / "run.json").read_text())
    run["origin"] |= fields.pop("origin", {})
    (spool / "run.json").write_text(json.dumps(run | fields))


def replaced(path: Path, by: Callable[[Path], object]) -> None:
    path.unlink(missing_ok=True)
    by(path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda spool: replaced(spool / "run.json", Path.mkdir),
        lambda spool: replaced(spool / "run.json", os.mkfifo),
        lambda spool: replaced(spool / "run.json", lambda path: path.write_text("[" * 100_000)),
        lambda spool: replaced(spool / "00000001.log", os.mkfifo),
        lambda spool: replaced(spool / "lock", lambda path: path.symlink_to(spool.parents[2] / "elsewhere")),
        lambda spool: said(spool, url=5),
        lambda spool: said(spool, spool_id=5),
        lambda spool: said(spool, started_at="9999-12-31T23:59:59-23:59"),
        lambda spool: said(spool, origin={"iteration_id": ".."}),
        lambda spool: said(spool, origin={"iteration_id": 5}),
    ],
)
def test_a_damaged_spool_keeps_no_other_back(
    copies: list[Path], client: Client, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    harm(spool_in(copies[0]))
    results = deardiary.sync(tmp_path, client=client, tell=lambda _: None)
    assert [each.points for each in results if each.is_done][-1:] == [1]
    assert not (tmp_path / "elsewhere").exists()


def test_rejected_records_are_not_written_through_a_link(copies: list[Path], client: Client, tmp_path: Path) -> None:
    spool = spool_in(copies[0])
    (tmp_path / "elsewhere").mkdir()
    (spool / "rejected").symlink_to(tmp_path / "elsewhere")
    segment = spool / "00000001.log"
    segment.write_bytes(lines.seal(lines.dump({"tags": 5})) + segment.read_bytes())
    assert "is a link" in str(sync(copies[0], client).error)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_deleted_iteration_is_not_created_again(
    copies: list[Path], client: Client, request: pytest.FixtureRequest
) -> None:
    assert sync(copies[0], client).is_done
    (iteration,) = iterations_of(client, request.node.name)
    client.iterations.delete(iteration.id)
    second = sync(copies[1], client)
    assert not second.is_done
    assert "has been deleted" in str(second.error)
    assert f"delete {spool_in(copies[1])}" in str(second)
    assert iterations_of(client, request.node.name) == []
    assert spool_in(copies[1]).is_dir()


@pytest.mark.parametrize("way", ["absolute", "upwards", "link", "linked folder", "drive"])
def test_sync_of_a_foreign_spool_reads_and_removes_only_its_own_files(
    copies: list[Path], client: Client, tmp_path: Path, request: pytest.FixtureRequest, way: str
) -> None:
    secret = tmp_path / "files" / "secret"
    secret.parent.mkdir()
    secret.write_text("not for everybody")
    spool = spool_in(copies[0])
    names = {
        "absolute": str(secret),
        "upwards": "files/../../../../files/secret",
        "link": "files/link",
        "linked folder": "files/secret",
        "drive": "files/C:secret",
    }
    (spool / "files" / "link").symlink_to(secret)
    if way == "linked folder":
        shutil.rmtree(spool / "files")
        (spool / "files").symlink_to(secret.parent)
    _change_upload(spool, names[way])
    result = sync(copies[0], client)
    assert result.rejected > 0
    assert secret.read_text() == "not for everybody"
    (iteration,) = iterations_of(client, request.node.name)
    assert list(client.resources.list(iteration.experiment_id)) == []


def linked(path: Path, secret: Path) -> None:
    path.unlink()
    path.symlink_to(secret)


def hard_linked(path: Path, secret: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file that belongs to another user")
    path.unlink()
    path.hardlink_to(secret)
    os.chown(path, 12345, -1)


def too_large(path: Path, secret: Path) -> None:
    os.truncate(path, 64 * 2**20 + 1)


@pytest.mark.parametrize(
    ("harm", "message"),
    [(linked, "is a link"), (hard_linked, "hard link to a file of another user"), (too_large, "has more than")],
)
def test_a_linked_or_oversized_segment_is_not_read(
    copies: list[Path], client: Client, tmp_path: Path, harm: Callable[[Path, Path], None], message: str
) -> None:
    """The file has the content of a segment, so that reading it would show."""
    segment, secret = spool_in(copies[0]) / "00000001.log", tmp_path / "secret"
    shutil.copy(segment, secret)
    harm(segment, secret)
    result = sync(copies[0], client)
    assert (result.points, result.is_done) == (0, False)
    assert message in str(result.error)
    assert secret.exists()


@pytest.mark.parametrize("harm", [linked, hard_linked])
def test_a_description_of_a_run_that_is_a_link_is_not_read(
    copies: list[Path], client: Client, tmp_path: Path, harm: Callable[[Path, Path], None]
) -> None:
    described, secret = spool_in(copies[0]) / "run.json", tmp_path / "secret"
    shutil.copy(described, secret)
    harm(described, secret)
    assert deardiary.sync(copies[0], client=client, tell=lambda _: None) == []


def test_a_folder_that_is_a_link_is_not_entered(copies: list[Path], client: Client, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "link").symlink_to(spool_in(copies[0]))
    assert deardiary.sync(tmp_path / "given", client=client, tell=lambda _: None) == []


def test_files_that_are_not_of_the_spool_stay_in_its_folder(copies: list[Path], client: Client) -> None:
    (spool_in(copies[0]) / "thesis.tex").write_text("years of work")
    assert sync(copies[0], client).is_done
    assert [path.name for path in spool_in(copies[0]).iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("named", [None, URL])
def test_no_token_goes_to_a_server_that_only_the_spool_names(
    copies: list[Path], server: Server, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    monkeypatch.setenv("DEARDIARY_TOKEN", "dd_mine")
    if named is not None:
        monkeypatch.setenv("DEARDIARY_URL", named)
    said(spool_in(copies[0]), url="https://elsewhere.example/api")
    (result,) = deardiary.sync(copies[0], allow=["https://elsewhere.example/api/"], tell=lambda _: None)
    assert not result.is_done
    assert seen.requests
    assert all("elsewhere.example" in request.url for request in seen.requests)
    assert not any("authorization" in map(str.lower, request.headers) for request in seen.requests)


@pytest.mark.parametrize("named", [None, URL])
@pytest.mark.parametrize("url", ["https://elsewhere.example/api", "http://127.0.0.1:9000"])
def test_sync_sends_nothing_unasked_to_a_server_that_only_the_spool_names(
    copies: list[Path], server: Server, monkeypatch: pytest.MonkeyPatch, named: str | None, url: str
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    monkeypatch.setenv("DEARDIARY_URL", named or "https://mine.example")
    said(spool_in(copies[0]), url=url)
    told: list[str] = []
    (result,) = deardiary.sync(copies[0], tell=told.append)
    assert (result.is_done, result.waiting, seen.requests) == (False, 1, [])
    assert f"deardiary sync --allow {url}" in told[0]
    assert spool_in(copies[0]).is_dir()


@pytest.mark.parametrize(("answer", "is_sent"), [("y\n", True), ("\n", False), ("n\n", False), ("", False)])
def test_a_user_at_a_terminal_is_asked_once_for_each_server(
    copies: list[Path],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    is_sent: bool,
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    for folder in copies:
        said(spool_in(folder), url="https://elsewhere.example/api\u202e")
    results = deardiary.sync(copies[0].parent, tell=lambda _: None)
    asked = capsys.readouterr().err
    assert asked.count("https://elsewhere.example/api?") == 1
    assert "\u202e" not in asked
    assert [bool(seen.requests), len(results)] == [is_sent, 2]


def test_signing_in_names_a_server(
    copies: list[Path], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    login = tmp_path / "config" / "deardiary" / "credentials.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps({"url": "https://elsewhere.example/api", "token": "dd_elsewhere"}))
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", "dd_mine")
    said(spool_in(copies[0]), url="https://elsewhere.example/api")
    deardiary.sync(copies[0], tell=lambda _: None)
    tokens = {request.headers["Authorization"] for request in seen.requests}
    assert tokens == {"Bearer dd_elsewhere"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Listening:
    """Answers like a server that requires a token."""

    def __init__(self, server: Server) -> None:
        self.requests: list[Request] = []
        self._server = server

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        path = request.url.removeprefix("https://elsewhere.example/api")
        status, headers, content = self._server.transport.call(request.method, path, dict(request.headers), b"")
        return respond(status, content, headers)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _change_upload(spool: Path, file: str) -> None:
    """Make the spool name this file for the upload."""
    for path in spool.glob("*.log"):
        entries, _ = lines.read(path.read_bytes())
        path.write_bytes(b"".join(lines.seal(lines.dump(_with_file(entry, file))) for entry in entries))


def _with_file(entry: dict[str, Any], file: str) -> dict[str, Any]:
    return {**entry, "upload": {**entry["upload"], "file": file}} if "upload" in entry else entry


def test_earlier_rejections_are_reported_again(copies: list[Path], client: Client) -> None:
    _change_upload(spool_in(copies[0]), "/etc/hostname")
    first, second = (sync(copies[0], client) for _ in range(2))
    assert (first.rejected, second.rejected) == (2, 2)
    assert "2 refused for good (see `deardiary sync --rejected`)" in str(second)


def test_a_live_run_is_found_by_its_id(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    with deardiary.start("Offline", "live", client=client) as iteration:
        origin = json.loads((spool_in(tmp_path) / "run.json").read_text())["origin"]
        assert (origin["iteration_id"], origin["experiment_id"]) == (iteration.id, iteration.experiment_id)


def test_a_forks_spool_of_an_earlier_version_does_not_reopen_its_parents_iteration(
    copies: list[Path], client: Client, request: pytest.FixtureRequest
) -> None:
    assert sync(copies[0], client).is_done
    (before,) = iterations_of(client, request.node.name)
    spool = spool_in(copies[1])
    said(spool, spool_id="fork", forked_from="parent", reopens=True, started_at="2090-01-01T00:00:00Z")
    late = {"at": 4_000_000_000_000, "step": None, "points": {"loss": 2.0}}
    (spool / "00000001.log").write_bytes(lines.seal(lines.dump(late)))
    assert sync(copies[1], client).rejected == 1
    assert iterations_of(client, request.node.name) == [before]
