"""Tables of iterations on terminals of several widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import IterationStatus, Point, Stage
from deardiary.cli.output import Output
from deardiary.entities.records import Fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make stdout a terminal of this width."""

    def of_width(width: int) -> None:
        monkeypatch.setattr(Output, "room", lambda _: width)

    return of_width


@pytest.fixture
def experiment(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    """The id of an experiment with four iterations, the last of them a child of the third."""
    project = client.projects.create(f"{request.node.name}")
    experiment = client.experiments.create(project.id, "e").id
    parent = None
    for number, rate in enumerate(("0.1", "0.02", "0.003", "0.0004")):
        made = client.iterations.create(experiment, parent_iteration_id=parent if number == 3 else None)
        parent = made.id
        fixed = (("depth", "5"), ("a_long_name_of_a_parameter", "n" * 50), ("rate", rate))
        client.iterations.log(
            Fields(iteration_id=made.id, parameters=dict(fixed)),
            batch_id=made.id,
        )
        client.metrics.batch(made.id, (Point("loss", float(rate)), Point("valid_accuracy", 1.0)))
    client.tags.create("iteration", made.id, "a tag that is far too long for a terminal")
    client.iterations.update(made.id, status_id=IterationStatus.FAILED)
    return experiment


def test_eighty_columns_show_the_differences(run: Run, experiment: str, terminal: Callable[[int], None]) -> None:
    terminal(80)
    lines = run("iterations", "ls", experiment).out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split()[:3] == ["id", "name", "status"]
    assert {"rate", "loss"} <= set(lines[0].split())
    assert any(line.startswith("Not shown: ") for line in lines)
    assert lines[-1].endswith("--wide.")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_of_a_table_is_wider_than_the_terminal(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None], width: int
) -> None:
    terminal(width)
    listed = run("iterations", "ls", experiment).out.splitlines()
    assert max(map(len, listed)) <= width
    ids = [each.id for each in client.iterations.list(experiment)]
    compared = run("iterations", "compare", *ids).out.splitlines()
    assert max(map(len, compared)) <= width


def test_children_stand_below_their_parent(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None]
) -> None:
    terminal(80)
    ids = [each.id for each in client.iterations.list(experiment)]
    rows = [line[:14] for line in run("iterations", "ls", experiment).out.splitlines()[2:6]]
    assert [row.split()[0] == "└" for row in rows] == [False, True, False, False]
    assert [row.replace("└", " ").split()[0] for row in rows] == [ids[index][:10] for index in (2, 3, 1, 0)]


def test_wide_shows_all_and_columns_choose(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None]
) -> None:
    terminal(80)
    newest = list(client.iterations.list(experiment))[-1]
    wide = run("iterations", "ls", experiment, "--wide").out
    assert newest.id in wide
    assert "a tag that is far too long for a terminal" in wide
    chosen = run("iterations", "ls", experiment, "--columns", "metrics.loss,status,rate").out.splitlines()
    assert chosen[0].split() == ["id", "loss", "status", "rate"]
    assert ["0.0004", "FAILED", "0.0004"] in [line.split()[-3:] for line in chosen]
    wrong = run("iterations", "ls", experiment, "--columns", "nothing")
    assert wrong.status == 2
    assert "'nothing'" in wrong.err
    assert "parameters.rate" in wrong.err


def test_comparing_many_on_a_narrow_terminal_gives_each_a_row(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None]
) -> None:
    terminal(80)
    listed = list(client.iterations.list(experiment))
    lines = run("iterations", "compare", *(each.id for each in listed)).out.splitlines()
    assert lines[0].split()[0] == "iteration"
    assert [line.split()[0] for line in lines[2:6]] == [each.name for each in listed]
    assert any(line.startswith("The same in all: ") for line in lines)
    assert "parameters.depth=5" in " ".join(lines)


def test_nothing_is_said_of_git_where_there_is_none(run: Run, client: deardiary.Client, experiment: str) -> None:
    without, clean, unborn = [each.id for each in client.iterations.list(experiment)][:3]
    client.iterations.set_snapshot(clean, git_sha="0a1b2c3d", git_dirty=False)
    client.iterations.set_snapshot(unborn, git_dirty=True)
    assert "git" not in run("iterations", "show", without).out
    assert ["git_dirty", "no"] in [line.split() for line in run("iterations", "show", clean).out.splitlines()]
    assert ["git_dirty", "yes"] in [line.split() for line in run("iterations", "show", unborn).out.splitlines()]
    compared = {row["name"]: row["values"] for row in run("iterations", "compare", without, clean, "--json").json}
    assert compared["git_dirty"] == [None, False]


def test_the_beginning_of_an_id_stands_for_it(run: Run, client: deardiary.Client, experiment: str) -> None:
    one, other = list(client.iterations.list(experiment))[:2]
    assert run("iterations", "show", one.id[:13], "--json").json["id"] == one.id
    common = next(length for length in range(24) if one.id[length] != other.id[length])
    ambiguous = run("iterations", "show", one.id[: max(common, 6)])
    assert ambiguous.status == 2
    assert "iterations have ids that begin with" in ambiguous.err
    unknown = run("iterations", "show", "000000")
    assert (unknown.status, "no iteration" in unknown.err) == (1, True)
    assert run("iterations", "rm", one.id[:13], "--yes", "--purge").out == f"Deleted {one.id}\n"


def test_statuses_have_words_in_json_and_colours_on_a_terminal(
    run: Run, client: deardiary.Client, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = run("iterations", "ls", experiment, "--json").json
    assert {(each["status_id"], each["status"]) for each in listed} == {(1, "RUNNING"), (3, "FAILED")}
    plain = run("iterations", "ls", experiment).out
    assert "\x1b" not in plain
    monkeypatch.setattr("deardiary.cli.output.has_colours", lambda: True)
    assert "\x1b[31mFAILED\x1b[0m" in run("iterations", "ls", experiment).out


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_no_count_is_named(run: Run, experiment: str, limit: str) -> None:
    refused = run("iterations", "ls", experiment, f"--limit={limit}")
    assert refused.status == 2
    assert "--limit" in refused.err


def test_the_message_explains_a_project_a_short_id_and_an_unknown_metric(
    run: Run, client: deardiary.Client, experiment: str
) -> None:
    project = client.projects.get(client.experiments.get(experiment).project_id).name
    refused = run("iterations", "ls", project)
    assert (refused.status, f"it has: {project}/e" in refused.err) == (2, True)
    assert "give 6 characters or more" in run("iterations", "show", "0pg").err
    iteration = next(client.iterations.list(experiment)).id
    assert "there are: loss, valid_accuracy" in run("metrics", "show", iteration, "losss").err
    assert "there are: loss, valid_accuracy" in run("metrics", "plot", iteration, "losss").err


def test_lists_show_short_ids_on_a_terminal(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None]
) -> None:
    project = client.experiments.get(experiment).project_id
    assert experiment in run("experiments", "ls", project).out
    terminal(80)
    shown = run("experiments", "ls", project).out
    assert experiment not in shown
    assert experiment[:10] in shown
    assert "IN_PROGRESS" in shown


@pytest.fixture
def model(client: deardiary.Client, experiment: str, tmp_path: Path) -> str:
    """PROJECT/MODEL of a model with two versions, the second of them in PRODUCTION."""
    iteration = next(client.iterations.list(experiment))
    project = client.projects.get(client.experiments.get(experiment).project_id)
    (tmp_path / "weights").write_bytes(b"w")
    file = client.resources.upload(experiment, tmp_path / "weights", "n" * 90, iteration_id=iteration.id)
    model = client.models.create(project.id, "a model with a long name " * 3, "and a long description " * 9)
    for stage in (Stage.STAGING, Stage.PRODUCTION):
        made = client.modelversions.create(model.id, iteration.id, resource_id=file.id)
        client.models.set_alias(model.id, f"a-long-name-of-{stage.name.lower()}", made.version)
        client.modelversions.update(made.id, stage_id=stage)
    return f"{project.name}/{model.name}"


@pytest.mark.parametrize("width", [60, 80])
def test_every_table_fits_the_terminal(
    run: Run, client: deardiary.Client, experiment: str, model: str, terminal: Callable[[int], None], width: int
) -> None:
    terminal(width)
    project = model.partition("/")[0]
    client.projects.update(client.experiments.get(experiment).project_id, description="long " * 50)
    iteration = next(client.iterations.list(experiment)).id
    client.metrics.batch(iteration, [Point("a/metric/with/a/long/key/" * 4, 0.123456)])
    for words in (
        ("models", "versions", model),
        ("models", "ls", project),
        ("projects", "ls"),
        ("experiments", "ls", project),
        ("resources", "ls", "--experiment", experiment),
        ("iterations", "ls", "--project", project),
        ("iterations", "show", iteration),
        ("metrics", "ls", iteration),
        ("users", "ls"),
        ("whoami",),
    ):
        lines = run(*words).out.splitlines()
        assert lines
        assert max(lines, key=len)[width:] == "", words
    versions = run("models", "versions", model).out.splitlines()
    columns = ["version", "stage", "aliases", "iteration", "resource", "created"]
    assert versions[0].split() == columns[: 6 if width == 80 else 5]
    assert ("Not shown: created." in versions[-1]) == (width == 60)
    assert iteration[:10] in versions[2]


def test_help_fits_eighty_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, run("--help").out.splitlines())) <= 80


def test_columns_takes_every_name_that_order_by_takes(run: Run, experiment: str) -> None:
    names = ["metrics.loss.min", "metrics.loss.count", "metrics.loss.last_step", "created_date", "git_sha", "notes"]
    for name in names:
        listed = run("iterations", "ls", experiment, "--order-by", name, "--columns", name)
        assert (listed.status, listed.err) == (0, "")
    lines = run("iterations", "ls", experiment, "--columns", "metrics.loss.min, metrics.loss.count").out.splitlines()
    assert lines[0].split() == ["id", "loss.min", "loss.count"]
    assert lines[2].split()[1:] == ["0.0004", "1"]


def test_a_limit_says_how_many_there_are(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None]
) -> None:
    total = len(list(client.iterations.list(experiment)))
    assert client.iterations.count(experiment) == total
    assert client.iterations.count(experiment, filter="name = 'nobody'") == 0
    terminal(120)
    assert run("iterations", "ls", experiment, "--limit", "2").out.splitlines()[-1] == f"2 of {total} iterations"
    assert " of " not in run("iterations", "ls", experiment, "--limit", "1000").out.splitlines()[-1]
    one = run("iterations", "ls", experiment, "--limit", "1", "--filter", "metrics.loss.count = 1").out
    found = client.iterations.count(experiment, filter="metrics.loss.count = 1")
    assert one.splitlines()[-1] == f"1 of {found} iterations"


@pytest.mark.parametrize("limit", [(), ("--limit", "3")])
def test_a_project_is_listed_newest_first_with_the_names_of_experiments(
    run: Run,
    client: deardiary.Client,
    experiment: str,
    terminal: Callable[[int], None],
    limit: tuple[str, ...],
) -> None:
    project = client.projects.get(client.experiments.get(experiment).project_id)
    other = client.experiments.create(project.id, "the second one")
    newest = client.iterations.create(other.id).id
    oldest_first = [each.id for each in client.iterations.list(experiment)]
    listed = run("iterations", "ls", "--project", project.name, *limit, "--json").json
    newest_first = [newest, *reversed(oldest_first)]
    assert [each["id"] for each in listed] == newest_first[: 3 if limit else 5]
    terminal(80)
    lines = run("iterations", "ls", "--project", project.name, *limit).out.splitlines()
    assert lines[0].split()[1] == "experiment"
    assert "the second one" in lines[2]
    assert "e" in lines[3].split()


def test_a_project_that_the_server_cannot_order_is_listed_newest_first(
    run: Run, client: deardiary.Client, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.search.project.MAX_EXPERIMENTS_IN_ORDER", 1)
    project = client.projects.get(client.experiments.get(experiment).project_id)
    newest = client.iterations.create(client.experiments.create(project.id, "f").id).id
    assert [each["id"] for each in run("iterations", "ls", "--project", project.id, "--limit", "1", "--json").json] == [
        newest
    ]
    refused = run("iterations", "ls", "--project", project.id, "--order-by", "created_date")
    assert (refused.status, "too many for one order" in refused.err) == (1, True)


def test_a_long_parameter_does_not_fill_the_terminal(
    run: Run, client: deardiary.Client, experiment: str, terminal: Callable[[int], None]
) -> None:
    made = client.iterations.create(experiment).id
    client.parameters.create(made, "prompt", "word " * 1000)
    assert "word " * 999 in run("iterations", "show", made).out
    terminal(80)
    said = run("iterations", "show", made).out
    assert len(said.splitlines()) < 20
    assert "Cut: parameters.prompt. A pipe and --json show all." in said
