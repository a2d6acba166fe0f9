"""`deardiary sync` where a server is gone for good or has refused records: move them, list them, drop them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import Client, ClientError, IterationStatus
from deardiary.cli.output import Output
from deardiary.spool import lines
from tests.support.server import URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.cli.conftest import Said
    from tests.support.server import Server

    Run = Callable[..., Said]

OLD = "https://gone.example/api"
OLD_ID, OLD_PARENT = "0ld0ld0ld0ld0ld0ld0ld0ld", "0ldparent0ldparent0ldpar"


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def spools(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "spool").iterdir())


def log(tmp_path: Path, experiment: str, **given: Any) -> Path:
    """The spool of a run with two points, a parameter and an end, logged for the old server."""
    before = spools(tmp_path) if (tmp_path / "spool").exists() else []
    with deardiary.start("Moved", experiment, parameters={"lr": 1}, **given) as iteration:
        iteration.log({"loss": 1.0})
        iteration.log({"loss": 0.5})
    (spool,) = [each for each in spools(tmp_path) if each not in before]
    stated(spool, url=OLD, offline=False)
    return spool


def stated(spool: Path, **fields: Any) -> dict[str, Any]:
    """The content of run.json, with these fields changed."""
    run: dict[str, Any] = json.loads((spool / "run.json").read_text())
    run["origin"] |= fields.pop("origin", {})
    (spool / "run.json").write_text(json.dumps(run | fields))
    return run


def iterations_of(client: Client, experiment: str) -> list[deardiary.Iteration]:
    project = client.projects.find_or_create("Moved")
    found = client.experiments.find_or_create(project.id, experiment)
    return sorted(client.iterations.list(found.id), key=lambda each: each.created_date)


@pytest.mark.parametrize("is_allowed", [False, True])
def test_a_server_that_is_gone_has_two_ways_out(
    run: Run, tmp_path: Path, experiment: str, server: Server, monkeypatch: pytest.MonkeyPatch, *, is_allowed: bool
) -> None:
    def send(_: Any) -> Any:
        raise ClientError(0, "CONNECTION_FAILED", "No answer")

    monkeypatch.setattr(server.transport, "send", send)
    log(tmp_path, experiment)
    log(tmp_path, experiment)
    said = run("sync", *(["--allow", OLD] if is_allowed else []))
    assert said.status == 1
    assert said.out.count(f"deardiary sync --from-url {OLD} --to URL") == 1
    assert said.out.count(f"deardiary sync --discard --from-url {OLD}") == 1


def test_records_for_a_dead_server_go_to_another(run: Run, client: Client, tmp_path: Path, experiment: str) -> None:
    spool = log(tmp_path, experiment, id_key="nightly")
    stated(spool, origin={"iteration_id": OLD_ID, "experiment_id": OLD_PARENT})
    other = log(tmp_path, experiment)
    stated(other, url="https://another.example/api")
    said = run("sync", "--from-url", OLD, "--to", URL)
    assert (said.status, said.err) == (0, "")
    (iteration,) = iterations_of(client, experiment)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert client.metrics.summary(iteration.id)["loss"].count == 2
    project = client.projects.find_or_create("Moved")
    same = client.iterations.create(client.experiments.find_or_create(project.id, experiment).id, id_key="nightly")
    assert same.id == iteration.id
    assert spools(tmp_path) == [other]


def test_records_that_the_old_server_accepted_are_reported(run: Run, tmp_path: Path, experiment: str) -> None:
    spool = log(tmp_path, experiment)
    stated(spool, origin={"iteration_id": OLD_ID})
    for path in spool.glob("*.log"):
        path.rename(spool / "00000003.log")
    out = run("sync", "--from-url", OLD, "--to", URL).out
    assert f"{OLD} had acknowledged its records before file 00000003 (iteration {OLD_ID}): those are there only" in out


def test_two_copies_and_two_runs_of_one_iteration_make_one(
    client: Client, run: Run, tmp_path: Path, experiment: str
) -> None:
    first = log(tmp_path, experiment)
    stated(first, origin={"iteration_id": OLD_ID})
    second = log(tmp_path, experiment, resume=OLD_ID)
    stated(second, origin={"iteration_id": OLD_ID, "experiment_id": OLD_PARENT})
    shutil.copytree(tmp_path / "spool", tmp_path / "copy")
    assert run("sync", "--from-url", OLD, "--to", URL).status == 0
    assert run("sync", "--from-url", OLD, "--to", URL, str(tmp_path / "copy")).status == 0
    (iteration,) = iterations_of(client, experiment)
    assert client.metrics.summary(iteration.id)["loss"].count == 4


def test_a_child_keeps_its_parent(client: Client, run: Run, tmp_path: Path, experiment: str) -> None:
    parent = log(tmp_path, experiment)
    stated(parent, origin={"iteration_id": OLD_PARENT})
    child = log(tmp_path, experiment)
    stated(child, origin={"iteration_id": OLD_ID, "parent": {"iteration_id": OLD_PARENT}})
    assert run("sync", "--from-url", OLD, "--to", URL).status == 0
    above, below = iterations_of(client, experiment)
    assert below.parent_iteration_id == above.id


def test_a_server_that_only_changed_its_url_keeps_the_iteration(
    client: Client, run: Run, tmp_path: Path, experiment: str
) -> None:
    (before,) = [client.iterations.create(_experiment_id(client, experiment))]
    spool = log(tmp_path, experiment)
    stated(spool, origin={"iteration_id": before.id, "experiment_id": before.experiment_id, "id_key": "unheard"})
    said = run("sync", "--from-url", OLD, "--to", URL)
    assert (said.status, "acknowledged" in said.out) == (0, False)
    assert [each.id for each in iterations_of(client, experiment)] == [before.id]


def _experiment_id(client: Client, experiment: str) -> str:
    return client.experiments.find_or_create(client.projects.find_or_create("Moved").id, experiment).id


def test_a_run_that_knows_only_ids_goes_where_the_settings_say(
    client: Client, run: Run, tmp_path: Path, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = log(tmp_path, experiment)
    stated(spool, origin={"project": None, "experiment": None, "experiment_id": OLD_PARENT, "iteration_id": OLD_ID})
    said = run("sync", "--from-url", OLD, "--to", URL)
    assert said.status == 1
    assert "set DEARDIARY_PROJECT and DEARDIARY_EXPERIMENT" in said.out
    assert list(spool.glob("*.log"))
    monkeypatch.setenv("DEARDIARY_PROJECT", "Moved")
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", experiment)
    assert run("sync", "--from-url", OLD, "--to", URL).status == 0
    assert len(iterations_of(client, experiment)) == 1


def test_a_spool_in_use_is_neither_moved_nor_discarded(
    client: Client, run: Run, tmp_path: Path, experiment: str
) -> None:
    with deardiary.start("Moved", experiment) as iteration:
        iteration.log({"loss": 1.0})
        (spool,) = spools(tmp_path)
        stated(spool, url=OLD)
        for words in (["--from-url", OLD, "--to", URL], ["--discard", "--yes"]):
            said = run("sync", *words)
            assert said.status == 1
            assert "may still write" in said.out + said.err
    assert list(spool.glob("*.log"))
    assert iterations_of(client, experiment) == []


@pytest.mark.parametrize(
    "words",
    [["--to", URL], ["--from-url", URL, "--to", URL], ["--from-url", OLD], ["one", "two"], ["--discard", "--to", URL]],
)
def test_a_move_that_makes_no_sense_is_refused(run: Run, words: list[str]) -> None:
    said = run("sync", *words)
    assert said.status in (1, 2)
    assert said.err


def test_unsent_records_are_shown_and_discarded_after_a_yes(run: Run, tmp_path: Path, experiment: str) -> None:
    mine, other = log(tmp_path, experiment), log(tmp_path, experiment)
    stated(other, url="https://another.example/api")
    asked = run("sync", "--discard", "--from-url", OLD)
    assert asked.status == 2
    assert "1 run with 4 unsent records" in asked.err
    assert mine.name in asked.out
    assert run("sync", "--discard", "--from-url", OLD, stdin="n\n", tty=True).status == 1
    assert mine.is_dir()
    gone = run("sync", "--discard", "--from-url", OLD, "--yes", "--json").json["discarded"]
    assert [(each["spool"], each["points"], each["url"]) for each in gone] == [(mine.name, 2, OLD)]
    assert gone[0]["bytes"] > 100
    assert spools(tmp_path) == [other]
    unknown = run("sync", "--discard", "unknown-run", "--yes")
    assert (unknown.status, "'unknown-run'" in unknown.err) == (1, True)
    assert run("sync", "--discard", other.name, "--yes").status == 0
    assert spools(tmp_path) == []


def test_discard_deletes_only_files_of_the_spool(run: Run, tmp_path: Path, experiment: str) -> None:
    spool = log(tmp_path, experiment)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.json").write_text("{}")
    (spool / "rejected").symlink_to(tmp_path / "elsewhere")
    (spool / "files").symlink_to(tmp_path / "elsewhere")
    (spool / "thesis.tex").write_text("years of work")
    assert run("sync", "--discard", "--yes").status == 0
    assert (tmp_path / "elsewhere" / "kept.json").exists()
    assert (spool / "thesis.tex").exists()
    assert run("sync", "--discard", "--yes").out == "Nothing waits here\n"


def test_records_that_were_refused_are_listed_and_dropped(
    run: Run, client: Client, tmp_path: Path, experiment: str
) -> None:
    spool = log(tmp_path, experiment)
    stated(spool, url=URL)
    segment = spool / "00000001.log"
    segment.write_bytes(
        lines.seal(lines.dump({"parameters": {"k" * 300: "too long", "b": "v"}})) + segment.read_bytes()
    )
    said = run("sync")
    assert said.status == 1
    assert "--drop-rejected" in said.err
    (iteration,) = iterations_of(client, experiment)
    (part,) = run("sync", "--rejected", "--json").json
    assert (part["iteration_id"], part["kind"], part["spool"]) == (iteration.id, "fields", spool.name)
    assert part["records"] == 3
    assert "250" in part["reason"]
    assert run("sync", "--rejected", iteration.id).out.count(spool.name) == 1
    assert run("sync").status == 1
    asked = run("sync", "--drop-rejected")
    assert asked.status == 2
    assert "1 part with 3 records that the server refused would be deleted" in asked.err
    assert run("sync", "--drop-rejected", spool.name, "--yes").status == 0
    assert spools(tmp_path) == []
    assert run("sync").status == 0


def test_in_python_records_move_to_the_client_that_is_given(client: Client, tmp_path: Path, experiment: str) -> None:
    log(tmp_path, experiment)
    (result,) = deardiary.sync(client=client, from_url=f"{OLD}/", tell=lambda _: None)
    assert (result.is_done, result.points) == (True, 2)
    assert len(iterations_of(client, experiment)) == 1


def test_reports_break_between_words_on_a_terminal(
    run: Run, tmp_path: Path, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(tmp_path, experiment)
    monkeypatch.setattr(Output, "room", lambda _: 80)
    lines = run("sync", "--from-url", OLD, "--to", URL).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"at {URL}: 2 points, 2 other records on the server" in " ".join(lines)


def test_a_terminal_shows_the_whole_url_of_the_server_of_unsent_records(
    run: Run, tmp_path: Path, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, url = log(tmp_path, experiment), "https://abc123defg.execute-api.eu-central-1.amazonaws.com/api"
    stated(spool, url=url)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("sync", "--discard", stdin="n\n", tty=True).out.splitlines()
    assert lines[0] == f"For {url}:"
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["run", "iteration", "points", "others", "files", "rejected", "bytes"]
