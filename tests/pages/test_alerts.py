"""Alerts of an iteration, and the rules that make them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.pages.conftest import Open
from tests.pages.test_home import HOSTILE
from tests.support.api import end, found, made, new_experiment, new_iteration, new_member, new_project
from tests.support.browser import Dashboard
from tests.support.server import Server

NAN = {"name": "diverged", "condition": "metrics.loss is NaN", "level": "error"}


@pytest.fixture(scope="module")
def experiment(server: Server, project: str) -> str:
    return new_experiment(server, project, name="sweep")


def _alert(server: Server, iteration: str, **body: Any) -> None:
    made(server.call("POST", f"/iterations/{iteration}/alerts", body))


def _log(server: Server, iteration: str, batch: str, **metrics: float | str) -> None:
    values = {key: {"value": [value]} for key, value in metrics.items()}
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": batch, "metrics": values}))


def _rules(server: Server, path: str) -> Any:
    return found(server.call("GET", f"{path}/alert-rules"))["rules"]


def _alerts(tab: Dashboard) -> Locator:
    return tab.page.get_by_role("region", name="Alerts").get_by_role("listitem")


def _open_rules(tab: Dashboard) -> Locator:
    tab.page.get_by_role("button", name="Alert rules").click()
    dialog = tab.page.get_by_role("dialog", name="Alert rules")
    expect(dialog.get_by_role("button", name="Add a rule")).to_be_visible()
    return dialog


def _save(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()


def test_alerts_are_shown_the_newest_first(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project)
    found(server.call("PUT", f"/experiments/{experiment}/alert-rules", {"rules": [NAN]}))
    iteration = new_iteration(server, experiment)
    _alert(server, iteration, title="Begun", level="info")
    _alert(server, iteration, title=HOSTILE[0], text="Two\nlines")
    _alert(server, iteration, title="Long", text="W" * 3000)
    _log(server, iteration, "1", loss="NaN")
    end(server, iteration)
    dashboard.open(f"/iterations/{iteration}")
    alerts = _alerts(dashboard)
    expect(alerts).to_have_count(3)
    expect(alerts.nth(0)).to_contain_text(re.compile(r"diverged.*error, by a rule.*metrics.loss is NaN: nan"))
    expect(alerts.nth(1)).to_contain_text(re.compile("Long.*warning, by the program"))
    expect(alerts.nth(2)).to_contain_text(HOSTILE[0])
    dashboard.check_looks()
    dashboard.page.get_by_role("button", name="Show all 4 alerts").click()
    expect(alerts.nth(3)).to_contain_text(re.compile("Begun.*info, by the program"))


def test_alerts_of_a_running_iteration_come_with_its_news(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    iteration = new_iteration(server, experiment)
    _log(server, iteration, "1", loss=1)
    page = dashboard.page
    page.clock.install()
    dashboard.open(f"/iterations/{iteration}")
    expect(page.get_by_role("row", name="loss")).to_be_visible()
    expect(page.get_by_role("region", name="Alerts")).to_have_count(0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def poll() -> None:
        with page.expect_response(re.compile("/iterations/changes")):
            page.clock.run_for(5000)

    _alert(server, iteration, title="Careful")
    for batch in range(8):
        _log(server, iteration, f"news {batch}", loss=batch)
        poll()
    expect(_alerts(dashboard)).to_contain_text("Careful")
    # They have no poll of their own, and not each sign of life reads them.
    assert 1 <= sum("/alerts" in each for each in asked) < 8
    _alert(server, iteration, title="Too late")
    end(server, iteration)
    poll()
    expect(_alerts(dashboard).first).to_contain_text("Too late")


def test_rules_are_added_corrected_and_removed(new_tab: Open, server: Server, project: str, experiment: str) -> None:
    path = f"/experiments/{experiment}"
    tab = new_tab(new_member(server, project, "read", "update").username).open(path)
    dialog = _open_rules(tab)
    dialog.get_by_role("button", name="Add a rule").press("Enter")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill("exploding")
    dialog.get_by_label("Condition").fill("metrics.loss > 10")
    dialog.get_by_role("button", name="Add a rule").click()
    second = dialog.get_by_role("group", name="Rule 2")
    second.get_by_label("Name").fill("diverged")
    second.get_by_label("Condition").fill("metrics.loss is null")
    second.get_by_label("Level").select_option("error")
    dialog.get_by_role("button", name="Save").click()
    expect(second.get_by_label("Condition")).to_be_focused()
    expect(second.get_by_label("Condition")).to_have_accessible_description(re.compile("compares a metric"))
    expect(dialog.locator(".field-error")).to_have_count(1)
    assert _rules(server, path) == []
    tab.check_looks()
    second.get_by_label("Condition").fill(NAN["condition"])
    expect(dialog.locator(".field-error")).to_have_count(0)
    _save(dialog)
    assert _rules(server, path) == [{"name": "exploding", "condition": "metrics.loss > 10", "level": "warning"}, NAN]
    dialog = _open_rules(tab)
    dialog.get_by_role("button", name="Remove rule 1").click()
    expect(dialog.get_by_label("Name")).to_have_value("diverged")
    _save(dialog)
    assert _rules(server, path) == [NAN]


def test_rules_that_another_user_has_changed_meanwhile_stay(dashboard: Dashboard, server: Server) -> None:
    path = f"/projects/{new_project(server)}"
    dialog = _open_rules(dashboard.open(path))
    ten = [{**NAN, "name": f"rule {number}"} for number in range(10)]
    found(server.call("PUT", f"{path}/alert-rules", {"rules": ten}))
    dialog.get_by_role("button", name="Add a rule").click()
    dialog.get_by_label("Name").fill("mine")
    dialog.get_by_label("Condition").fill("metrics.loss > 10")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("have changed since you opened them")
    assert _rules(server, path) == ten
    dialog.get_by_role("button", name="Cancel").click()
    dialog = _open_rules(dashboard)
    add = dialog.get_by_role("button", name="Add a rule")
    expect(add).to_be_disabled()
    dialog.get_by_role("button", name="Remove rule 10").click()
    expect(add).to_be_enabled()
    _save(dialog)
    assert _rules(server, path) == ten[:9]


def test_a_reader_changes_no_rules(new_tab: Open, server: Server, project: str, experiment: str) -> None:
    tab = new_tab(new_member(server, project, "read").username)
    for path in (f"/projects/{project}", f"/experiments/{experiment}"):
        tab.open(path)
        expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
        expect(tab.page.get_by_role("button", name="Alert rules")).to_have_count(0)
