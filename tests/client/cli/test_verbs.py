"""Verbs that change things, words that are no verbs, named logins, and sharing a project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import IterationStatus, Stage, terminal
from deardiary.cli.main import main
from deardiary.cli.session import RIGHTS
from deardiary.settings import login_file
from tests.client.cli.conftest import Terminal
from tests.support.server import PASSWORD, URL, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture
def path(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    """PROJECT/EXPERIMENT of a new experiment with one iteration."""
    project = client.projects.create(request.node.name)
    experiment = client.experiments.create(project.id, "sweep")
    client.iterations.create(experiment.id)
    return f"{project.name}/{experiment.name}"


def iteration_of(run: Run, path: str) -> str:
    found: str = run("iterations", "ls", path, "--json").json[0]["id"]
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("models", "downlod", "X"), "did you mean `download`?"),
        (("iterations", "shwo"), "did you mean `show`?"),
        (("iterations", "launch", "X"), "It has: ls, keys, show"),
        (("projects", "publish"), "It has: ls, show"),
        (("projects", "rename", "X", "Y"), "did you mean `edit`?"),
        (("iterations", "delete", "X"), "did you mean `rm`?"),
        (("metrics", "best"), "It has: ls, show, plot. There is no iteration of the name or id 'best'"),
        (("experiments", "plot"), "It has: ls, show"),
        (("models", "vrsns"), "did you mean `versions`?"),
    ],
)
def test_a_word_that_is_no_verb_is_named_with_the_verbs_there_are(run: Run, words: tuple[str, ...], said: str) -> None:
    refused = run(*words)
    assert refused.status != 0
    assert refused.out == ""
    assert f"has no command '{words[1]}'" in refused.err
    assert said in refused.err


def test_a_word_that_is_no_command_is_named_with_the_nearest(run: Run) -> None:
    refused = run("iteration", "ls")
    assert (refused.status, refused.out) == (2, "")
    assert "did you mean `iterations`?" in refused.err


def test_projects_and_experiments_are_edited_and_tagged(run: Run, path: str) -> None:
    project, _, _ = path.partition("/")
    assert run("projects", "edit", project, "--name", f"{project} 2", "--description", "d", "--json").json["name"]
    assert run("experiments", "edit", f"{project} 2/sweep", "--status", "stopped", "--json").json["status"] == "STOPPED"
    assert run("experiments", "edit", f"{project} 2/sweep").status == 2
    for owner in (("projects", f"{project} 2"), ("experiments", f"{project} 2/sweep")):
        assert run(owner[0], "tag", owner[1], "best", "final", "--json").json["tags"] == ["best", "final"]
        assert run(owner[0], "tag", owner[1], "best", "--remove", "--json").json["tags"] == ["final"]
        refused = run(owner[0], "tag", owner[1], "nothing", "--remove")
        assert (refused.status, "it has: final" in refused.err) == (1, True)


def test_objects_are_labelled(run: Run, client: deardiary.Client, path: str) -> None:
    project, _, _ = path.partition("/")
    iteration = iteration_of(run, path)
    found = client.experiments.get(client.iterations.get(iteration).experiment_id)
    client.models.create(found.project_id, "net")
    owners = {"projects": project, "experiments": path, "iterations": iteration, "models": f"{project}/net"}
    for noun, name in owners.items():
        labels = run(noun, "label", name, "team=nlp", "url=http://x/?a=b", "empty=", "--json").json["labels"]
        assert labels == {"team": "nlp", "url": "http://x/?a=b", "empty": ""}
        assert run(noun, "label", name, "team", "empty", "--remove").out.endswith(
            " has the labels: url=http://x/?a=b\n"
        )
        unknown = run(noun, "label", name, "team", "--remove")
        assert (unknown.status, "has no label 'team'; it has: url" in unknown.err) == (1, True)
        without = run(noun, "label", name, "team")
        assert (without.status, "'team' is no label: give KEY=VALUE" in without.err) == (2, True)
        assert run(noun, "label", name, "url", "--remove").out.endswith(" has no labels\n")
        run(noun, "label", name, "team=nlp")
        if noun != "models":
            assert "labels.team" in run(noun, "show", name).out


def test_labels_are_columns_and_are_compared(run: Run, client: deardiary.Client, path: str) -> None:
    iteration = client.iterations.get(iteration_of(run, path))
    other = client.iterations.create(iteration.experiment_id, name="other", labels={"team": "vision", "rows": "9"})
    client.iterations.update(iteration.id, labels={"team": "nlp"})
    listed = run("iterations", "ls", path, "--columns", "name,labels.team,rows", "--filter", "labels.team is not null")
    assert [line.split()[-1] for line in listed.out.splitlines() if other.id[:10] in line] == ["9"]
    assert "vision" in run("iterations", "ls", path, "--wide").out
    (team,) = [line for line in run("iterations", "compare", iteration.id, other.id).out.splitlines() if "team" in line]
    assert "nlp" in team
    assert "vision" in team


def test_an_iteration_is_noted_tagged_and_ended(run: Run, client: deardiary.Client, path: str) -> None:
    iteration = iteration_of(run, path)
    assert run("iterations", "note", iteration, "-", "--json", stdin="two\nlines").json["notes"] == "two\nlines"
    assert run("iterations", "tag", iteration, "best", "--json").json["tags"] == ["best"]
    assert run("iterations", "note", iteration, "x").out == f"Set the notes of iteration {iteration}\n"
    other = client.iterations.create(client.iterations.get(iteration).experiment_id).id
    assert run("iterations", "end", iteration, "--json").json["status"] == "KILLED"
    assert run("iterations", "end", other, "--status", "fail").out == f"Ended iteration {other} as FAILED\n"
    again = run("iterations", "end", other, "--status", "succeeded")
    assert (again.status, f"Iteration {other} has ended already: FAILED at 20" in again.err) == (1, True)
    assert client.iterations.get(other).status_id == IterationStatus.FAILED


def test_a_model_is_downloaded_promoted_and_renamed_by_its_path(
    run: Run, client: deardiary.Client, path: str, tmp_path: Path
) -> None:
    project, _, _ = path.partition("/")
    iteration = client.iterations.get(iteration_of(run, path))
    (tmp_path / "weights").write_bytes(b"weights")
    file = client.resources.upload(iteration.experiment_id, tmp_path / "weights")
    model = client.models.create(client.experiments.get(iteration.experiment_id).project_id, "net")
    version = client.modelversions.create(model.id, iteration.id, resource_id=file.id)
    target = tmp_path / "copy"
    refused = run("models", "download", f"{project}/net", str(target))
    assert (refused.status, f"{project}/net/1" in refused.err) == (2, True)
    assert run("models", "promote", f"{project}/net/1", "production", "--json").json["stage"] == Stage.PRODUCTION.name
    for name in (f"{project}/net", f"{project}/net/1", version.id):
        assert run("models", "download", name, str(target)).out == f"{target}\n"
        assert target.read_bytes() == b"weights"
        target.unlink()
    assert run("models", "download", f"{project}/net/7").status == 1
    assert run("models", "edit", f"{project}/net", "--name", "network", "--json").json["name"] == "network"
    assert run("resources", "edit", file.id[:14], "--name", "w", "--json").json["name"] == "w"


def test_a_promotion_names_its_version(run: Run, client: deardiary.Client, path: str) -> None:
    project, _, _ = path.partition("/")
    iteration = client.iterations.get(iteration_of(run, path))
    model = client.models.create(client.experiments.get(iteration.experiment_id).project_id, "net")
    versions = [client.modelversions.create(model.id, iteration.id) for _ in range(2)]
    for stage, name in (
        ("prod", "PRODUCTION"),
        ("S", "STAGING"),
        ("archived", "ARCHIVED"),
        ("Production", "PRODUCTION"),
    ):
        said = run("models", "promote", f"{project}/net/1", stage)
        assert (said.status, f"Version 1 of the model is {name} now" in said.out) == (0, True)
    assert "it was PRODUCTION before" in run("models", "promote", f"{project}/net/1", "prod").out
    refused = run("models", "promote", f"{project}/net", "archived")
    assert (refused.status, refused.out) == (2, "")
    assert (
        f"Say which version of {project}/net: {project}/net/2 (NO_STAGE), {project}/net/1 (PRODUCTION)" in refused.err
    )
    assert client.modelversions.get(versions[0].id).stage_id == Stage.PRODUCTION
    assert run("models", "promote", f"{project}/net/2", "nowhere").status == 2
    assert run("models", "versions", f"{project}/net", "--stage", "prod", "--json").json[0]["version"] == 1


def test_an_alias_names_a_version_for_every_command(
    run: Run, client: deardiary.Client, path: str, tmp_path: Path
) -> None:
    project, _, _ = path.partition("/")
    iteration = client.iterations.get(iteration_of(run, path))
    (tmp_path / "weights").write_bytes(b"weights")
    file = client.resources.upload(iteration.experiment_id, tmp_path / "weights")
    model = client.models.create(client.experiments.get(iteration.experiment_id).project_id, "net")
    for resource_id in (file.id, None):
        client.modelversions.create(model.id, iteration.id, resource_id=resource_id)
    assert "aliases" not in run("models", "versions", f"{project}/net").out
    assert run("models", "alias", f"{project}/net/2", "champion").out == "champion is version 2 of the model now\n"
    assert run("models", "alias", f"{project}/net/1", "champion", "--json").json["aliases"] == ["champion"]
    assert run("models", "alias", f"{project}/net@champion", "stable").status == 0
    listed = run("models", "versions", f"{project}/net").out.splitlines()
    assert ("aliases" in listed[0], "champion, stable" in listed[2], "champion" in listed[3]) == (True, True, False)
    target = tmp_path / "copy"
    assert run("models", "download", f"{project}/net@champion", str(target)).out == f"{target}\n"
    assert target.read_bytes() == b"weights"
    assert run("models", "promote", f"{project}/net@champion", "prod").status == 0
    refused = run("models", "alias", f"{project}/net", "champion")
    assert (refused.status, f"Say which version of {project}/net" in refused.err) == (2, True)
    refused = run("models", "alias", f"{project}/net/1", "3")
    assert (refused.status, "An alias is no number" in refused.err) == (1, True)
    assert run("models", "alias", "--delete", f"{project}/net", "champion").out == "Deleted the alias champion of net\n"
    assert run("models", "alias", "--delete", f"{project}/net/1", "stable", "--json").json == {"deleted": ["stable"]}
    for words in (("alias", "--delete", f"{project}/net", "champion"), ("download", f"{project}/net@champion")):
        refused = run("models", *words)
        assert (refused.status, "champion" in refused.err) == (1, True)
    assert client.models.get(model.id).aliases == {}


def test_a_download_replaces_no_file_of_other_content(
    run: Run, client: deardiary.Client, path: str, tmp_path: Path
) -> None:
    project, _, _ = path.partition("/")
    iteration = client.iterations.get(iteration_of(run, path))
    (tmp_path / "weights").write_bytes(b"weights")
    file = client.resources.upload(iteration.experiment_id, tmp_path / "weights", iteration_id=iteration.id)
    model = client.models.create(client.experiments.get(iteration.experiment_id).project_id, "net")
    client.modelversions.create(model.id, iteration.id, resource_id=file.id)
    folder = tmp_path / "mine"
    folder.mkdir()
    mine = folder / "weights"
    for words in (
        ("models", "download", f"{project}/net/1", str(folder)),
        ("models", "download", f"{project}/net/1", str(mine)),
        ("resources", "download", file.id, str(folder)),
        ("resources", "download-all", str(folder), "--iteration", iteration.id),
    ):
        mine.write_text("my own")
        refused = run(*words)
        assert (refused.status, refused.out) == (1, "")
        assert f"{mine} is there already" in refused.err
        assert "--force" in refused.err
        assert mine.read_text() == "my own"
        for more in (("--force",), ()):  # then it is the same content
            assert run(*words, *more).status == 0
            assert mine.read_text() == "weights"
    mine.unlink()
    mine.symlink_to(tmp_path / "elsewhere")
    assert run("resources", "download", file.id, str(folder)).status == 1


def test_a_change_is_said_in_a_sentence(run: Run, path: str) -> None:
    project, _, _ = path.partition("/")
    edited = run("projects", "edit", project, "--name", "Renamed").out
    assert edited.startswith("Changed project Renamed (")
    assert run("experiments", "edit", "Renamed/sweep", "--status", "finished").out.endswith(", FINISHED\n")
    assert run("projects", "create", "Sentences").out.startswith("Created project Sentences (")
    assert run("experiments", "create", "Sentences", "e").out.startswith("Created experiment Sentences/e (")
    shown = dict(line.split(maxsplit=1) for line in run("experiments", "show", "Sentences/e").out.splitlines())
    assert (shown["status"], "status_id" in shown) == ("IN_PROGRESS", False)


def test_an_owner_shares_a_project_by_name(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch, client: deardiary.Client
) -> None:
    owner, colleague = server.newcomer("Owner"), server.newcomer("Colleague")
    project = owner.projects.create("Shared by its owner")
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token("Owner"))
    granted = run("users", "grant", "colleague", project.name, "--read")
    assert granted.out == f"Permissions of Colleague on {project.name}: read\n"
    assert colleague.projects.get(project.id).name == project.name
    *rows, note = run("projects", "members", project.name).out.splitlines()[2:]
    assert [row.split() for row in rows] == [["Owner", "all"], ["Colleague", "read"]]
    assert note == "Admins may do everything in every project."
    members = run("projects", "members", project.id, "--json").json
    assert [each["username"] for each in members] == ["Owner", "Colleague"]
    nothing = run("users", "grant", "colleague", project.name)
    assert nothing.out == f"Permissions of Colleague on {project.name}: nothing\n"
    with monkeypatch.context() as as_colleague:
        as_colleague.setenv("DEARDIARY_TOKEN", server.token("Colleague"))
        assert project.id not in run("whoami").out
    refused = run("users", "ls")
    assert (refused.status, "`deardiary projects members PROJECT`" in refused.err) == (1, True)
    said = run("whoami").out
    assert [line.split() for line in said.splitlines()[-1:]] == [[*project.name.split(), "yes", "yes", "yes", "yes"]]
    assert run("users", "show", "OWNER", "--json").json["username"] == "Owner"
    assert server.call("GET", "/users?username=COLLEAGUE", token=server.token("Owner")).body["data"] == [
        {"id": colleague.whoami().id, "username": "Colleague", "first_name": "", "last_name": ""}
    ]
    assert server.call("GET", "/users?username=unknown", token=server.token("Owner")).body["data"] == []
    for words in (("grant", "nosuch", project.name, "--read"), ("show", "nosuch")):
        refused = run("users", *words)
        assert (refused.status, "There is no user of the name 'nosuch'" in refused.err) == (1, True)


def test_one_right_is_changed_and_the_others_stay(run: Run, server: Server) -> None:
    server.newcomer("trainee")
    run("projects", "create", "Shared in parts")
    run("users", "grant", "trainee", "Shared in parts", "--read", "--create")
    changed = run("users", "permit", "trainee", "Shared in parts", "--update", "--no-create", "--json").json
    assert [changed[f"{right}_permission"] for right in RIGHTS] == [False, True, True, False]
    refused = run("users", "permit", "trainee", "Shared in parts")
    assert (refused.status, "--no-delete" in refused.err) == (2, True)


def test_a_user_leaves(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    leaver = server.newcomer("leaver")
    token = leaver.tokens.create("laptop").token
    monkeypatch.setenv("DEARDIARY_TOKEN", str(token))
    refused = run("users", "rm", "--me", "--yes")
    assert (refused.status, "This needs a password" in refused.err) == (2, True)
    asked = run("users", "rm", "--me")
    assert (asked.status, "user leaver" in asked.err) == (2, True)
    for words in ((), ("leaver", "--me")):
        assert run("users", "rm", *words, "--yes").status == 2
    monkeypatch.setenv("DEARDIARY_USERNAME", "leaver")
    monkeypatch.setenv("DEARDIARY_PASSWORD", PASSWORD)
    monkeypatch.delenv("DEARDIARY_TOKEN")
    assert run("users", "rm", "--me", "--yes").status == 0
    assert server.client().users.find("leaver") is None


def test_another_users_password_is_refused_before_one_is_asked_for(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.newcomer("not-an-admin")
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token("not-an-admin"))
    refused = run("users", "passwd", "admin")
    assert (refused.status, refused.err) == (1, "deardiary: Only an admin may set the password of another user\n")


def test_a_wrong_password_is_not_a_missing_login(run: Run) -> None:
    said = run("login", URL, "--username", "admin", "--password-stdin", stdin="wrong\n")
    assert said.status == 3
    assert said.err == "deardiary: Unknown username or wrong password [401 INVALID_CREDENTIALS]\n"


def test_logins_have_names(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DEARDIARY_TOKEN")
    monkeypatch.delenv("DEARDIARY_URL")
    server.newcomer("dev-user")
    for login, username in (("dev", "dev-user"), ("prod", "admin")):
        words = ("login", URL, "--username", username, "--password-stdin", "--as", login)
        assert run(*words, stdin=f"{PASSWORD}\n").status == 0
    assert run("whoami", "--json").json["username"] == "admin"
    monkeypatch.setenv("DEARDIARY_LOGIN", "dev")
    assert run("whoami", "--json").json["username"] == "dev-user"
    monkeypatch.delenv("DEARDIARY_LOGIN")
    used = run("use", "dev", "--json").json
    assert used == {
        "current": "dev",
        "logins": {"dev": URL, "prod": URL},
        "users": {"dev": "dev-user", "prod": "admin"},
    }
    rows = [row.split() for row in run("use").out.splitlines()[2:]]
    assert rows == [["*", "dev", "dev-user", URL], ["prod", "admin", URL]]
    assert run("whoami", "--json").json["username"] == "dev-user"
    refused = run("use", "staging")
    assert (refused.status, "dev, prod" in refused.err) == (1, True)
    assert run("logout", "prod").status == 0
    assert run("use", "--json").json["logins"] == {"dev": URL}
    assert login_file().stat().st_mode & 0o777 == 0o600
    assert run("logout").status == 0
    assert not login_file().exists()


@pytest.fixture
def _signed_out(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DEARDIARY_TOKEN")
    monkeypatch.delenv("DEARDIARY_URL")


def log_in(run: Run, *words: str) -> None:
    said = run("login", URL, "--username", "admin", "--password-stdin", *words, stdin=f"{PASSWORD}\n")
    assert said.status == 0, said.err


@pytest.mark.usefixtures("_signed_out")
def test_the_login_that_the_environment_names_is_forgotten(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(run, "--as", "dev")
    log_in(run, "--as", "prod")
    monkeypatch.setenv("DEARDIARY_LOGIN", "dev")
    said = run("logout")
    monkeypatch.delenv("DEARDIARY_LOGIN")
    assert said.out.startswith(f"Signed out of {URL} (login dev)")
    assert run("use", "--json").json == {"current": "prod", "logins": {"prod": URL}, "users": {"prod": "admin"}}


@pytest.mark.usefixtures("_signed_out")
def test_a_login_without_a_name_is_kept_beside_named_ones(run: Run) -> None:
    log_in(run)
    first = json.loads(login_file().read_text())["token"]
    log_in(run, "--as", "dev")
    assert run("use", "--json").json == {
        "current": "dev",
        "logins": {"default": URL, "dev": URL},
        "users": {"default": "admin", "dev": "admin"},
    }
    run("use", "default")
    assert json.loads(login_file().read_text())["token"] == first


@pytest.mark.usefixtures("_signed_out")
def test_a_logout_says_of_which_server(run: Run) -> None:
    assert run("logout").out == "There is no login on this machine\n"
    log_in(run)
    assert run("logout").out.startswith(f"Signed out of {URL}.")
    assert not login_file().exists()


def test_a_login_file_of_an_earlier_version_is_read(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    token = os.environ["DEARDIARY_TOKEN"]
    monkeypatch.delenv("DEARDIARY_URL")
    monkeypatch.delenv("DEARDIARY_TOKEN")
    login_file().parent.mkdir(parents=True)
    login_file().write_text(json.dumps({"url": URL, "token": token}))
    assert run("whoami", "--json").json["username"] == "admin"
    assert run("use").out == "There are no named logins; `deardiary login URL --as dev` makes one\n"


def test_a_deletion_says_how_much_will_go(
    run: Run, client: deardiary.Client, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _, _ = path.partition("/")
    iteration = client.iterations.get(iteration_of(run, path))
    (tmp_path / "weights").write_bytes(b"w" * 1500)
    client.resources.upload(iteration.experiment_id, tmp_path / "weights", iteration_id=iteration.id)
    client.models.create(client.experiments.get(iteration.experiment_id).project_id, "net")
    asked = {
        ("projects", project): "with 1 experiment, 1 iteration, 1 resource of 1.5 kB, 1 model would be deleted",
        ("experiments", path): "with 1 iteration, 1 resource of 1.5 kB would be deleted",
        ("iterations", iteration.id): "with 1 resource of 1.5 kB would be deleted",
    }
    for (noun, name), said in asked.items():
        refused = run(noun, "rm", name)
        assert (refused.status, said in refused.err) == (2, True), refused.err
    empty = run("models", "rm", f"{project}/net")
    assert (empty.status, " with " in empty.err, empty.err.endswith("would be deleted: say --yes\n")) == (
        2,
        False,
        True,
    )
    monkeypatch.setattr("deardiary.cli.deletion_extent.MOST", 0)
    assert "more than 0 iterations" in run("experiments", "rm", path).err


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (5e12, "5 TB")]
)
def test_sizes_are_short(size_bytes: float, text: str) -> None:
    assert terminal.size(size_bytes) == text


def test_a_terminal_shows_the_whole_ids_of_deleted_objects(
    run: Run, client: deardiary.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = client.projects.create("trash on a terminal")
    deleted = client.experiments.create(project.id, "one")
    client.experiments.delete(deleted.id)
    assert deleted.id in run("trash", project.name).out
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    assert main(["trash", project.name]) == 0
    assert deleted.id in screen.getvalue()


def test_the_trash_undoes_a_deletion(run: Run, client: deardiary.Client) -> None:
    project = client.projects.create("trash of the command line")
    ids = [client.experiments.create(project.id, name).id for name in ("one", "two")]
    for each in ids:
        assert f"deardiary trash restore {each}" in run("experiments", "rm", each, "--yes").out
    listed = run("trash", project.name).out
    assert listed.index("two") < listed.index("one"), "the last deletion first"
    assert [each["name"] for each in run("trash", "ls", project.id, "--json").json] == ["two", "one"]
    client.experiments.create(project.id, "one")
    refused = run("trash", "restore", ids[0])
    assert (refused.status, "another name" in refused.err) == (1, True)
    restored = run("trash", "restore", ids[0], "--name", "first")
    assert restored.out == f"Restored experiment first ({ids[0]})\n"
    assert run("trash", "restore", *ids, "--name", "x").status == 2
    assert f"Delete {ids[1]} for good?" in run("trash", "purge", ids[1], tty=True).err
    assert run("trash", "purge", ids[1], "--yes").out == f"Deleted {ids[1]}\n"
    assert run("trash", project.name).out == f"There is nothing in the trash of {project.name}\n"
    assert "would be deleted for good" in run("projects", "rm", project.id, "--purge").err
    run("projects", "rm", project.id, "--yes")
    assert run("trash", "--json").json[0]["id"] == project.id
    assert "\nTo undo" not in run("trash", "purge", project.id, "--yes").out
    assert run("trash", "purge", project.id, "--yes").status == 1


def test_links_are_created_listed_and_revoked(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    client = server.client()
    project = client.projects.create("Shared")
    experiment = client.experiments.create(project.id, "sweep")
    first, second = (client.iterations.create(experiment.id) for _ in range(2))
    of_two = run("share", "iteration", first.id, second.id, "--days", "7", "--json").json
    assert of_two["iteration_ids"] == [first.id, second.id]
    (link,) = run("share", "experiment", "Shared/sweep").out.splitlines()
    secret = link.partition("#/s/")[2]
    opened = server.call("POST", "/auth/share", {"secret": secret}, token=None).body
    assert opened["experiment_id"] == experiment.id
    listed = run("share", "ls", "Shared").out
    assert of_two["id"] in listed
    assert secret.rpartition("_")[2] not in listed
    assert run("share", "rm", of_two["id"][:-1], "--project", "Shared", "--yes").status == 0
    assert of_two["id"] not in run("share", "ls", "Shared").out
    elsewhere = client.iterations.create(client.experiments.create(client.projects.create("Other").id, "e").id)
    assert "one project" in run("share", "iteration", first.id, elsewhere.id).err
    # A program's token takes the password too.
    monkeypatch.setenv("DEARDIARY_TOKEN", str(client.tokens.create("program").token))
    assert "needs a password" in run("share", "iteration", first.id).err
