"""Scatter, parallel coordinates and the importance of parameters."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.support.api import made, new_experiment, new_iteration, new_project
from tests.support.browser import PHONE, Dashboard
from tests.support.server import Server

COUNT = 24
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def experiment(server: Server) -> str:
    """Iterations whose loss depends on lr alone, and one without a loss."""
    experiment = new_experiment(server, new_project(server, name="Digits"), name="sweep")
    for number in range(COUNT):
        parameters = {"lr": f"{10 ** -(number % 4):g}", "optimizer": ("adam", "sgd")[number % 3 == 0], HOSTILE: "1"}
        loss = [{"key": "loss", "value": number % 4 + number / 1000, "step": 0}]
        _log(server, new_iteration(server, experiment, name=f"run-{number}"), parameters, loss)
    _log(server, new_iteration(server, experiment, name="without"), {"lr": "0.1"}, [])
    return experiment


def _log(server: Server, iteration: str, parameters: dict[str, str], metrics: list[dict[str, object]]) -> None:
    body = {"batch_id": "b", "parameters": parameters, "metrics": metrics}
    made(server.call("POST", f"/iterations/{iteration}/log", body))


def _open(tab: Dashboard, experiment: str, view: str, **query: str) -> Dashboard:
    names = {f"chart-{name}": value for name, value in query.items()}
    return tab.open(f"/experiments/{experiment}/charts", {"chart-view": view, **names})


def test_a_scatter_has_any_values_on_its_axes_and_leads_to_an_iteration(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, "scatter")
    page = dashboard.page
    expect(page.get_by_label("Vertical axis")).to_have_value("metrics.loss")
    page.get_by_label("Horizontal axis").select_option("parameters.lr")
    page.get_by_label("Colour").select_option("parameters.optimizer")
    expect(page.locator(".relation svg circle")).to_have_count(COUNT)
    expect(page.get_by_text(f"{COUNT} of {COUNT + 1} iterations")).to_be_visible()
    plot = page.get_by_role("group", name=re.compile("^loss over lr"))
    plot.press("ArrowRight")
    said = page.locator(".relation [aria-live]")
    expect(said).to_have_text(re.compile(r"^run-\d+: lr 0.001, loss 3\.\d+, optimizer (adam|sgd)$"))
    dashboard.check_looks()
    plot.press("Enter")
    expect(page).to_have_url(re.compile("#/iterations/"))


def test_axes_have_a_tick_at_each_of_few_values(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server, new_project(server), name="sizes")
    for size in ("32", "64", "128", "256"):
        iteration = new_iteration(server, experiment)
        body = {"batch_id": "1", "parameters": {"batch_size": size}, "metrics": {"loss": {"value": [int(size)]}}}
        made(server.call("POST", f"/iterations/{iteration}/log", body))
    for view in ("scatter", "parallel"):
        dashboard.open(f"/experiments/{experiment}/charts", {"chart-view": view})
        expect(dashboard.page.locator(".relation svg text").get_by_text("128", exact=True)).to_be_visible()
    dashboard.show("light", PHONE)
    dashboard.open(f"/experiments/{experiment}/charts", {"chart-view": "scatter"})
    chosen = dashboard.page.get_by_label("Horizontal axis").locator("option:checked")
    expect(chosen).to_have_text("batch_size")


def test_brushes_choose_iterations_and_are_in_the_url(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, "parallel")
    page = dashboard.page
    expect(page.get_by_text(f"{COUNT + 1} of {COUNT + 1} iterations")).to_be_visible()
    brush = page.get_by_role("slider", name=re.compile("^Brush of lr"))
    box = brush.bounding_box()
    assert box
    x, top, height = box["x"] + box["width"] / 2, box["y"], box["height"]
    page.mouse.move(x, top + 0.55 * height)
    page.mouse.down()
    page.mouse.move(x, top + height, steps=4)
    page.mouse.up()
    expect(page.get_by_text(f"{COUNT // 2} of {COUNT + 1} iterations")).to_be_visible()
    assert "chart-brushes=parameters.lr:" in unquote(page.url)
    expect(brush).to_have_attribute("aria-valuetext", re.compile("^0.001 to "))
    page.reload()
    expect(page.get_by_text(f"{COUNT // 2} of {COUNT + 1} iterations")).to_be_visible()
    dashboard.check_looks()
    brush.press("Escape")
    expect(page.get_by_text(f"{COUNT + 1} of {COUNT + 1} iterations")).to_be_visible()
    for _ in range(4):
        brush.press("ArrowUp")
    expect(page.get_by_text(f"{3 * COUNT // 4 + 1} of {COUNT + 1} iterations")).to_be_visible()


def test_the_importance_names_its_method_and_finds_the_parameter_that_matters(
    dashboard: Dashboard, experiment: str
) -> None:
    _open(dashboard, experiment, "importance")
    rows = dashboard.page.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("lr")
    expect(rows.nth(1).get_by_role("cell").last).to_have_text(re.compile("0.9"))
    expect(dashboard.page.get_by_text("Permutation importance of a random forest")).to_contain_text("explains")
    dashboard.check_looks()


def test_too_few_iterations_are_said(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server, new_project(server))
    _open(dashboard, experiment, "importance")
    expect(dashboard.page.get_by_text("No metrics yet")).to_be_visible()
    point = [{"key": "loss", "value": 1, "step": 0}]
    _log(server, new_iteration(server, experiment, name="only"), {"lr": "1"}, point)
    dashboard.page.reload()
    expect(dashboard.page.get_by_text("Too little to compare")).to_be_visible()
    for view in ("scatter", "parallel"):
        _open(dashboard, experiment, view)
        expect(dashboard.page.get_by_text(re.compile("1( of 1)? iterations"))).to_be_visible()


@pytest.mark.parametrize("view", ["scatter", "parallel"])
def test_only_the_rows_that_are_selected_in_the_table_are_shown(
    dashboard: Dashboard, server: Server, experiment: str, view: str
) -> None:
    listed = server.client().iterations.list(experiment, filter="name in ('run-1', 'run-2', 'run-5')")
    selected = ",".join(each.id for each in listed)
    page = dashboard.page
    # The filter leaves one of them out; it is selected all the same, as in the table.
    query = {"chart-view": view, "selected": selected, "filter": "name != 'run-5'"}
    dashboard.open(f"/experiments/{experiment}/charts", query)
    drawn = page.locator(".relation circle:not(.ring), .parallel-lines path")
    expect(drawn).to_have_count(3)
    only = page.get_by_label("Only the 3 selected iterations")
    expect(only).to_be_checked()
    dashboard.check_looks()
    only.uncheck()
    expect(drawn.nth(4)).to_be_visible()
    only.check()
    expect(drawn).to_have_count(3)
