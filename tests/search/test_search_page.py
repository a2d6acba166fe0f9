"""docs/search.md is true: each of its examples is sent to a server with the page's iterations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.services.search import values
from deardiary.wire.shapes import IterationStatus
from tests.routes.conftest import server  # noqa: F401
from tests.support.api import made, new_experiment, new_iteration, new_project
from tests.support.server import Server

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
ROW = re.compile(r"^\| (`{1,2})(.+?)\1 \| (.+) \|$", re.MULTILINE)


def table(head: str) -> list[tuple[str, str]]:
    """Read all tables with that head: the first column, without its backticks, and the second."""
    found = []
    for part in PAGE.split(f"| {head} |\n|---|---|\n")[1:]:
        found += [(text, result) for _, text, result in ROW.findall(part.partition("\n\n")[0])]
    # With no row, pytest would skip a parametrized test.
    assert found, f"docs/search.md has no row in a table with the head {head}"
    return found


def iterations() -> list[list[str]]:
    rows = PAGE.split("| tags |\n|---|---|---|---|---|---|---|\n")[1].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:  # noqa: F811
    """By the page's names; "experiment" and "project" are their ids."""
    project = new_project(server)
    experiment = new_experiment(server, project)
    found = {"project": project, "experiment": experiment}
    for name, status, notes, parameters, metrics, labels, tags in iterations():
        found[name] = new_iteration(server, experiment, notes=notes, labels=dict(pairs_of(labels) if labels else []))
        pairs = dict(each.split("=") for each in parameters.split(", "))
        series = {key: {"value": list(map(number, all_.split()))} for key, all_ in pairs_of(metrics)}
        flush = {"batch_id": "b", "parameters": pairs, "metrics": series, "tags": [t for t in tags.split(", ") if t]}
        made(server.call("POST", f"/iterations/{found[name]}/log", flush))
        if status != "RUNNING":
            body = {"status_id": int(IterationStatus[status])}
            assert server.call("PATCH", f"/iterations/{found[name]}", body).status == 200
    return found


def pairs_of(text: str) -> list[list[str]]:
    return [each.split("=") for each in text.split(", ")]


def number(text: str) -> Any:
    return text if text in ("NaN", "Infinity") else float(text)


def found_by(server: Server, ids: dict[str, str], owner: str, **query: str) -> str:  # noqa: F811
    reply = server.call("GET", f"/{owner}s/{ids[owner]}/iterations?{urlencode(query)}")
    assert reply.status == 200, reply
    names = {iteration_id: name for name, iteration_id in ids.items()}
    return ", ".join(names[each["id"]] for each in reply.body["data"]) or "nothing"


@pytest.mark.parametrize("owner", ["experiment", "project"])
@pytest.mark.parametrize(("text", "expected"), table("filter | finds"))
def test_a_filter_finds_what_the_page_says(
    server: Server,  # noqa: F811
    ids: dict[str, str],
    text: str,
    expected: str,
    owner: str,
) -> None:
    assert found_by(server, ids, owner, filter=text) == expected


@pytest.mark.parametrize("owner", ["experiment", "project"])
@pytest.mark.parametrize(("text", "expected"), table("order_by | order"))
def test_an_order_is_as_the_page_says(
    server: Server,  # noqa: F811
    ids: dict[str, str],
    text: str,
    expected: str,
    owner: str,
) -> None:
    assert found_by(server, ids, owner, order_by=text) == expected


@pytest.mark.parametrize(("text", "column"), table("filter | column"))
def test_an_error_is_where_the_page_says(server: Server, ids: dict[str, str], text: str, column: str) -> None:  # noqa: F811
    refused = server.call("GET", f"/experiments/{ids['experiment']}/iterations?{urlencode({'filter': text})}")
    assert refused.error == (422, "INVALID_PAYLOAD")
    assert refused.body["details"] == {"field": "filter", "column": int(column)}
    assert "docs/search.md" in refused.body["message"]


def test_every_comparator_and_attribute_is_on_the_page() -> None:
    examples = " ".join(text for text, _ in table("filter | finds"))
    wanted = {each for kind in (values.NUMBER_OR_TEXT, values.TAG) for each in kind.comparators}
    assert [each for each in (*wanted, *values.NULLS, "and", "or", "not") if f" {each} " not in f" {examples} "] == []
    assert len(table("filter | finds")) > 50
