"""Commands against the real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import Client, ExperimentStatus, IterationStatus, Point, Stage
from deardiary.settings import spool_folder
from deardiary.wire.names import name_of
from tests.support.older import put_older_experiment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture(scope="module")
def iris(server: Any) -> dict[str, str]:
    """A project with two iterations; ids by kind."""
    client: Client = server.client()
    project = client.projects.create("Iris", "flowers")
    experiment = client.experiments.create(project.id, "sweep")
    ids = {"project": project.id, "experiment": experiment.id}
    for name, lr, status in (("first", "0.1", IterationStatus.SUCCEEDED), ("second", "0.2", IterationStatus.FAILED)):
        iteration = client.iterations.create(experiment.id, notes="n")
        client.parameters.create(iteration.id, "lr", lr)
        client.parameters.create(iteration.id, "seed", "7")
        client.metrics.batch(iteration.id, [Point("loss", float(lr) / step, step) for step in (1, 2)])
        client.tags.create("iteration", iteration.id, name)
        message = "Traceback\nValueError: no data\n" if name == "second" else None
        client.iterations.update(iteration.id, status_id=status, error_message=message)
        ids[name] = iteration.id
    return ids


def test_projects_are_listed_with_and_without_the_verb(run: Run, iris: dict[str, str]) -> None:
    for words in (["projects"], ["projects", "ls"]):
        lines = run(*words).out.splitlines()
        assert lines[0].split() == ["id", "name", "created", "description"]
        assert any(line.startswith(iris["project"]) and line.endswith("flowers") for line in lines)
    (found,) = [each for each in run("projects", "--json").json if each["id"] == iris["project"]]
    assert (found["name"], found["description"]) == ("Iris", "flowers")


def test_a_project_is_made_shown_and_removed(run: Run) -> None:
    made = run("projects", "create", "Wine", "--description", "d", "--json").json
    assert run("projects", "show", "Wine", "--json").json == made
    assert made["id"] in run("projects", "show", made["id"]).out
    kept = run("projects", "rm", "Wine")
    assert (kept.status, kept.out) == (2, "")
    assert "say --yes" in kept.err
    assert run("projects", "rm", "Wine", "--yes", "--json").json == {"deleted": [made["id"]]}
    gone = run("projects", "show", "Wine")
    assert (gone.status, gone.err) == (1, "deardiary: There is no project of the name or id 'Wine'\n")


def test_a_second_project_of_one_name_is_made_with_a_warning(run: Run) -> None:
    first = run("projects", "create", "Again")
    second = run("projects", "create", "Again", "--json")
    assert (first.err, second.json["name"]) == ("", "Again")
    assert "Another project is named 'Again' too: " in second.err
    assert run("projects", "show", "Again", "--json").json["id"] in second.err


def test_of_several_of_one_name_none_is_removed_by_that(run: Run) -> None:
    ids = [run("projects", "create", "Twice", "--json").json["id"] for _ in range(2)]
    refused = run("projects", "rm", "Twice", "--yes")
    assert (refused.status, refused.out) == (2, "")
    assert all(each in refused.err for each in ids)
    assert run("projects", "show", "Twice", "--json").json["id"] == ids[0]
    assert run("projects", "rm", ids[0], "--yes").status == 0
    experiments = [put_older_experiment(ids[1], "e") for _ in range(2)]
    refused = run("experiments", "rm", "Twice/e", "--yes")
    assert (refused.status, all(each in refused.err for each in experiments)) == (2, True)
    assert run("projects", "rm", "Twice", "--yes").status == 0


def test_experiments(run: Run, iris: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = run("experiments", "create", "Iris", "try/this", "--json").json
    again = run("experiments", "create", "Iris", "try/this")
    assert (again.status, again.out) == (1, "")
    assert "The project has an experiment of this name already" in again.err
    assert run("experiments", "show", "Iris/try/this", "--json").json == made
    assert {each["name"] for each in run("experiments", "Iris", "--json").json} == {"sweep", "try/this"}
    assert "IN_PROGRESS" in run("experiments", "ls", iris["project"]).out
    assert run("experiments", "rm", made["id"], "--yes").out.startswith(f"Deleted {made['id']}\nTo undo: ")
    assert run("experiments", "ls").status == 2
    monkeypatch.setenv("DEARDIARY_PROJECT", "Iris")
    assert [each["name"] for each in run("experiments", "--json").json] == ["sweep"]
    assert run("experiments", "show", "sweep", "--json").json["status_id"] == ExperimentStatus.IN_PROGRESS


def test_iterations_are_found(run: Run, iris: dict[str, str]) -> None:
    lines = run("iterations", "ls", "Iris/sweep").out.splitlines()
    assert lines[0].split() == ["id", "name", "status", "created", "took", "tags", "lr", "seed", "loss"]
    assert [line.split()[0] for line in lines[2:]] == [iris["second"], iris["first"]], "newest first"
    assert lines[3].split()[:3] == [iris["first"], name_of(iris["first"]), "SUCCEEDED"]
    assert lines[3].split()[-4:] == ["first", "0.1", "7", "0.05"]
    found = run("iterations", "Iris/sweep", "--filter", 'parameters.lr = "0.2"', "--json").json
    assert [each["id"] for each in found] == [iris["second"]]
    assert found[0]["metrics"]["loss"]["last"] == 0.1
    ordered = run("iterations", "ls", iris["experiment"], "--order-by", "metrics.loss desc", "--limit", "1", "--json")
    assert [each["id"] for each in ordered.json] == [iris["second"]]
    wrong = run("iterations", "ls", "Iris/sweep", "--filter", "metrics.loss <")
    assert (wrong.status, wrong.out) == (1, "")
    assert "filter" in wrong.err
    assert "no such iterations" in run("iterations", "ls", "Iris/sweep", "--filter", 'tags = "x"').out


def test_iterations_are_found_in_a_whole_project(run: Run, iris: dict[str, str]) -> None:
    query = ("--filter", 'parameters.lr = "0.2"')
    found = run("iterations", "ls", "--project", "Iris", *query, "--json").json
    assert [(each["id"], each["experiment_id"]) for each in found] == [(iris["second"], iris["experiment"])]
    assert "experiment" in run("iterations", "ls", "--project", "Iris").out.splitlines()[0].split()
    assert "not both" in run("iterations", "ls", "Iris/sweep", "--project", "Iris").err
    assert "docs/search.md" in run("iterations", "ls", "--help").out


def test_an_iteration_is_shown_with_its_parts(run: Run, iris: dict[str, str]) -> None:
    shown = run("iterations", "show", iris["second"]).out
    for line in ("status FAILED", "parameters.lr 0.2", "tags second", "loss 2 0.2 0.1 0.1 0.2 2"):
        assert line.split() in [each.split() for each in shown.splitlines()]
    assert shown.endswith("Traceback\nValueError: no data\n")
    found = run("iterations", "show", iris["second"], "--json").json
    assert found["parameters"] == {"lr": "0.2", "seed": "7"}
    assert (found["tags"], found["children"], found["resources"]) == (["second"], [], [])


def test_what_an_iteration_has_read_is_shown(run: Run, iris: dict[str, str], client: Client) -> None:
    iteration = client.iterations.create(iris["experiment"])
    assert "flowers" not in run("iterations", "show", iteration.id).out
    client.inputs.create(iteration.id, "dataset", "flowers", digest="9f3c", context="training", source="s3://b/f.csv")
    lines = [line.split() for line in run("iterations", "show", iteration.id).out.splitlines()]
    assert ["dataset", "flowers", "training", "9f3c", "s3://b/f.csv"] in lines
    (found,) = run("iterations", "show", iteration.id, "--json").json["inputs"]
    assert (found["kind"], found["name"], found["iteration_id"]) == ("dataset", "flowers", iteration.id)


def test_the_model_versions_of_an_iteration_are_shown(run: Run, iris: dict[str, str], client: Client) -> None:
    iteration = client.iterations.create(iris["experiment"])
    model = client.models.create(client.experiments.get(iris["experiment"]).project_id, "produced here")
    version = client.modelversions.create(model.id, iteration.id)
    client.models.set_alias(model.id, "champion", version.version)
    lines = [line.split() for line in run("iterations", "show", iteration.id).out.splitlines()]
    assert ["produced", "here/1", "NO_STAGE", "champion"] in lines
    (found,) = run("iterations", "show", iteration.id, "--json").json["modelversions"]
    assert (found["id"], found["aliases"]) == (version.id, ["champion"])


def test_iterations_are_compared_side_by_side(run: Run, iris: dict[str, str]) -> None:
    ids = iris["first"], iris["second"]
    lines = run("iterations", "compare", *ids).out.splitlines()
    assert lines[0].split() == [name_of(each) for each in ids]
    rows = [line.split() for line in lines]
    assert ["*", "parameters.lr", "0.1", "0.2"] in rows
    assert ["*", "metrics.loss", "0.05", "0.1"] in rows
    assert ["parameters.seed", "7", "7"] in rows
    differing = run("iterations", "compare", *ids, "--differing", "--json").json
    assert {"name": "parameters.lr", "differs": True, "values": ["0.1", "0.2"]} in differing
    assert all(row["differs"] for row in differing)
    assert run("iterations", "compare", ids[0], "nothing").status == 1


def test_the_keys_of_an_experiment_are_listed(run: Run, iris: dict[str, str]) -> None:
    rows = [line.split() for line in run("iterations", "keys", iris["experiment"]).out.splitlines()]
    assert rows[0] == ["kind", "key", "type", "iterations"]
    assert ["parameters", "lr", "number", "2"] in rows
    assert ["metrics", "loss", "number"] in [row[:3] for row in rows]
    used = run("iterations", "keys", iris["experiment"], "--json").json
    assert {"key": "second", "type": "string", "count": 1} in used["tags"]


def test_several_iterations_are_tagged_at_once(run: Run, iris: dict[str, str], client: Client) -> None:
    first, second = (client.iterations.create(iris["experiment"], tags=["old"]).id for _ in range(2))
    done = run("iterations", "tag", first, "new", "newer", "--also", second)
    assert done.out.splitlines() == [f"Changed {first}", f"Changed {second}"]
    assert run("iterations", "tag", first, "old", "--remove", "--also", second, "--json").json == {
        first: "done",
        second: "done",
    }
    for each in (first, second):
        assert {tag.value for tag in client.tags.list("iteration", each)} == {"new", "newer"}
        client.iterations.delete(each)


def test_iterations_are_removed(run: Run, iris: dict[str, str], client: Client) -> None:
    ids = [client.iterations.create(iris["experiment"]).id for _ in range(2)]
    assert "2 iterations" in run("iterations", "rm", *ids).err
    assert run("iterations", "rm", *ids, "--yes", "--purge").out == f"Deleted {ids[0]}\nDeleted {ids[1]}\n"
    assert run("iterations", "show", ids[0]).status == 1


def test_resources_go_up_and_down(run: Run, iris: dict[str, str], tmp_path: Path, client: Client) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "log.txt").write_bytes(b"lines")
    iteration = client.iterations.create(iris["experiment"])
    paths = [str(tmp_path / "model.bin"), str(tmp_path / "log.txt")]
    stored = run("resources", "upload", *paths, "--iteration", iteration.id, "--json").json
    assert [each["name"] for each in stored] == ["model.bin", "log.txt"]
    assert run("resources", "upload", *paths, "--name", "x", "--experiment", "Iris/sweep").status == 2
    listed = run("resources", "ls", "--iteration", iteration.id).out
    assert "model.bin" in listed
    assert run("resources", "--experiment", "Iris/sweep", "--json").json == stored
    (tmp_path / "down").mkdir()
    downloaded = run("resources", "download", stored[0]["id"], str(tmp_path / "down"))
    assert downloaded.out == f"{tmp_path / 'down' / 'model.bin'}\n"
    assert Path(downloaded.out.strip()).read_bytes() == b"weights"
    assert "model.bin" in run("iterations", "show", iteration.id).out
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "a.txt").write_bytes(b"a")
    folder = str(tmp_path / "folder")
    (deep,) = run("resources", "upload", folder, "--name", "data", "--iteration", iteration.id, "--json").json
    assert deep["name"] == "data/deep/a.txt"
    everything = run("resources", "download-all", str(tmp_path / "all"), "--iteration", iteration.id)
    assert sorted(everything.out.split()) == [
        f"{tmp_path}/all/{each}" for each in ("data/deep/a.txt", "log.txt", "model.bin")
    ]
    assert (tmp_path / "all" / "data" / "deep" / "a.txt").read_bytes() == b"a"
    missing = run("resources", "upload", str(tmp_path / "nothing"), "--iteration", iteration.id)
    assert (missing.status, missing.out) == (1, "")
    assert "nothing" in missing.err
    assert run("resources", "rm", *(each["id"] for each in stored), "--yes").status == 0


def test_models_are_promoted(run: Run, iris: dict[str, str], client: Client) -> None:
    model = client.models.create(iris["project"], "classifier")
    versions = [client.modelversions.create(model.id, iris["first"]) for _ in range(2)]
    assert "classifier" in run("models", "Iris").out
    for version in versions:
        assert "PRODUCTION" in run("models", "promote", version.id, "production").out
    stages = [each["stage_id"] for each in run("models", "versions", "Iris/classifier", "--json").json]
    assert stages == [Stage.ARCHIVED, Stage.PRODUCTION]
    only = run("models", "versions", model.id, "--stage", "archived").out.splitlines()
    assert only[2].split()[:3] == ["1", versions[0].id, "ARCHIVED"]
    assert run("models", "rm", "Iris/classifier", "--yes").status == 0


def test_users_are_made_and_given_permissions(run: Run, iris: dict[str, str]) -> None:
    made = run("users", "create", "ada", "--first-name", "Ada", "--password-stdin", "--json", stdin="long enough\n")
    assert made.json["username"] == "ada"
    assert "ada" in run("users").out
    assert "No permissions" in run("users", "show", "ada").out
    granted = run("users", "grant", "ada", "Iris", "--read", "--json").json
    assert (granted["read_permission"], granted["delete_permission"]) == (True, False)
    assert run("users", "show", "ada").out.splitlines()[-1].split() == ["Iris", "no", "yes", "no", "no"]
    assert run("users", "grant", "ada", "Iris", "--all", "--json").json["delete_permission"]
    short = run("users", "create", "bob", "--password-stdin", stdin="short\n")
    assert (short.status, short.out) == (1, "")
    assert "(field: password)" in short.err
    assert run("users", "create", "bob").status == 2
    assert run("users", "rm", "ada", "--yes").status == 0


def test_names_from_other_users_cannot_control_the_terminal(run: Run, client: Client) -> None:
    client.projects.create("evil \x85\u202e name", "long " * 40)
    lines = [line for line in run("projects").out.splitlines() if "evil" in line]
    assert "evil ? ? name" in lines[0] or "evil ?? name" in lines[0] or "evil ? name" in lines[0]
    assert "\u202e" not in lines[0]
    assert lines[0].endswith("…")


def test_the_snapshot_is_restored(run: Run, iris: dict[str, str], client: Client, tmp_path: Path) -> None:
    iteration = client.iterations.create(iris["experiment"])
    client.iterations.set_snapshot(iteration.id, python_version="2.7.1", manifest_toml="numpy==2.0\n")
    target = tmp_path / "again"
    said = run("restore", iteration.id, str(target))
    assert said.status == 0
    assert f"restored {target}/requirements.txt" in said.out
    assert "to install: cd" in said.out
    assert (target / "requirements.txt").read_text() == "numpy==2.0\n"
    verified = run("restore", iteration.id, str(target), "--verify")
    assert verified.status == 1
    assert "differs: python: 2.7.1 then, " in verified.out
    (target / "requirements.txt").write_text("mine\n")
    refused = run("restore", iteration.id, str(target))
    assert (refused.status, refused.out) == (1, "")
    found = json.loads(run("restore", iteration.id, str(tmp_path / "json"), "--verify", "--json").out)
    assert found["files"] == [str(tmp_path / "json" / "requirements.txt")]
    assert found["differences"][0].startswith("python: 2.7.1 then")


def test_a_snapshot_of_julia_is_restored_as_one_of_julia(
    run: Run, iris: dict[str, str], client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    iteration = client.iterations.create(iris["experiment"])
    example = '"7876af07-990d-54b4-ab0e-23690620f79a"\n'
    manifest = (
        f'julia_version = "1.10.2"\nmanifest_format = "2.0"\n\n[[deps.Example]]\nuuid = {example}version = "0.5.3"\n'
    )
    project = f"[deps]\nExample = {example}"
    client.iterations.set_snapshot(iteration.id, julia_version="1.10.2", project_toml=project, manifest_toml=manifest)
    target = tmp_path / "again"
    for _ in range(2):
        said = run("restore", iteration.id, str(target))
        assert f"to install: cd {target} && julia --project=. -e 'using Pkg; Pkg.instantiate()'\n" in said.out
        assert {path.name: path.read_text() for path in target.iterdir()} == {
            "Project.toml": project,
            "Manifest.toml": manifest,
        }
    verified = run("restore", iteration.id, str(target), "--verify")
    assert verified.status == 1
    assert (
        f"compared: 2 packages of Manifest.toml with {target}/Manifest.toml, not with what is installed" in verified.out
    )
    assert verified.out.endswith("differs: julia: 1.10.2 then, not installed now\n")
    assert ["julia_version", "1.10.2"] in map(str.split, run("iterations", "show", iteration.id).out.splitlines())
    compared = run("iterations", "compare", iteration.id, iris["first"]).out
    assert ["*", "julia_version", "1.10.2"] in [line.split()[:3] for line in compared.splitlines()]


def test_packages_that_cannot_be_compared_are_no_success(
    run: Run, iris: dict[str, str], client: Client, tmp_path: Path
) -> None:
    iteration = client.iterations.create(iris["experiment"])
    client.iterations.set_snapshot(iteration.id, manifest_toml="version: 6\nenvironments:\n  default: &anchor\n")
    verified = run("restore", iteration.id, str(tmp_path / "again"), "--verify")
    assert verified.status == 1
    assert "not compared: packages of pixi.lock: it has no default environment for" in verified.out
    assert "is the same" not in verified.out


def test_records_logged_offline_are_sent(
    run: Run, iris: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client: Client
) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start("Iris", "sweep", tags=["offline"]) as iteration:
        iteration.log({"loss": 0.5})
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    (done,) = run("sync", "--json").json
    assert done["points"] == 1
    assert client.metrics.summary(done["iteration_id"])["loss"].last == 0.5
    nothing = run("sync")
    assert (nothing.status, nothing.out, nothing.err) == (0, f"Nothing waits to be sent in {spool_folder()}\n", "")
    missing = run("sync", str(tmp_path / "nowhere"))
    assert missing.status == 1


def test_activity_shows_the_newest_first(run: Run, client: deardiary.Client) -> None:
    project = client.projects.create("seen in the activity")
    client.experiments.create(project.id, "a sweep")
    lines = run("activity", "--limit", "2").out.splitlines()[2:]
    assert [line.split()[2:5] for line in lines] == [["created", "experiment", "a"], ["created", "project", "seen"]]
    assert [each["kind"] for each in run("activity", "--limit", "2", "--json").json] == ["experiment", "project"]


def test_open_shows_the_page_in_a_browser(run: Run, client: deardiary.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    project = client.projects.create("opened")
    experiment = client.experiments.create(project.id, "sweep")
    iteration = client.iterations.create(experiment.id, name="best")
    pages = {
        "opened": f"#/projects/{project.id}",
        "opened/sweep": f"#/experiments/{experiment.id}",
        "opened/sweep/best": f"#/iterations/{iteration.id}",
        iteration.id[:-2]: f"#/iterations/{iteration.id}",
    }
    wanted = [f"{client.url}/ui{page}" for page in pages.values()]
    assert [run("open", each).out.strip() for each in pages] == opened == wanted
    assert run("open", "--json").json == {"url": f"{client.url}/ui"}
    assert len(opened) == len(pages)
    missing = run("open", "nothing of that name")
    assert (missing.status, "nothing of that name" in missing.err) == (1, True)
