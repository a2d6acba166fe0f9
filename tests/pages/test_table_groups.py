"""Groups, differences from a baseline, and children below their parents."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.support.api import new_experiment, new_iteration
from tests.support.browser import Dashboard
from tests.support.grid import (
    in_pages_of,
    log_values,
    make_four,
    names_of,
    open_table,
    query_of,
    rows_of,
    use_column,
)
from tests.support.server import Server


def test_groups_have_their_mean_deviation_and_extremes(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small)
    use_column(tab, "lr", "Group by it")
    expect(names_of(tab)).to_have_text(["▸ lr = 0.01 2", "▸ lr = 0.1 2"])
    # 0.1 has the losses 4.5 and 2.5.
    expect(rows_of(tab).last).to_contain_text("3.5 ± 1.4")
    expect(rows_of(tab).last).to_contain_text("2.5 … 4.5")
    expect(rows_of(tab).last).to_contain_text("2 succeeded")
    tab.page.get_by_role("button", name="lr = 0.1").focus()
    tab.page.keyboard.press("Enter")
    expect(names_of(tab)).to_have_text(["▸ lr = 0.01 2", "▾ lr = 0.1 2", "cedar", "ash"])
    tab.page.get_by_label("Select the group lr = 0.01").check()
    expect(tab.page.get_by_text("2 iterations selected")).to_be_visible()
    assert "group=p:lr" in query_of(tab)
    tab.check_looks()
    tab.page.get_by_role("button", name="Do not group by lr").click()
    expect(names_of(tab)).to_have_text(["date", "cedar", "birch", "ash"])


def test_a_baseline_stands_first_and_others_say_how_far_they_are(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small)
    tab.page.get_by_label("Select birch").check()
    tab.page.get_by_role("button", name="Baseline").click()
    expect(names_of(tab)).to_have_text(["birch", "date", "cedar", "ash"])
    expect(rows_of(tab).nth(1)).to_contain_text("1.5\N{MINUS SIGN}2")
    expect(rows_of(tab).nth(3)).to_contain_text("4.5+1")
    tab.check_looks()
    tab.page.reload()
    expect(names_of(tab).first).to_have_text("birch")
    tab.page.get_by_role("button", name="No baseline").click()
    expect(names_of(tab).first).to_have_text("date")


def test_groups_differences_and_children_are_of_all_rows(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="paged")
    parent = new_iteration(server, experiment, name="parent")
    log_values(server, parent, {"lr": "0.1", "seed": "8"}, {"loss": 0.5})
    make_four(server, experiment)
    child = new_iteration(server, experiment, name="child", parent_iteration_id=parent)
    log_values(server, child, {"lr": "0.1", "seed": "7"}, {})
    tab = dashboard
    small_pages = in_pages_of(2)
    held: list[Route] = []
    tab.page.route(
        re.compile("format=columns"),
        lambda route: held.append(route) if "cursor=" in route.request.url and not held else small_pages(route),
    )
    tab.open(f"/experiments/{experiment}", {"group": "p:lr", "differs": "1"})
    expect(tab.page.get_by_text(re.compile("Groups and differences cover 2 (of 6 )?iterations so far"))).to_be_visible()
    expect(tab.page.get_by_role("columnheader", name="seed")).to_have_count(0)
    tab.check_looks()
    small_pages(held[0])
    expect(names_of(tab)).to_have_text(["▸ lr = 0.1 4", "▸ lr = 0.01 2"])
    expect(rows_of(tab).first).to_contain_text("0.5 … 4.5")
    expect(tab.page.get_by_role("columnheader", name="seed")).to_be_visible()
    expect(tab.page.get_by_text("so far")).to_have_count(0)
    expect(tab.page.get_by_text("6 iterations", exact=True)).to_be_visible()
    open_table(tab, experiment, tree="1")
    expect(names_of(tab)).to_have_text(["date", "cedar", "birch", "ash", "parent", "child"])


def test_children_stand_below_their_parents(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="tree")
    parent = new_iteration(server, experiment, name="parent")
    new_iteration(server, experiment, name="child", parent_iteration_id=parent)
    new_iteration(server, experiment, name="other")
    tab = open_table(dashboard, experiment)
    expect(names_of(tab)).to_have_text(["other", "child", "parent"])
    tab.page.get_by_label("Children below parents").check()
    expect(names_of(tab)).to_have_text(["other", "parent", "child"])
    edges = [tab.page.get_by_role("link", name=name).bounding_box() for name in ("parent", "child")]
    assert edges[0]
    assert edges[1]
    assert edges[1]["x"] > edges[0]["x"]
