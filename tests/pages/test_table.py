"""The table of an experiment with many rows and columns: scrolling, order, keyboard, CSV, pinned rows."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.support.browser import PHONE, Dashboard
from tests.support.grid import (
    ROWS,
    in_pages_of,
    names_of,
    open_table,
    query_of,
    rows_of,
    write_filter,
)
from tests.support.server import Server


def test_a_thousand_rows_and_forty_columns_are_there_as_one_scrolls(dashboard: Dashboard, large: str) -> None:
    tab = open_table(dashboard, large)
    expect(names_of(tab).first).to_have_text(f"run {ROWS - 1}")
    expect(tab.page.get_by_text("1,000 iterations")).to_be_visible()
    assert rows_of(tab).count() < 60
    assert tab.page.locator(".grid thead th").count() < 30
    expect(tab.page.get_by_role("columnheader", name="p19")).to_have_count(0)
    tab.page.locator(".grid").evaluate("each => each.scrollTo(each.scrollWidth, each.scrollHeight)")
    expect(names_of(tab).last).to_have_text("run 0")
    expect(tab.page.get_by_role("columnheader", name="p19")).to_be_visible()
    # The first column in sight says what those behind it are.
    caption = tab.page.locator(".grid-caption").locator("visible=true").first
    expect(caption).to_have_text("labels")
    expect(caption).to_be_in_viewport()
    # The name stays in sight.
    box = names_of(tab).last.bounding_box()
    assert box
    assert 0 <= box["x"] < 100
    expect(tab.page.get_by_role("row", name="run 7 ").first).to_have_attribute("aria-rowindex", str(ROWS - 7 + 1))


def test_a_header_sorts_at_the_server_and_the_url_keeps_it(dashboard: Dashboard, large: str) -> None:
    tab = open_table(dashboard, large, columns="name,m:m00,l:p00")
    header = tab.page.get_by_role("columnheader", name="m00")
    header.get_by_role("button", name="m00", exact=True).click()
    # The greatest value of a metric first.
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(names_of(tab).first).to_have_text(f"run {ROWS - 1}")
    assert "sort=-m:m00" in query_of(tab)
    header.get_by_role("button", name="m00", exact=True).click()
    expect(names_of(tab).first).to_have_text("run 0")
    tab.page.reload()
    expect(header).to_have_attribute("aria-sort", "ascending")


def test_the_csv_has_the_shown_columns_of_all_rows(dashboard: Dashboard, large: str) -> None:
    tab = open_table(dashboard, large, columns="name,m:m01", sort="m:m00")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "id,Name,m01"
    assert len(lines) == ROWS + 1
    assert lines[2].endswith(",run 1,0.5")


def test_the_keyboard_alone_moves_selects_and_opens(dashboard: Dashboard, large: str) -> None:
    tab = open_table(dashboard, large, columns="name,m:m00")
    first = tab.page.get_by_label(f"Select run {ROWS - 1}")
    tab.page.get_by_label("Filter").focus()
    for _ in range(20):
        tab.page.keyboard.press("Tab")
        if first.evaluate("each => each === document.activeElement"):
            break
    expect(first).to_be_focused()
    tab.page.keyboard.press("Space")
    tab.page.keyboard.press("Shift+ArrowDown")
    tab.page.keyboard.press("Shift+ArrowDown")
    expect(tab.page.get_by_text("3 iterations selected")).to_be_visible()
    tab.page.keyboard.press("Control+End")
    expect(tab.page.get_by_label("Select run 0", exact=True)).to_be_focused()
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("ArrowUp")
    expect(tab.page.get_by_role("link", name="run 1", exact=True)).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.page).to_have_url(re.compile("#/iterations/"))


def test_the_table_looks_well(dashboard: Dashboard, large: str) -> None:
    tab = open_table(dashboard, large, selected="")
    tab.page.get_by_label(f"Select run {ROWS - 2}").check()
    tab.check_looks()
    tab.show("dark", PHONE)
    tab.check_fits()
    expect(names_of(tab).first).to_be_in_viewport()
    box = names_of(tab).first.bounding_box()
    assert box
    assert box["width"] <= 160


def test_pinned_rows_and_the_baseline_stay_in_sight(dashboard: Dashboard, server: Server, large: str) -> None:
    [oldest] = server.call("GET", f"/experiments/{large}/iterations?order_by=created_date&limit=1").body["data"]
    # The first page does not have the baseline.
    dashboard.page.route(re.compile("format=columns"), in_pages_of(500))
    tab = open_table(dashboard, large, columns="name,m:m00", baseline=oldest["id"])
    expect(names_of(tab).first).to_have_text("run 0")
    rows_of(tab).nth(2).hover()
    rows_of(tab).nth(2).get_by_role("button", name="Pin").click()
    expect(names_of(tab).nth(1)).to_have_text(f"run {ROWS - 2}")
    tab.page.locator(".grid").evaluate("each => each.scrollTo(0, 40 * 36)")
    expect(names_of(tab).nth(2)).not_to_have_text(f"run {ROWS - 1}")
    places = [".grid thead th", ".grid tbody tr:nth-child(1) th", ".grid tbody tr:nth-child(2) th"]
    edges = tab.page.evaluate(
        """places => places.map(each => document.querySelector(each).getBoundingClientRect())
            .flatMap(each => [each.top, each.bottom])""",
        places,
    )
    assert edges[1] == edges[2]
    assert edges[3] == edges[4]
    expect(rows_of(tab).last).to_contain_text("+")
    tab.page.reload()
    expect(names_of(tab)).to_contain_text(["run 0", f"run {ROWS - 2}", f"run {ROWS - 1}"])
    write_filter(tab, 'name = "run 17"')
    expect(names_of(tab)).to_have_text(["run 0", f"run {ROWS - 2}", "run 17"])
    assert tab.page.locator(".grid").evaluate("each => each.scrollTop") == 0
    expect(rows_of(tab).last).to_contain_text("17+17")
    expect(tab.page.get_by_text("1 iteration", exact=True)).to_be_visible()
    rows_of(tab).nth(1).hover()
    rows_of(tab).nth(1).get_by_role("button", name="Pin").click()
    expect(names_of(tab)).to_have_text(["run 0", "run 17"])


def test_a_pinned_row_that_could_not_be_read_comes_with_the_next_poll(
    dashboard: Dashboard, server: Server, large: str
) -> None:
    [oldest] = server.call("GET", f"/experiments/{large}/iterations?order_by=created_date&limit=1").body["data"]
    dashboard.page.route(re.compile("filter=id"), lambda route: route.fulfill(status=500, body="{}"), times=1)
    with dashboard.page.expect_response(lambda answer: "filter=id" in answer.url and answer.status == 500):
        tab = open_table(dashboard, large, columns="name,m:m00", top=oldest["id"], filter='name = "run 17"')
    expect(names_of(tab)).to_have_text(["run 0", "run 17"])


def test_the_first_rows_wait_neither_for_the_rest_nor_for_their_experiment(dashboard: Dashboard, large: str) -> None:
    page = dashboard.page
    held: list[Route] = []
    page.route(re.compile(rf"/auth/me\?|/experiments/{large}$|limit=1000"), lambda route: held.append(route))
    dashboard.open(f"/experiments/{large}")
    expect(names_of(dashboard).first).to_have_text(f"run {ROWS - 1}")
    grid, heading = page.locator(".grid"), page.get_by_role("heading", name="large")
    expect(grid).to_have_attribute("aria-busy", "true")
    expect(heading).to_have_count(0)
    # A file of all rows waits for those that are being read.
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
        for route in held:
            route.continue_()
    assert len(Path(download.value.path()).read_text().splitlines()) == ROWS + 1
    expect(heading).to_be_visible()
    expect(grid).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("button", name="Delete experiment")).to_be_visible()
