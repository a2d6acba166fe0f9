"""The filter of the table and its suggestions, and the charts that share it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.browser import Dashboard
from tests.support.grid import (
    names_of,
    open_table,
    query_of,
    write_filter,
)


def test_a_filter_suggests_and_finds(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small)
    field = tab.page.get_by_label("Filter")
    field.click()
    field.press_sequentially("metrics.lo")
    options = tab.page.get_by_role("option")
    expect(options.first).to_contain_text("metrics.loss")
    field.press("ArrowDown")
    field.press("Enter")
    expect(options.first).to_have_text("=")
    field.press_sequentially("< 3 and parameters.lr = ")
    expect(options.locator("visible=true")).to_have_text(["0.01", "0.1"])
    field.press_sequentially("0.1")
    field.press("Escape")
    field.press("Enter")
    expect(names_of(tab)).to_have_text(["cedar"])
    expect(tab.page.get_by_text("1 iteration", exact=True)).to_be_visible()
    assert "filter=metrics.loss < 3 and parameters.lr = 0.1".replace(" ", "+") in query_of(tab)
    write_filter(tab, 'name = "no such"')
    expect(tab.page.get_by_text("No iteration fits this filter")).to_be_visible()


def test_the_error_of_a_filter_stands_below_its_place(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small)
    write_filter(tab, "metrics.loss <")
    expect(tab.page.get_by_role("alert")).to_contain_text("Column 15: expected")
    field = tab.page.get_by_label("Filter")
    expect(field).to_have_attribute("aria-invalid", "true")
    write_filter(tab, 'tags = "a" tags = "b"')
    expect(tab.page.get_by_role("alert")).to_contain_text("Column 12")
    places = tab.page.evaluate("""() => {
        const field = document.querySelector(".query-input"), style = getComputedStyle(field);
        const mark = document.querySelector(".query-mark").getBoundingClientRect();
        const context = document.createElement("canvas").getContext("2d");
        context.font = `${style.fontSize} ${style.fontFamily}`;
        const start = field.getBoundingClientRect().left + parseFloat(style.paddingLeft) + 1;
        return [mark.left, start + context.measureText("x".repeat(11)).width];
    }""")
    assert abs(places[0] - places[1]) < 3
    # The rows of before stay, in grey, and an edit takes the error away.
    expect(names_of(tab)).to_have_count(4)
    expect(tab.page.get_by_role("alert")).to_contain_text("The filter is not applied")
    expect(tab.page.locator(".grid")).to_have_class(re.compile("is-stale"))
    tab.check_looks()
    field.fill('tags = "tree"')
    expect(tab.page.get_by_role("alert")).to_have_count(0)


def test_the_charts_are_those_of_the_table_and_a_breadcrumb_leads_back_to_it(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small, filter="metrics.loss < 4", sort="m:loss", columns="name,m:loss")
    top = names_of(tab).filter(has_text="cedar").get_by_role("button", name="Pin")
    top.click()
    tab.page.get_by_role("link", name="Charts").click()
    shown = tab.page.get_by_label("Iterations of the charts").get_by_role("listitem")
    expect(shown).to_have_text(["date", "cedar", "birch"])
    expect(shown.get_by_role("checkbox", checked=True)).to_have_count(3)
    tab.page.get_by_role("link", name="date").click()
    expect(tab.page.get_by_role("heading", name="date")).to_be_visible()
    tab.page.get_by_label("Breadcrumb").get_by_role("link", name="small").click()
    expect(tab.page.get_by_label("Filter")).to_have_value("metrics.loss < 4")
    expect(names_of(tab)).to_have_text(["cedar", "date", "birch"])
    # A selection comes before the first rows.
    tab.page.get_by_label("Select birch").check()
    tab.page.get_by_role("link", name="Charts").first.click()
    expect(shown.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(tab.page.get_by_label("Show birch")).to_be_checked()
    tab.page.get_by_role("button", name="Show all").click()
    expect(shown).to_have_text(["date", "cedar", "birch", "ash"])
    tab.page.get_by_role("link", name="ash").click()
    tab.page.reload()
    tab.page.get_by_label("Breadcrumb").get_by_role("link", name="small").click()
    expect(names_of(tab)).to_have_text(["cedar", "date", "birch", "ash"])
