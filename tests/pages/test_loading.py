"""A page asks for its data and its code before the code of all pages is here, and for each once."""

from __future__ import annotations

import json
from collections import Counter
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, Route, expect

from tests.support.api import found
from tests.support.browser import Dashboard
from tests.support.grid import names_of
from tests.support.server import Server


def test_rows_and_page_are_asked_for_before_the_code_of_all_pages_is_here(dashboard: Dashboard, small: str) -> None:
    page, held, is_released = dashboard.page, list[Route](), False

    def hold(route: Route) -> None:
        if is_released:
            route.continue_()
        else:
            held.append(route)

    page.route("**/ui/shared-*.js", hold)
    with page.expect_request("**/iterations?*"), page.expect_request("**/ui/experiment-*.js"):
        page.goto(f"{dashboard.site}/ui#/experiments/{small}", wait_until="commit")
    is_released = True
    for route in held:
        route.continue_()
    expect(names_of(dashboard)).to_have_count(4)


COLUMNS = {"columns": "name,m:loss,min:loss,last_step:loss"}


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/", {}, ["/projects", "/activity"]),
        ("/projects/{project}", {}, ["/projects/{project}"]),
        ("/experiments/{small}", {}, ["/experiments/{small}/iterations", "/experiments/{small}"]),
        ("/experiments/{small}", {"filter": 'status = "FAILED"'}, ["/experiments/{small}/iterations"]),
        ("/experiments/{small}", COLUMNS, ["/experiments/{small}/iterations"]),
        ("/experiments/{small}", {"sort": "m:loss"}, ["/experiments/{small}/iterations"]),
        (
            "/experiments/{small}/charts",
            {"chart-shown": "{iteration}"},
            ["/experiments/{small}/iterations", "/experiments/{small}/metrics/summary"],
        ),
        ("/iterations/{iteration}", {}, ["/iterations/{iteration}"]),
    ],
)
def test_what_is_asked_for_ahead_is_what_the_page_wants(
    server: Server, dashboard: Dashboard, project: str, small: str, path: str, query: dict[str, str], asked: list[str]
) -> None:
    ids = {
        "project": project,
        "small": small,
        "iteration": found(server.call("GET", f"/experiments/{small}/iterations"))["data"][0]["id"],
    }
    _check_asked_once(
        dashboard,
        path.format(**ids),
        {name: value.format(**ids) for name, value in query.items()},
        [each.format(**ids) for each in asked],
    )


def test_columns_that_the_user_prefers_are_asked_for_ahead(server: Server, new_tab: type, small: str) -> None:
    preferences = {"tables": {small: COLUMNS}}
    server.call("PUT", "/auth/me/preferences", preferences)
    try:
        tab: Dashboard = new_tab()
        tab.page.add_init_script(
            f"localStorage.setItem('deardiary-preferences', {json.dumps(json.dumps(preferences))})"
        )
        _check_asked_once(tab, f"/experiments/{small}", {}, [f"/experiments/{small}/iterations"])
    finally:
        server.call("PUT", "/auth/me/preferences", {})


def _check_asked_once(tab: Dashboard, path: str, query: dict[str, str], asked: list[str]) -> None:
    counts: Counter[str] = Counter()

    def note(request: Request) -> None:
        counts[urlsplit(request.url).path] += 1

    tab.page.on("request", note)
    with tab.page.expect_response("**/auth/me/preferences"):
        tab.open(path, query)
    assert {each: counts[each] for each in [*asked, "/auth/me"]} == dict.fromkeys([*asked, "/auth/me"], 1)
