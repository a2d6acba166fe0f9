"""`deardiary sql` over a live project and over an export."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary_exchange.export import export_project
from deardiary_exchange.folder import Folder
from deardiary_exchange.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]

BEST = """
select i.name, p.value as lr, max(m.value) as best
from iterations i
join parameters p on p.iteration_id = i.id and p.key = 'lr'
join metrics m on m.iteration_id = i.id and m.key = 'accuracy' and not isnan(m.value)
group by all order by best desc
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "diary"))


@pytest.fixture
def project(client: deardiary.Client, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A project with two iterations; its name."""
    name: str = request.node.name
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    for number in range(2):
        train(client, name, f"run {number}", number, file)
    return name


def train(client: deardiary.Client, project: str, name: str, number: int, file: Path) -> None:
    with deardiary.start(project, "sweep", name=name, parameters={"lr": f"0.{number}"}, client=client) as active:
        for step in range(5):
            active.log({"accuracy": number + step / 10}, step=step)
        active.log({"accuracy": math.nan}, step=5)
        active.log_resource(file)


def test_a_live_project_answers_and_takes_in_what_is_new(
    run: Run, client: deardiary.Client, project: str, tmp_path: Path
) -> None:
    asked = ("sql", BEST, "--project", project, "--json")
    assert run(*asked).json == [
        {"name": "run 1", "lr": "0.1", "best": 1.4},
        {"name": "run 0", "lr": "0.0", "best": 0.4},
    ]
    train(client, project, "run 2", 2, tmp_path / "model.bin")
    assert [each["name"] for each in run(*asked).json] == ["run 2", "run 1", "run 0"]
    assert not [*(tmp_path / "diary").rglob("files/*")], "a query needs no files"
    table = run("sql", "-", "--project", project, stdin="select count(*) as points from metrics")
    assert table.out.split() == ["points", "------", "18"]


def test_an_export_needs_no_server(run: Run, client: deardiary.Client, project: str, tmp_path: Path) -> None:
    owner = client.projects.find_or_create(project)
    export_project(client, owner.id, Folder(str(tmp_path / "export")))
    said = run("sql", BEST, "--from", str(tmp_path / "export"), "--url", "http://127.0.0.1:1", "--json")
    assert [each["best"] for each in said.json] == [1.4, 0.4]


@pytest.mark.parametrize("name", ["run=3", "[a]*'"])
def test_an_export_is_in_a_folder_of_any_name(
    run: Run, client: deardiary.Client, project: str, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name / "export"
    export_project(client, client.projects.find_or_create(project).id, Folder(str(folder)))
    rows = run("sql", "select * from metrics order by all", "--from", str(folder), "--json").json
    assert [*rows[0]] == TABLES["metrics"].names
    assert [row["value"] for row in rows[:6]] in ([0.0, 0.1, 0.2, 0.3, 0.4, "NaN"], [1.0, 1.1, 1.2, 1.3, 1.4, "NaN"])


def test_every_table_is_there_also_in_an_empty_project(run: Run, client: deardiary.Client) -> None:
    client.projects.create("nothing yet")
    for table in TABLES:
        said = run("sql", f"select * from {table}", "--project", "nothing yet", "--json")  # noqa: S608 - a name of our own
        assert len(said.json) == (table == "project")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (
            "select 'nan'::double as x, timestamp '2026-01-02 03:04:05' as t",
            {"x": "NaN", "t": "2026-01-02T03:04:05.000Z"},
        ),
        ("select [1, 2] as x, {'a': 0.5::decimal(3,1)} as t", {"x": [1, 2], "t": {"a": "0.5"}}),
        ("select null as x, date '2026-01-02' as t", {"x": None, "t": "2026-01-02"}),
    ],
)
def test_values_of_all_kinds_become_json(run: Run, project: str, query: str, shown: dict[str, Any]) -> None:
    assert run("sql", query, "--project", project, "--json").json == [shown]


def test_a_second_query_at_the_same_time_has_a_copy_of_its_own(client: deardiary.Client, project: str) -> None:
    from deardiary_exchange import sql

    owner = client.projects.find_or_create(project)
    with (
        sql.exported(client, owner.id, lambda *_: None) as first,
        sql.exported(client, owner.id, lambda *_: None) as other,
    ):
        assert first.place != other.place
        with sql.connected(other) as connection:
            assert sql.rows_of(connection.execute("select count(*) from iterations"))[1] == [(2,)]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["select * from nothing"], 2, "nothing"),
        (["selec 1"], 2, "selec"),
        (["select 1", "--from", "{folder}"], 1, "no manifest.json"),
    ],
)
def test_a_wrong_query_says_what_is_wrong(
    run: Run, project: str, tmp_path: Path, words: list[str], status: int, message: str
) -> None:
    given = [each.replace("{folder}", str(tmp_path)) for each in words]
    said = run("sql", *given, *([] if "--from" in given else ["--project", project]))
    assert (said.status, said.out) == (status, "")
    assert message in said.err
    assert "Traceback" not in said.err
