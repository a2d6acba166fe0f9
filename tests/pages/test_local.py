"""The dashboard of `make run`: no sign-in, and this machine only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Open
from tests.support.api import made
from tests.support.server import ADMIN, Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto(DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN="127.0.0.1") as running:
        yield running


def test_everybody_on_this_machine_is_the_admin(new_tab: Open, server: Server, site: str) -> None:
    tab = new_tab(None).open()
    expect(tab.page.get_by_text(f"export DEARDIARY_URL={site}")).to_be_visible()
    expect(tab.page.get_by_text("deardiary login")).to_have_count(0)
    tab.page.get_by_role("button", name=ADMIN).click()
    expect(tab.page.get_by_text("This server needs no sign-in")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Sign out")).to_have_count(0)
    made(server.call("POST", "/projects", {"name": "Iris"}, token=None))
    tab.page.reload()
    tab.settle().follow("Iris")
    assert tab.page.context.cookies() == []


def test_the_pages_of_the_server_reach_its_api(new_tab: Open, site: str) -> None:
    tab = new_tab(None)
    tab.page.goto(f"{site}/docs")
    expect(tab.page.get_by_role("heading").first).to_be_visible()
    assert tab.page.evaluate("fetch('/projects').then(answer => answer.status)") == 200
    tab.page.goto("data:text/html,<h1>elsewhere</h1>")
    reached = tab.page.evaluate(f"fetch('{site}/projects').then(answer => answer.status, () => 'blocked')")
    assert reached == "blocked"
    tab.problems.clear()  # the browser has said why
