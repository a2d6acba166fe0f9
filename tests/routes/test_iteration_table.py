"""Lists of iterations as columns, and the total of a search, over HTTP and in the client."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.routes.http import table as http_table
from chalicelib.services.search import page_cache
from chalicelib.storage.table import item
from deardiary.wire.shapes import IterationStatus
from tests.support.api import check_invalid, end, found, made, new_experiment, new_iteration, new_project
from tests.support.server import Server

SUMMARY = {"first", "last", "min", "max", "count", "last_step"}


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server)


@pytest.fixture(scope="module")
def experiment(server: Server, project: str) -> str:
    return new_experiment(server, project)


@pytest.fixture(scope="module")
def sweep(server: Server, experiment: str) -> list[str]:
    """Seven iterations; the third is deleted, each second has no metrics, and the last of the fifth is NaN."""
    created = []
    for number in range(7):
        iteration = new_iteration(server, experiment, notes=f"n{number}")
        loss = "NaN" if number == 4 else number / 10
        body: dict[str, Any] = {"batch_id": "b", "parameters": {"n": str(number)}, "tags": ["all", f"t{number}"]}
        if number % 2 == 0:
            body["metrics"] = {"loss": {"value": [0.9, loss]}, "a.min": {"value": [number]}}
        made(server.call("POST", f"/iterations/{iteration}/log", body))
        created.append(iteration)
    end(server, created[1], status_id=3)
    assert server.call("DELETE", f"/iterations/{created[2]}").status in (202, 204)
    return [each for each in created if each != created[2]]


def path(experiment: str, query: Any) -> str:
    pairs = query.items() if isinstance(query, dict) else query
    return f"/experiments/{experiment}/iterations?{urlencode([('format', 'columns'), *pairs])}"


def table(server: Server, experiment: str, query: Any = ()) -> Any:
    return found(server.call("GET", path(experiment, query)))


def test_a_table_holds_what_the_rows_hold(server: Server, experiment: str, sweep: list[str]) -> None:
    url = f"/experiments/{experiment}/iterations?include=parameters,metrics,tags"
    rows = found(server.call("GET", url))["data"]
    parts = [("parts", part) for part in sorted(SUMMARY)]
    answer = table(server, experiment, [*parts, *(("include", each) for each in ["parameters,metrics,tags"])])
    assert answer["ids"] == [row["id"] for row in rows] == sweep
    assert answer["next_cursor"] is None
    assert "total" not in answer
    columns = answer["columns"]
    assert columns["fields"] == {}
    assert columns["parameters"] == {"n": [row["parameters"]["n"] for row in rows]}
    assert columns["tags"] == [row["tags"] for row in rows]
    assert columns["metrics"].keys() == {"loss", "a.min"}
    for key, summary in columns["metrics"].items():
        assert summary.keys() == SUMMARY
        for part, values in summary.items():
            assert values == [row["metrics"].get(key, {}).get(part) for row in rows]
    fields = table(server, experiment)["columns"]["fields"]
    assert fields.keys() == rows[0].keys() - {"id", "parameters", "metrics", "tags"}
    for name, values in fields.items():
        assert values == [row[name] for row in rows]


@pytest.mark.parametrize(
    ("query", "kinds", "names"),
    [
        ([], {"fields", "parameters", "metrics", "tags"}, {"n", "loss", "a.min"}),
        ([("fields", "name"), ("fields", "notes")], {"fields"}, set()),
        ([("metrics", "loss"), ("metrics", "absent")], {"fields", "metrics"}, {"loss", "absent"}),
        ([("parameters", "n"), ("include", "tags")], {"fields", "parameters", "tags"}, {"n"}),
        ([("filter", "parameters.n > -1"), ("parameters", "absent")], {"fields", "parameters"}, {"absent"}),
    ],
)
@pytest.mark.parametrize("order", [{}, {"order_by": "metrics.loss"}])
def test_a_table_has_the_columns_that_the_query_names(
    server: Server, experiment: str, sweep: list[str], query: Any, kinds: set[str], names: set[str], order: Any
) -> None:
    columns = table(server, experiment, [*query, *order.items()])["columns"]
    assert columns.keys() == kinds
    assert {*columns.get("parameters", {}), *columns.get("metrics", {})} == names
    assert columns["fields"].keys() == ({*columns["fields"]} if not query else {n for k, n in query if k == "fields"})
    lengths = {len(each) for each in (*columns["fields"].values(), *columns.get("parameters", {}).values())}
    assert lengths <= {len(sweep)}
    for absent in (columns.get(kind, {}).get("absent") for kind in ("parameters", "metrics")):
        assert absent in (None, [None] * 6, {"last": [None] * 6})


@pytest.mark.parametrize(
    ("most", "names"), [(1, {"n", "loss"}), (2, {"n", "x", "loss", "rare"}), (9, {"n", "x", "loss", "rare"})]
)
def test_a_table_can_have_only_the_keys_that_most_rows_have(server: Server, most: int, names: set[str]) -> None:
    experiment = new_experiment(server)
    for number in range(3):
        body: dict[str, Any] = {"batch_id": "b", "parameters": {"n": "1"}, "metrics": {"loss": {"value": [0.5]}}}
        if number == 1:
            body["parameters"]["x"] = "2"
            body["metrics"]["rare"] = {"value": [1]}
        made(server.call("POST", f"/iterations/{new_iteration(server, experiment)}/log", body))
    columns = table(server, experiment, {"include": "parameters,metrics", "most_keys": most})["columns"]
    assert {*columns["parameters"], *columns["metrics"]} == names


@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"filter": "parameters.n != 0"},
        {"order_by": "metrics.loss desc", "fields": "notes"},
        {"filter": "tags = 'all'", "order_by": "parameters.n desc", "parameters": "n"},
    ],
)
def test_pages_put_together_are_the_table(
    server: Server, experiment: str, sweep: list[str], query: dict[str, str], limit: int
) -> None:
    whole = table(server, experiment, query)
    ids: list[str] = []
    fields: dict[str, list[Any]] = {name: [] for name in whole["columns"]["fields"]}
    cursor: dict[str, str] = {}
    while True:
        page = table(server, experiment, {**query, "limit": limit, **cursor})
        ids += page["ids"]
        for name, values in page["columns"]["fields"].items():
            fields[name] += values
        assert page.get("total") == whole.get("total") == (len(whole["ids"]) if query else None)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert (ids, fields) == (whole["ids"], whole["columns"]["fields"])


def test_a_total_counts_all_that_a_search_found(
    server: Server, project: str, experiment: str, sweep: list[str]
) -> None:
    def total(owner: str, query: dict[str, str]) -> Any:
        page_cache.forget()
        return found(server.call("GET", f"{owner}/iterations?{urlencode({'limit': 2, **query})}")).get("total")

    own, above = f"/experiments/{experiment}", f"/projects/{project}"
    assert total(own, {}) is None
    assert total(own, {"filter": "tags = 'all'"}) == 6
    assert total(own, {"filter": "metrics.loss is not null", "order_by": "metrics.loss"}) == 3
    assert total(own, {"filter": "status = 'killed'"}) == 0
    assert total(above, {"order_by": "metrics.loss"}) == 6
    # Without an order a page reads as many experiments as it needs, and so cannot say it.
    assert total(above, {"filter": "tags = 'all'"}) is None


def test_a_table_of_a_project_names_the_experiments(
    server: Server, project: str, experiment: str, sweep: list[str]
) -> None:
    url = f"/projects/{project}/iterations?format=columns&fields=experiment_id&order_by=metrics.loss"
    answer = found(server.call("GET", url))
    assert sorted(answer["ids"]) == sweep
    assert answer["columns"]["fields"] == {"experiment_id": [experiment] * 6}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=201", "limit"),
        ("format=columns&limit=1001", "limit"),
        ("format=table", "format"),
        ("fields=name", "fields"),
        ("parameters=n", "parameters"),
        ("metrics=loss", "metrics"),
        ("parts=min", "parts"),
        ("most_keys=5", "most_keys"),
        ("format=columns&most_keys=0", "most_keys"),
        ("format=columns&fields=id", "fields[0]"),
        ("format=columns&metrics=loss&parts=mean", "parts[0]"),
        ("format=columns&metrics=", "metrics[0]"),
        ("format=columns&include=nothing", "include"),
    ],
)
def test_a_wrong_query_of_a_table_is_refused(server: Server, experiment: str, query: str, field: str) -> None:
    check_invalid(server.call("GET", f"/experiments/{experiment}/iterations?{query}"), field)


def test_a_thousand_iterations_of_forty_columns_are_one_short_answer(server: Server) -> None:
    """Also the reads: few Queries, at half the price of consistent ones."""
    experiment = new_experiment(server)
    created = [new_iteration(server, experiment) for _ in range(10)]
    keys = [f"metric_{number:02}" for number in range(20)]
    for number, iteration in enumerate(created):
        parameters = {f"parameter_{at:02}": str(number % (at + 1) / 10) for at in range(15)}
        points = {key: {"value": [math.cos(number * at)]} for at, key in enumerate(keys)}
        flush = {"batch_id": "b", "parameters": parameters, "metrics": points}
        made(server.call("POST", f"/iterations/{iteration}/log", flush))
    fields = ["name", "status_id", "created_date", "end_date", "created_by"]
    query = [("include", "parameters,metrics"), ("order_by", "metrics.metric_00"), *(("fields", f) for f in fields)]
    reads: list[tuple[str, Any]] = []
    events = item.connection().connection.client.meta.events

    def note(params: Any, model: Any, **_: Any) -> None:
        reads.append((model.name, bool(json.loads(params["body"]).get("ConsistentRead"))))

    events.register("before-call.dynamodb", note)
    try:
        answer = table(server, experiment, query)
    finally:
        events.unregister("before-call.dynamodb", note)
    # A Query for the rows, one for the summaries, and two for 150 parameters: the first page has 100 rows.
    assert sorted(read for read in reads if read[0] == "Query") == [("Query", False)] * 4
    columns = answer["columns"]
    assert sum(map(len, (columns["fields"], columns["parameters"], columns["metrics"]))) == 40
    text = json.dumps(answer, separators=(",", ":")).encode()
    assert len(text) * 100 < 660_000
    # A hundred times as many rows compress better.
    assert len(gzip.compress(text)) * 100 < 360_000


def test_the_client_returns_columns(server: Server, project: str, experiment: str, sweep: list[str]) -> None:
    iterations = server.client().iterations
    columns = iterations.columns(experiment, order_by="parameters.n")
    assert columns["id"] == sweep
    assert columns["notes"] == ["n0", "n1", "n3", "n4", "n5", "n6"]
    assert columns["status_id"][1] is IterationStatus.FAILED
    assert columns["created_date"][0] < columns["end_date"][1]
    assert columns["parameters.n"] == ["0", "1", "3", "4", "5", "6"]
    assert columns["tags"][0] == ["all", "t0"]
    loss = columns["metrics.loss"]
    assert math.isnan(loss[3])
    assert [each for each in loss if each is None or not math.isnan(each)] == [0.0, None, None, None, 0.6]
    # A key that ends like a part is quoted, as in a filter.
    named = iterations.columns(project=project, metrics=["a.min"], parts=["min", "last"], fields=["name"])
    assert list(named) == ["id", "name", 'metrics."a.min".min', 'metrics."a.min"']
    assert sorted(named["id"]) == sweep
    with pytest.raises(TypeError, match="columns takes"):
        iterations.columns()


def test_columns_of_several_pages_are_filled_up(
    server: Server, experiment: str, sweep: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    iterations = server.client().iterations
    whole = iterations.columns(experiment, filter="tags = 'all'")
    monkeypatch.setattr("deardiary.entities.table.MAX_TABLE_ITEMS", 1)
    paged = iterations.columns(experiment, filter="tags = 'all'")
    assert {name: list(map(str, values)) for name, values in paged.items()} == {
        name: list(map(str, values)) for name, values in whole.items()
    }


@pytest.mark.parametrize("kind", ["parameters", "metrics"])
@pytest.mark.parametrize("order", [{}, {"order_by": "created_date"}], ids=str)
def test_a_table_of_rows_with_keys_of_their_own_comes_in_short_pages(
    server: Server, monkeypatch: pytest.MonkeyPatch, kind: str, order: dict[str, str]
) -> None:
    experiment = new_experiment(server)
    created = [new_iteration(server, experiment) for _ in range(5)]
    for number, iteration in enumerate(created):
        keys = [f"{number}-{key}" for key in range(4)]
        content = {key: "1" if kind == "parameters" else {"value": [1]} for key in keys}
        made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "b", kind: content}))
    monkeypatch.setattr(http_table, "MAX_CELLS", 20)
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = found(server.call("GET", path(experiment, {"limit": 1000, **order, **cursor})))
        assert len(page["ids"]) * len(page["columns"][kind]) <= 20
        ids += page["ids"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(ids) == created
