"""The calls of a search to DynamoDB: one Query for each kind that it names, for any number of iterations."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from benchmarks.kit.metering import Meter
from tests.support.api import counted_calls
from tests.support.server import Server

EVERYTHING = "parameters,metrics,tags"


@pytest.fixture
def experiment(real_server: Server) -> str:
    client = real_server.client()
    return client.experiments.create(client.projects.create("calls").id, "calls").id


def add_iterations(server: Server, experiment: str, number: int) -> None:
    flush = {"batch_id": "b", "parameters": {"a": "1", "b": "x"}, "metrics": {"m": {"value": [1]}}, "tags": ["t"]}
    for _ in range(number):
        iteration = server.call("POST", f"/experiments/{experiment}/iterations", {}).body["id"]
        assert server.call("POST", f"/iterations/{iteration}/log", flush).status < 300


def calls_of_each(server: Server, experiment: str, searches: list[dict[str, str]]) -> tuple[list[list[str]], set[int]]:
    """The calls of each search, and how many iterations they found."""
    asked, sizes = [], set()
    for search in searches:
        with counted_calls() as calls:
            query = urlencode({"limit": 200, **search})
            sizes.add(len(server.call("GET", f"/experiments/{experiment}/iterations?{query}").body["data"]))
        # Once a minute a list also writes that the experiment is watched.
        asked.append(sorted(each for each in calls if each != "UpdateItem"))
    return asked, sizes


def test_the_number_of_calls_is_that_of_the_kinds_named(real_server: Server, experiment: str) -> None:
    searches = {
        "none": ({}, 1),
        "all included": ({"include": EVERYTHING}, 4),
        "one kind in the filter": ({"filter": "metrics.m > 0"}, 2),
        "one in the filter, another included": ({"filter": "parameters.a = 1", "include": "tags"}, 3),
        "all, twice": ({"filter": "parameters.a = 1", "order_by": "metrics.m", "include": EVERYTHING}, 4),
        "an attribute": ({"filter": "status = 1", "order_by": "created_date desc"}, 1),
    }
    queries = [query for query, _ in searches.values()]
    add_iterations(real_server, experiment, 10)
    few, found = calls_of_each(real_server, experiment, queries)
    assert found == {10}
    add_iterations(real_server, experiment, 50)
    many, found = calls_of_each(real_server, experiment, queries)
    assert found == {60}
    assert few == many
    assert [calls.count("Query") for calls in many] == [number for _, number in searches.values()]


def test_including_for_scattered_iterations_does_not_read_those_between_them(
    real_server: Server, experiment: str
) -> None:
    add_iterations(real_server, experiment, 120)
    path = f"/experiments/{experiment}/iterations?"
    ids = [each["id"] for each in real_server.call("GET", f"{path}limit=200").body["data"]]
    for iteration in (ids[0], ids[-1]):
        real_server.call("PATCH", f"/iterations/{iteration}", {"notes": "wanted"})
        flush = {"batch_id": "c", "parameters": {f"p{number}": "1" for number in range(60)}, "tags": ["u"]}
        assert real_server.call("POST", f"/iterations/{iteration}/log", flush).status < 300
    query = urlencode({"filter": 'notes = "wanted"', "include": EVERYTHING})
    with Meter.attached() as meter, meter.measuring() as calls:
        found = real_server.call("GET", f"{path}{query}").body["data"]
    assert [each["id"] for each in found] == [ids[0], ids[-1]]
    for each in found:
        assert each["parameters"] == {"a": "1", "b": "x", **{f"p{number}": "1" for number in range(60)}}
        assert each["metrics"]["m"]["count"] == 1
        assert each["tags"] == ["t", "u"]
    read = [key.sk for call in calls for key in call.keys]
    rows = {kind: sum(sk.startswith(kind) for sk in read) for kind in ("PARAMETER#", "SERIES#", "TAG#")}
    # The first page of a span shows whether the iterations are next to each other.
    assert rows["PARAMETER#"] <= 100 + 2 * 62
    assert rows["SERIES#"] <= 10 + 2
    assert rows["TAG#"] <= 100 + 2 * 2
