"""What the table of an experiment shows before its columns are chosen: the results, whole values, the best first."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.api import new_experiment, new_iteration
from tests.support.browser import PHONE, Dashboard
from tests.support.grid import box_of, cell_of, log_values, names_of, open_table, rows_of, use_column
from tests.support.server import Server

TAGS = ["gpu-a100", "augment"]
SWEEP = {
    "batch_size": "64",
    "dataset": "plantvillage-v1",
    "lr": "0.001",
    "model.depth": "34",
    "model.dropout": "0.1",
    "model.pretrained": "True",
    "optimizer": "adamw",
    "seed": "3",
}


@pytest.fixture(scope="module")
def sweep(server: Server, project: str) -> str:
    experiment = new_experiment(server, project, name="first look")
    for number, name in enumerate(["ash", "birch", "cedar"]):
        values = {"system/cpu_percent": 90.0, "val/accuracy": 0.9 + number / 100, "val/loss": 0.2 + number / 10}
        iteration = new_iteration(server, experiment, name=name, tags=TAGS)
        log_values(server, iteration, SWEEP | {"optimizer": ["adam", "adamw", "sgd"][number]}, values)
    return experiment


def test_the_results_are_on_the_screen_without_scrolling(dashboard: Dashboard, sweep: str) -> None:
    tab = open_table(dashboard, sweep)
    for key in ("val/accuracy", "val/loss"):
        box = box_of(cell_of(tab, "ash", f"m:{key}"))
        assert box["x"] + box["width"] <= 1280, key
    cells = rows_of(tab).first.locator("[data-column*=':']")
    ids = cells.evaluate_all("all => all.map(one => one.dataset.column)")
    assert ids.index("m:val/loss") < ids.index("m:system/cpu_percent") < ids.index("p:batch_size")


def test_no_value_of_a_sweep_is_cut(dashboard: Dashboard, sweep: str) -> None:
    tab = open_table(dashboard, sweep, columns=",".join(["name", "tags", *(f"p:{key}" for key in SWEEP)]))
    expect(cell_of(tab, "ash", "p:dataset")).to_have_text("plantvillage-v1")
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert tab.page.locator(".grid tbody :is(td, .tag)").evaluate_all(cut) == []


def test_the_first_click_on_a_metric_shows_its_best_value_first(dashboard: Dashboard, sweep: str) -> None:
    tab = open_table(dashboard, sweep)
    for key, best, order in (("val/loss", "ash", "ascending"), ("val/accuracy", "cedar", "descending")):
        header = tab.page.get_by_role("columnheader", name=key)
        header.get_by_role("button", name=key, exact=True).click()
        expect(header).to_have_attribute("aria-sort", order)
        expect(names_of(tab).first).to_contain_text(best)


def test_a_narrow_screen_shows_what_a_group_is(dashboard: Dashboard, sweep: str) -> None:
    tab = open_table(dashboard, sweep, columns="name,status,p:optimizer,m:val/loss")
    use_column(tab, "optimizer", "Group by it")
    expect(rows_of(tab).first).to_contain_text("optimizer = ")
    tab.show("light", PHONE)
    for group in rows_of(tab).locator(".grid-group").all():
        assert group.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_of_many_tags_some_are_whole_and_the_rest_is_counted(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="tags")
    new_iteration(server, experiment, name="ash", tags=["gpu-a100", "augment", "baseline", "paper"])
    tags = cell_of(open_table(dashboard, experiment), "ash", "tags")
    expect(tags).to_contain_text("+")
    assert tags.locator(".tag").evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")


def test_a_phone_shows_rows_below_few_tools(dashboard: Dashboard, sweep: str) -> None:
    dashboard.show("light", PHONE)
    tab = open_table(dashboard, sweep)
    assert box_of(tab.page.locator(".grid"))["y"] < 380
    expect(tab.page.get_by_label("Only what differs")).to_be_hidden()
    tab.page.get_by_role("button", name="Columns, views, CSV").click()
    expect(tab.page.get_by_label("Only what differs")).to_be_visible()
    tab.check_fits()


def test_two_lines_of_a_cell_have_room(dashboard: Dashboard, sweep: str) -> None:
    tab = open_table(dashboard, sweep, group="p:dataset", columns="name,m:val/loss")
    stats = rows_of(tab).first.locator(".grid-stats").first
    expect(stats).to_contain_text("±")
    cell, text = box_of(rows_of(tab).first.locator("td").last), box_of(stats)
    assert text["y"] - cell["y"] >= 2
    assert cell["y"] + cell["height"] - text["y"] - text["height"] >= 2
