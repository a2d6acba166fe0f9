"""A share: created at the page of its object, opened without a sign-in, showing nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Open
from tests.support.api import (
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
)
from tests.support.browser import Dashboard
from tests.support.server import ADMIN, Server

ENDED = "This link shows nothing any more"


@pytest.fixture(scope="module")
def pair(server: Server) -> list[str]:
    """Two iterations with a parameter, a tag and three points."""
    experiment = new_experiment(server, new_project(server, name="Iris"), name="sweep")
    return [_logged(server, experiment, name, lr) for name, lr in (("quiet-heron", "0.1"), ("loud-gull", "0.2"))]


def _logged(server: Server, experiment: str, name: str, lr: str) -> str:
    iteration = new_iteration(server, experiment, name=name, tags=["best"])
    metrics = [{"key": "loss", "value": float(lr) + step} for step in range(3)]
    body = {"batch_id": "1", "parameters": {"lr": lr}, "metrics": metrics}
    made(server.call("POST", f"/iterations/{iteration}/log", body))
    return iteration


def _experiment(server: Server, iteration: str) -> Any:
    above = found(server.call("GET", f"/iterations/{iteration}"))["experiment_id"]
    return found(server.call("GET", f"/experiments/{above}"))


def _link(server: Server, iteration: str, **body: Any) -> str:
    path = f"/projects/{_experiment(server, iteration)['project_id']}/shares"
    url: str = made(server.call("POST", path, body or {"iteration_ids": [iteration]}))["url"]
    return url.partition("#")[2]


def _open(tab: Dashboard, link: str) -> Dashboard:
    """Open a link, and note every request that the server refuses."""
    tab.page.on("response", lambda answer: tab.problems.append(answer.url) if answer.status >= 400 else None)
    tab.open(link)
    expect(tab.page.get_by_text("Shared, read-only, until")).to_be_visible()
    return tab.settle()


def test_a_link_is_created_opened_and_revoked(server: Server, new_tab: Open, pair: list[str]) -> None:
    tab = new_tab().open(f"/iterations/{pair[0]}")
    tab.page.get_by_role("button", name="Share", exact=True).click()
    dialog = tab.page.get_by_role("dialog", name="Share by a link")
    dialog.get_by_label("Ends after").select_option("7 days")
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.get_by_role("button", name="Copy link")).to_be_visible()
    link = dialog.get_by_label("Link", exact=True).input_value().partition("#")[2]
    tab.check_looks()

    reader = _open(new_tab(None), link)
    expect(reader.page.get_by_role("heading", name="quiet-heron", exact=True)).to_be_visible()
    day = re.compile(r"until \d+ \w+ \d{4}")
    expect(reader.page.get_by_text("Shared, read-only")).to_have_text(day)

    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_role("button", name="Revoke")).to_have_count(0)
    ended = new_tab(None)
    ended.open(link)
    expect(ended.page.get_by_text(ENDED)).to_be_visible()
    ended.check_looks()
    # A page that is open sees it at its next request.
    reader.page.get_by_role("link", name="Files").click()
    expect(reader.page.get_by_text(ENDED)).to_be_visible()
    reader.problems.clear()


def test_a_shared_iteration_shows_its_parts_and_nothing_around_it(
    server: Server, new_tab: Open, pair: list[str], tmp_path: Path
) -> None:
    experiment = _experiment(server, pair[0])["id"]
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    server.client().resources.upload(experiment, tmp_path / "table.csv", iteration_id=pair[0])
    tab = _open(new_tab(None), _link(server, pair[0]))
    page = tab.page
    parts = page.get_by_role("navigation", name="Parts of the iteration").get_by_role("link")
    expect(parts).to_have_text(["Overview", "Charts", "Media", "Files"])
    expect(page.get_by_role("rowheader", name="loss")).to_be_visible()
    expect(page.get_by_text("best")).to_be_visible()
    for name in ("Search all projects", "Menu", "Share", "Stop", "Sign out", "Delete"):
        expect(
            page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name, exact=True))
        ).to_have_count(0)
    tab.check_looks()
    tab.follow("Charts")
    expect(page.locator(".chart").first).to_be_visible()
    tab.follow("Files")
    page.get_by_role("link", name="table.csv").first.click()
    expect(page.get_by_role("cell", name="2", exact=True)).to_be_visible()
    # Loaded again, the tab shows the same.
    page.reload()
    expect(page.get_by_role("cell", name="2", exact=True)).to_be_visible()


def test_a_shared_comparison_has_its_curves_and_no_code(server: Server, new_tab: Open, pair: list[str]) -> None:
    tab = _open(new_tab(None), _link(server, pair[0], iteration_ids=pair))
    expect(tab.page.get_by_role("heading", name="Compare 2 iterations")).to_be_visible()
    expect(tab.page.get_by_role("rowheader", name="lr", exact=True)).to_be_visible()
    expect(tab.page.get_by_text("Reading the snapshots")).to_have_count(0)
    tab.check_looks()


def test_a_shared_experiment_leads_to_its_iterations_and_back(server: Server, new_tab: Open, pair: list[str]) -> None:
    experiment = _experiment(server, pair[0])
    tab = _open(new_tab(None), _link(server, pair[0], experiment_id=experiment["id"]))
    expect(tab.page.get_by_role("button", name="Views")).to_have_count(0)
    tab.check_looks()
    tab.follow("loud-gull")
    expect(tab.page.get_by_role("heading", name="loud-gull")).to_be_visible()
    tab.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="sweep").click()
    expect(tab.page.get_by_role("heading", name="sweep")).to_be_visible()
    tab.follow("Charts")
    expect(tab.page.get_by_role("heading", name="Charts of sweep")).to_be_visible()


def test_a_reader_with_a_session_sees_the_share_only(server: Server, new_tab: Open, pair: list[str]) -> None:
    tab = _open(new_tab(ADMIN), _link(server, pair[0]))
    expect(tab.page.get_by_role("heading", name="quiet-heron", exact=True)).to_be_visible()
    expect(tab.page.get_by_role("button", name="Stop")).to_have_count(0)


def test_other_pages_do_not_exist_in_a_share(server: Server, new_tab: Open, pair: list[str]) -> None:
    link = _link(server, pair[0])
    tab = _open(new_tab(None), link)
    tab.open(f"{link}/users")
    expect(tab.page.get_by_text("There is no page at this address")).to_be_visible()
    tab.page.get_by_role("link", name="Go to what is shared").click()
    expect(tab.page.get_by_role("heading", name="quiet-heron", exact=True)).to_be_visible()


def test_a_member_who_may_not_update_sees_no_button(server: Server, new_tab: Open, pair: list[str]) -> None:
    member = new_member(server, _experiment(server, pair[0])["project_id"], "read")
    tab = new_tab(member.username).open(f"/iterations/{pair[0]}")
    expect(tab.page.get_by_role("heading", name="quiet-heron", exact=True)).to_be_visible()
    expect(tab.page.get_by_role("button", name="Share", exact=True)).to_have_count(0)
