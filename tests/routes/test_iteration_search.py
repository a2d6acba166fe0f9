"""filter, order_by and include of the list of iterations, over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.services.search import page_cache
from deardiary.wire.shapes import IterationOverview, MetricSummary
from tests.support.api import (
    check_invalid,
    check_refused,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    pages,
)
from tests.support.server import Reply, Server


def log(server: Server, iteration: str, **body: Any) -> None:
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "b", **body}))


def path(experiment: str, **query: Any) -> str:
    return f"/experiments/{experiment}/iterations?{urlencode(query)}"


def ids(server: Server, experiment: str, **query: Any) -> list[str]:
    return [each["id"] for each in found(server.call("GET", path(experiment, **query)))["data"]]


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server)


@pytest.fixture(scope="module")
def experiment(server: Server, project: str) -> str:
    return new_experiment(server, project)


@pytest.fixture(scope="module")
def sweep(server: Server, experiment: str) -> list[str]:
    """Twelve iterations; each third has no metrics, each second is a child of the first, and one is NaN."""
    made_here: list[str] = []
    for at in range(12):
        parent = {"parent_iteration_id": made_here[0]} if at % 2 else {}
        iteration = new_iteration(server, experiment, notes=f"n{at % 4}", **parent)
        loss = "NaN" if at == 7 else at % 5 / 10
        metrics = {} if at % 3 == 0 else {"loss": {"value": [0.9, loss]}, "val loss": {"value": [at]}}
        log(
            server, iteration, parameters={"lr": f"1e-{at % 3}", "at": str(at)}, metrics=metrics, tags=[f"t{at}", "all"]
        )
        made_here.append(iteration)
    end(server, made_here[4], status_id=3)
    # The rows of another experiment are in another partition; those of a deleted iteration are not found.
    other = new_iteration(server)
    log(server, other, parameters={"lr": "1"}, tags=["all"])
    gone = new_iteration(server, experiment)
    log(server, gone, parameters={"lr": "1"}, tags=["all"])
    assert server.call("DELETE", f"/iterations/{gone}").status in (202, 204)
    return made_here


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", range(12)),
        (" ", range(12)),
        ("parameters.lr = 0.1", [1, 4, 7, 10]),
        ("parameters.lr = '0.1'", []),
        ("metrics.loss >= 0.3 and tags = 'all'", [4, 8]),
        ("metrics.loss.max = 0.9 and metrics.`val loss` < 5", [1, 2, 4]),
        ("status = 'FAILED'", [4]),
        ("tags in ('t3', 't5')", [3, 5]),
        ("notes = 'n3' or parameters.at > 10", [3, 7, 11]),
        ("not tags like 't_'", [10, 11]),
    ],
)
def test_a_filter_finds(server: Server, experiment: str, sweep: list[str], text: str, expected: list[int]) -> None:
    assert ids(server, experiment, filter=text) == [sweep[at] for at in expected]


def test_an_order(server: Server, experiment: str, sweep: list[str]) -> None:
    listed = ids(server, experiment, order_by="metrics.loss desc, created_date")
    assert [sweep.index(each) for each in listed] == [4, 8, 2, 1, 11, 5, 10, 7, 0, 3, 6, 9]


@pytest.mark.parametrize("limit", [5, 12])
@pytest.mark.parametrize(
    "query",
    [
        {"order_by": "metrics.loss desc, notes"},
        {"order_by": "notes desc", "include": "tags,metrics"},
        {"filter": "parameters.lr < 1"},
        {"filter": "parameters.lr < 1", "include": "parameters", "order_by": "parameters.lr, metrics.loss"},
        {"include": "parameters,metrics,tags"},
    ],
)
def test_pages_put_together_are_the_list(
    server: Server, experiment: str, sweep: list[str], query: dict[str, str], limit: int
) -> None:
    whole = found(server.call("GET", path(experiment, **query)))
    assert whole["next_cursor"] is None
    assert pages(server, path(experiment, **query), limit) == whole["data"]


def test_pages_of_children(server: Server, experiment: str, sweep: list[str]) -> None:
    query = {"parent_iteration_id": sweep[0], "include": "tags"}
    children = [1, 3, 5, 7, 9, 11]
    for more, expected in (
        ({}, children),
        ({"order_by": "created_date desc, id desc"}, children[::-1]),
        ({"filter": "parameters.at >= 7"}, [7, 9, 11]),
    ):
        listed = pages(server, path(experiment, **query, **more), 2)
        assert [sweep.index(each["id"]) for each in listed] == expected
        assert [each["tags"] for each in listed] == [[f"t{at}", "all"] for at in expected]


def test_include_adds_the_named_parts_and_nothing_else(server: Server, experiment: str, sweep: list[str]) -> None:
    plain = found(server.call("GET", path(experiment)))["data"]
    summary = {"first": 0.9, "last": 0.1, "min": 0.1, "max": 0.9, "count": 2, "last_step": 1}
    one = {"first": 1.0, "last": 1.0, "min": 1.0, "max": 1.0, "count": 1, "last_step": 0}
    extra = {"parameters": {"at": "1", "lr": "1e-1"}, "metrics": {"loss": summary, "val loss": one}}
    extra |= {"tags": ["t1", "all"]}
    for include in ("parameters", "metrics", "tags", "tags, parameters", "parameters,metrics,tags"):
        for query in ({}, {"filter": "parameters.lr <= 1 and tags = 'all'"}, {"order_by": "metrics.x, id"}):
            listed = found(server.call("GET", path(experiment, include=include, **query)))["data"]
            named = [name.strip() for name in include.split(",")]
            assert listed[1] == plain[1] | {name: extra[name] for name in named}
            empty = {"parameters": {"at": "0", "lr": "1e-0"}, "metrics": {}, "tags": ["t0", "all"]}
            assert listed[0] == plain[0] | {name: empty[name] for name in named}


def test_the_client(server: Server, experiment: str, sweep: list[str]) -> None:
    iterations = server.client().iterations
    plain = list(iterations.list(experiment, filter="metrics.loss < 0.3", order_by="metrics.loss desc"))
    assert [sweep.index(each.id) for each in plain] == [2, 1, 11, 5, 10]
    assert plain[0] == iterations.get(sweep[2])
    (whole,) = iterations.list(experiment, filter="tags = 't7'", include=["metrics", "tags"])
    assert isinstance(whole, IterationOverview)
    assert whole.tags == ("t7", "all")
    assert whole.parameters is None
    assert whole.metrics is not None
    assert whole.metrics["val loss"] == MetricSummary(first=7.0, last=7.0, min=7.0, max=7.0, count=1, last_step=0)
    assert str(whole.metrics["loss"].last) == "nan"
    children = iterations.list(experiment, parent_iteration_id=sweep[0], order_by="id desc")
    assert [sweep.index(each.id) for each in children] == [11, 9, 7, 5, 3, 1]


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ({"filter": "metrics.loss < 'a'"}, 16),
        ({"filter": "x" * 4097}, 4097),
        ({"filter": "(" * 60}, 51),
        ({"order_by": "tags"}, 1),
        ({"order_by": "id descending"}, 4),
    ],
)
def test_a_syntax_error_names_the_column(server: Server, experiment: str, query: dict[str, str], column: int) -> None:
    reply = server.call("GET", path(experiment, **query))
    check_invalid(reply, next(iter(query)))
    assert reply.body["details"]["column"] == column
    assert "expected" in reply.body["message"] or "at most" in reply.body["message"] or column in (1, 4097)


@pytest.mark.parametrize("include", ["everything", "tags,", "tags;metrics", "Tags"])
def test_an_unknown_kind_cannot_be_included(server: Server, experiment: str, include: str) -> None:
    check_invalid(server.call("GET", path(experiment, include=include)), "include")


def test_a_cursor_belongs_to_its_search(server: Server, experiment: str, sweep: list[str]) -> None:
    first = found(server.call("GET", path(experiment, order_by="notes", limit=2)))["next_cursor"]
    plain = found(server.call("GET", path(experiment, limit=2)))["next_cursor"]
    for query in (
        {"order_by": "notes desc", "cursor": first},
        {"order_by": "notes", "filter": "tags = 'all'", "cursor": first},
        {"order_by": "notes", "cursor": plain},
        {"order_by": "notes", "cursor": first[:-4]},
        {"order_by": "notes", "parent_iteration_id": sweep[0], "cursor": first},
        {"cursor": first},
    ):
        check_invalid(server.call("GET", path(experiment, **query)), "cursor")
    check_invalid(server.call("GET", path(new_experiment(server), order_by="notes", cursor=first)), "cursor")


def test_rows_that_change_or_go_move_no_other(server: Server) -> None:
    experiment = new_experiment(server)
    some = [new_iteration(server, experiment, notes=f"n{at}") for at in range(6)]
    query = {"order_by": "notes", "limit": 3}
    first = found(server.call("GET", path(experiment, **query)))
    server.call("DELETE", f"/iterations/{some[2]}")
    server.call("PATCH", f"/iterations/{some[0]}", {"notes": "n9"})
    before = new_iteration(server, experiment, notes="a")
    second = found(server.call("GET", path(experiment, **query, cursor=first["next_cursor"])))
    assert [each["id"] for each in first["data"]] == some[:3]
    assert [each["id"] for each in second["data"]] == some[3:]
    page_cache.forget()  # another process continues, which has not read the first page
    second = found(server.call("GET", path(experiment, **query, cursor=first["next_cursor"])))
    assert [each["id"] for each in second["data"]] == some[3:]
    rest = found(server.call("GET", path(experiment, **query, cursor=second["next_cursor"])))["data"]
    assert [each["id"] for each in rest] == [some[0]]
    assert before not in {each["id"] for each in rest}


def test_pages_of_one_table_are_one_reading_without_what_was_deleted(server: Server) -> None:
    experiment = new_experiment(server)
    some = [new_iteration(server, experiment, notes=f"n{at}") for at in range(6)]
    query = {"order_by": "notes", "limit": 2}
    first = found(server.call("GET", path(experiment, **query)))
    server.call("PATCH", f"/iterations/{some[3]}", {"notes": "n9"})
    second = found(server.call("GET", path(experiment, **query, cursor=first["next_cursor"])))
    assert [(each["id"], each["notes"]) for each in second["data"]] == [(some[2], "n2"), (some[3], "n9")]
    server.call("DELETE", f"/iterations/{some[4]}")
    third = found(server.call("GET", path(experiment, **query, cursor=second["next_cursor"])))
    assert ([each["id"] for each in third["data"]], third["next_cursor"]) == ([some[5]], None)
    again = found(server.call("GET", path(experiment, **query | {"limit": 50})))
    assert [each["id"] for each in again["data"]] == [some[0], some[1], some[2], some[5], some[3]]


def test_a_caller_without_read_gets_no_data(server: Server, project: str, experiment: str) -> None:
    outsider, writer = new_person(server), new_member(server, project, "create")

    def ask(token: str) -> Reply:
        return server.call("GET", path(experiment, filter="status = 1", include="tags"), token=token)

    check_refused(ask(outsider.token), 404, "NOT_FOUND")
    check_refused(ask(writer.token), 403, "PROJECT_PERMISSION_REQUIRED")


def test_a_filter_that_takes_too_much_work_is_refused(server: Server) -> None:
    """A filter that took 40 s of CPU on ten thousand iterations; here a few iterations with long values suffice."""
    experiment = new_experiment(server, new_project(server))
    for _ in range(20):
        log(server, new_iteration(server, experiment), parameters={"p": "a" * 6000})
    attack = "status = 1 and parameters.p like '%" + "aa_" * 1100 + "b_a%'"
    refused = server.call("GET", path(experiment, filter=attack))
    check_invalid(refused, "filter")
    assert refused.body["details"]["column"] == 16
    assert "too much work" in refused.body["message"]
    for fine in ("%aa_a%", "%" + "a_" * 1000, "a" * 4000 + "%"):
        assert len(ids(server, experiment, filter=f"parameters.p like '{fine}'")) == 20


@pytest.fixture(scope="module")
def spread(server: Server) -> tuple[str, list[str]]:
    """A project with five experiments, one of them empty, and eight iterations."""
    project = new_project(server)
    made_here: list[str] = []
    for number, size in enumerate((3, 0, 2, 1, 2)):
        experiment = new_experiment(server, project, name=f"e{number}")
        for at in range(size):
            iteration = new_iteration(server, experiment, notes=f"{number}")
            log(server, iteration, parameters={"at": str(at)}, metrics={"m": {"value": [len(made_here) * 7 % 5]}})
            made_here.append(iteration)
    return project, made_here


@pytest.mark.parametrize("experiments_a_page", [1, 2, 20])
@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"filter": "parameters.at = 0"}, [0, 3, 5, 6]),
        ({"filter": "notes = '4'", "include": "parameters,metrics,tags"}, [6, 7]),
        ({"order_by": "metrics.m desc, parameters.at"}, [7, 2, 4, 6, 1, 3, 0, 5]),
        ({"order_by": "metrics.m", "filter": "metrics.m > 1", "include": "parameters"}, [1, 6, 4, 2, 7]),
    ],
)
def test_the_iterations_of_a_project(
    server: Server,
    spread: tuple[str, list[str]],
    query: dict[str, str],
    expected: list[int],
    limit: int,
    experiments_a_page: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.services.search.project.MAX_EXPERIMENTS_A_PAGE", experiments_a_page)
    project, made_here = spread
    rows = pages(server, f"/projects/{project}/iterations?{urlencode(query)}", limit)
    assert [made_here.index(each["id"]) for each in rows] == expected
    for row in rows:
        (same,) = [
            each
            for each in found(server.call("GET", path(row["experiment_id"], **query)))["data"]
            if each["id"] == row["id"]
        ]
        assert row == same


def test_an_order_over_too_many_experiments_is_refused(
    server: Server, spread: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.search.project.MAX_EXPERIMENTS_IN_ORDER", 4)
    check_invalid(server.call("GET", f"/projects/{spread[0]}/iterations?order_by=notes"), "order_by")
    assert len(found(server.call("GET", f"/projects/{spread[0]}/iterations?filter=notes='0'"))["data"]) == 3


def test_a_cursor_is_for_its_own_search(server: Server, spread: tuple[str, list[str]]) -> None:
    base = f"/projects/{spread[0]}/iterations?limit=2"
    for query in ("", "&filter=notes='4' or notes='0'", "&order_by=notes"):
        cursor = found(server.call("GET", base + query.replace(" ", "%20")))["next_cursor"]
        check_invalid(server.call("GET", f"{base}&filter=notes='1'&cursor={cursor}"), "cursor")
        check_invalid(server.call("GET", f"{base}&cursor={cursor}x"), "cursor")


def test_deleted_experiments_and_iterations_are_not_searched(server: Server) -> None:
    project = new_project(server)
    experiments = [new_experiment(server, project, name=name) for name in "abc"]
    made_here = [new_iteration(server, each) for each in experiments]
    first = found(server.call("GET", f"/projects/{project}/iterations?limit=1"))
    assert server.call("DELETE", f"/experiments/{experiments[1]}").status in (202, 204)
    rest = found(server.call("GET", f"/projects/{project}/iterations?cursor={first['next_cursor']}"))
    assert [each["id"] for each in [*first["data"], *rest["data"]]] == [made_here[0], made_here[2]]
