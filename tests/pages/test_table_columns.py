"""The columns of the table: chosen, ordered, pinned, kept in views, and read whole."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.pages.conftest import Open
from tests.support.api import end, new_experiment, new_iteration, new_member
from tests.support.browser import Dashboard
from tests.support.grid import (
    box_of,
    cell_of,
    log_values,
    make_four,
    names_of,
    open_table,
    query_of,
    rows_of,
    use_column,
)
from tests.support.server import Server


def test_only_what_differs(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small)
    expect(tab.page.get_by_role("columnheader", name="seed")).to_be_visible()
    tab.page.get_by_label("Only what differs").check()
    expect(tab.page.get_by_role("columnheader", name="seed")).to_have_count(0)
    expect(tab.page.get_by_role("columnheader", name="lr")).to_be_visible()
    assert "differs=1" in query_of(tab)


def test_columns_are_chosen_ordered_pinned_and_kept(new_tab: Open, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="columns")
    make_four(server, experiment)
    tab = open_table(new_tab(), experiment)
    tab.page.get_by_role("button", name="Columns", exact=True).click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Search").fill("see")
    dialog.get_by_label("seed").uncheck()
    dialog.get_by_role("button", name="Done").click()
    headers = tab.page.locator(".grid thead .grid-sort")
    expect(headers.filter(has_text="seed")).to_have_count(0)
    use_column(tab, "loss", "Add its minimum")
    use_column(tab, "loss", "Pin at the left")
    with tab.page.expect_request(lambda request: request.method == "PUT" and "preferences" in request.url):
        use_column(tab, "Status", "Hide")
    wanted = ["Name", "loss", "Created", "Duration", "Tags", "loss min", "lr", "Notes", "Author"]
    expect(headers).to_have_text(wanted)
    width = tab.page.get_by_role("columnheader", name="Name").bounding_box()
    use_column(tab, "Name", "Wider")
    wider = tab.page.get_by_role("columnheader", name="Name").bounding_box()
    assert width
    assert wider
    assert wider["width"] == width["width"] + 30
    again = open_table(new_tab(), experiment)
    expect(again.page.locator(".grid thead .grid-sort")).to_have_text(wanted)


def test_no_cell_is_blank_where_the_columns_do_not_fit_one_request(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment, keys = new_experiment(server, project), [f"layer_{number:03}/weights/norm" for number in range(330)]
    for name, value in (("first", 1.0), ("second", 2.0)):
        log_values(server, new_iteration(server, experiment, name=name), {}, dict.fromkeys(keys, value))
    # As for old iterations: of new ones the feed brings all values.
    quiet = {"data": [], "gone": [], "reset": False, "next_since": "x", "poll_after_seconds": 30}
    dashboard.page.route("**/iterations/changes?*", lambda route: route.fulfill(json=quiet))
    open_table(dashboard, experiment)
    dashboard.page.get_by_role("button", name="Columns").click()
    dialog = dashboard.page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("button", name="Show these").click()
    dialog.get_by_role("button", name="Done").click()
    dashboard.page.locator(".grid").evaluate("grid => { grid.scrollLeft = 1e6 }")
    expect(cell_of(dashboard, "first", f"m:{keys[-1]}")).to_have_text("1")
    expect(cell_of(dashboard, "second", f"m:{keys[-1]}")).to_have_text("2")
    dashboard.page.locator(".grid").evaluate("grid => { grid.scrollLeft = 0 }")
    expect(cell_of(dashboard, "second", f"m:{keys[0]}")).to_have_text("2")


def test_no_number_and_no_tag_is_cut(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="digits")
    tags = ["sweep", "a tag that is longer than its column"]
    for number, name in enumerate(["ash", "birch", "cedar"]):
        iteration = new_iteration(server, experiment, name=name, tags=tags)
        log_values(server, iteration, {"n": f"12345678901{number}", "kind": "x"}, {"loss": 0.98123 + number / 1e4})
        end(server, iteration, status_id=3 if number else 2)
    running = new_iteration(server, experiment, name="now")
    log_values(server, running, {"n": "1", "kind": "x"}, {"loss": 0.5})
    tab = open_table(dashboard, experiment)
    expect(cell_of(tab, "ash", "p:n")).to_have_text("1.2346e11")
    expect(cell_of(tab, "ash", "p:n").get_by_title("123456789010")).to_be_visible()
    use_column(tab, "loss", "Narrower")
    tab.page.keyboard.press("Escape")
    expect(cell_of(tab, "birch", "m:loss")).to_have_text("0.9813")
    second = box_of(cell_of(tab, "ash", "tags").get_by_text("a tag that"))
    assert second["width"] >= 40
    cell = box_of(cell_of(tab, "ash", "tags"))
    assert second["x"] + second["width"] <= cell["x"] + cell["width"]
    # The descender of "running" has its room above the line below.
    status = cell_of(tab, "now", "status").locator(".grid-stats > *").first
    assert status.evaluate("each => each.scrollHeight <= each.clientHeight")
    use_column(tab, "kind", "Group by it")
    group = rows_of(tab).first
    expect(group).to_contain_text("2 failed, 1 running, 1 succeeded")
    cut = "each => [...each.querySelectorAll('td, td span')].filter(one => one.scrollWidth > one.clientWidth + 1)"
    assert group.evaluate(f"{cut}.map(one => one.textContent)") == []


def test_a_saved_view_brings_filter_order_and_columns_back(new_tab: Open, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="views")
    make_four(server, experiment)
    tab = open_table(new_tab(), experiment, filter="metrics.loss < 4", sort="m:loss", columns="name,m:loss")
    tab.page.get_by_role("button", name="Views").click()
    tab.page.get_by_label("Save the present view as").fill("good ones")
    tab.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("button", name="good ones", exact=True)).to_be_visible()
    other = open_table(new_tab(new_member(server, project, "read").username), experiment, group="p:lr")
    other.page.get_by_role("button", name="Views").click()
    expect(other.page.get_by_label("Save the present view as")).to_have_count(0)
    expect(other.page.get_by_label("Delete the view good ones")).to_have_count(0)
    other.page.get_by_role("button", name="good ones", exact=True).click()
    expect(names_of(other)).to_have_text(["date", "cedar", "birch"])
    expect(other.page.locator(".grid thead .grid-sort")).to_have_text(["Name", "loss"])
    tab.check_looks()
    tab.page.get_by_label("Delete the view good ones").click()
    expect(tab.page.get_by_text("None yet.")).to_be_visible()


def test_each_dialog_of_the_table_has_a_button_that_closes_it(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small, selected="x")
    for opener in ("Tag", "Label", "Delete", "Views"):
        tab.page.get_by_role("button", name=opener, exact=True).click()
        tab.page.get_by_role("dialog").get_by_role("button", name=re.compile("Cancel|Close")).click()
        expect(tab.page.get_by_role("dialog")).to_have_count(0)
