"""The table of an experiment: many rows and columns, filter, order, selection, live rows, the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import FloatRect, Locator, Route, expect

from chalicelib import ids
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.points.summary import pack_summaries, unpack_summaries
from chalicelib.storage.series import SeriesRow
from chalicelib.storage.table import item, keys
from tests.pages.conftest import Open
from tests.support.api import end, made, new_experiment, new_iteration, new_member, new_project
from tests.support.browser import PHONE, WIDE, Dashboard
from tests.support.server import Server

ROWS = 1000
KEYS = 20


@pytest.fixture(scope="module")
def large(server: Server) -> str:
    """An experiment with 1,000 iterations and 40 columns."""
    experiment = new_experiment(server, new_project(server, name="Digits"), name="large")
    first = new_iteration(server, experiment, name="run 0", labels={f"p{key:02}": "0" for key in range(KEYS)})
    _log(server, first, {}, {f"m{key:02}": 0.0 for key in range(KEYS)})
    end(server, first)
    _copy(experiment, first, ROWS - 1)
    return experiment


def _copy(experiment: str, source: str, rows: int) -> None:
    """Write the rows of further iterations, each with other labels and metrics: faster than a thousand requests."""
    iteration = item.find(IterationRow, keys.iteration(experiment, source))
    series = item.find(SeriesRow, keys.series(experiment, source))
    assert iteration
    assert series
    summaries, created = unpack_summaries(series.summaries), iteration.created_date
    with IterationRow.batch_write() as batch:
        for number in range(1, rows + 1):
            iteration.id = ids.new_id()
            iteration.name = f"run {number}"
            iteration.created_date = iteration.end_date = created + timedelta(milliseconds=number)
            iteration.labels = {f"p{key:02}": str(number % (key + 2)) for key in range(KEYS)}
            values = {f"m{key:02}": number / (key + 1) for key in range(KEYS)}
            shown = {key: summaries[key]._replace(last=value, min=value, max=value) for key, value in values.items()}
            series.summaries = pack_summaries(shown)
            iteration.sk = keys.iteration(experiment, iteration.id).sk
            series.sk = keys.series(experiment, iteration.id).sk
            batch.save(deepcopy(iteration))
            batch.save(deepcopy(series))


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server, name="Iris")


@pytest.fixture(scope="module")
def small(server: Server, project: str) -> str:
    """Four ended iterations: two learning rates, one seed, falling losses."""
    experiment = new_experiment(server, project, name="small")
    _four(server, experiment)
    return experiment


def _four(server: Server, experiment: str) -> None:
    for number, name in enumerate(["ash", "birch", "cedar", "date"]):
        iteration = new_iteration(server, experiment, name=name, tags=["tree"])
        _log(server, iteration, {"lr": str([0.1, 0.01][number % 2]), "seed": "7"}, {"loss": 4.5 - number})
        end(server, iteration)


def _log(server: Server, iteration: str, parameters: dict[str, str], metrics: dict[str, float]) -> None:
    columns = {key: {"step": [0], "value": [value]} for key, value in metrics.items()}
    body = {"batch_id": "1", "parameters": parameters, "metrics": columns}
    made(server.call("POST", f"/iterations/{iteration}/log", body))


def _open(tab: Dashboard, experiment: str, **query: str) -> Dashboard:
    tab.open(f"/experiments/{experiment}", query)
    expect(_rows(tab).first).to_be_visible()
    return tab


def _rows(tab: Dashboard) -> Locator:
    return tab.page.locator(".grid tbody tr[data-line]")


def _names(tab: Dashboard) -> Locator:
    return tab.page.locator(".grid tbody th")


def _filter(tab: Dashboard, text: str) -> None:
    tab.page.get_by_label("Filter").fill(text)
    tab.page.get_by_label("Filter").press("Enter")


def _query(tab: Dashboard) -> str:
    return unquote(tab.page.url.partition("?")[2])


def _column(tab: Dashboard, name: str, act: str) -> None:
    tab.page.get_by_role("columnheader").filter(has=tab.page.get_by_label(f"Column {name}", exact=True)).hover()
    tab.page.get_by_label(f"Column {name}", exact=True).click()
    tab.page.get_by_role("button", name=act).locator("visible=true").click()


def test_a_thousand_rows_and_forty_columns_are_there_as_one_scrolls(dashboard: Dashboard, large: str) -> None:
    tab = _open(dashboard, large)
    expect(_names(tab).first).to_have_text(f"run {ROWS - 1}")
    expect(tab.page.get_by_text("1,000 iterations")).to_be_visible()
    assert _rows(tab).count() < 60
    assert tab.page.locator(".grid thead th").count() < 30
    expect(tab.page.get_by_role("columnheader", name="p19")).to_have_count(0)
    tab.page.locator(".grid").evaluate("each => each.scrollTo(each.scrollWidth, each.scrollHeight)")
    expect(_names(tab).last).to_have_text("run 0")
    expect(tab.page.get_by_role("columnheader", name="p19")).to_be_visible()
    # The first column in sight says what those behind it are.
    caption = tab.page.locator(".grid-caption").locator("visible=true").first
    expect(caption).to_have_text("labels")
    expect(caption).to_be_in_viewport()
    # The name stays in sight.
    box = _names(tab).last.bounding_box()
    assert box
    assert 0 <= box["x"] < 100
    expect(tab.page.get_by_role("row", name="run 7 ").first).to_have_attribute("aria-rowindex", str(ROWS - 7 + 1))


def test_a_header_sorts_at_the_server_and_the_url_keeps_it(dashboard: Dashboard, large: str) -> None:
    tab = _open(dashboard, large, columns="name,m:m00,l:p00")
    header = tab.page.get_by_role("columnheader", name="m00")
    header.get_by_role("button", name="m00", exact=True).click()
    # The greatest value of a metric first.
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(_names(tab).first).to_have_text(f"run {ROWS - 1}")
    assert "sort=-m:m00" in _query(tab)
    header.get_by_role("button", name="m00", exact=True).click()
    expect(_names(tab).first).to_have_text("run 0")
    tab.page.reload()
    expect(header).to_have_attribute("aria-sort", "ascending")


def test_a_filter_suggests_and_finds(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small)
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
    expect(_names(tab)).to_have_text(["cedar"])
    expect(tab.page.get_by_text("1 iteration", exact=True)).to_be_visible()
    assert "filter=metrics.loss < 3 and parameters.lr = 0.1".replace(" ", "+") in _query(tab)
    _filter(tab, 'name = "no such"')
    expect(tab.page.get_by_text("No iteration fits this filter")).to_be_visible()


def test_the_error_of_a_filter_stands_below_its_place(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small)
    _filter(tab, "metrics.loss <")
    expect(tab.page.get_by_role("alert")).to_contain_text("Column 15: expected")
    field = tab.page.get_by_label("Filter")
    expect(field).to_have_attribute("aria-invalid", "true")
    _filter(tab, 'tags = "a" tags = "b"')
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
    expect(_names(tab)).to_have_count(4)
    expect(tab.page.get_by_role("alert")).to_contain_text("The filter is not applied")
    expect(tab.page.locator(".grid")).to_have_class(re.compile("is-stale"))
    tab.check_looks()
    field.fill('tags = "tree"')
    expect(tab.page.get_by_role("alert")).to_have_count(0)


def test_only_what_differs(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small)
    expect(tab.page.get_by_role("columnheader", name="seed")).to_be_visible()
    tab.page.get_by_label("Only what differs").check()
    expect(tab.page.get_by_role("columnheader", name="seed")).to_have_count(0)
    expect(tab.page.get_by_role("columnheader", name="lr")).to_be_visible()
    assert "differs=1" in _query(tab)


def test_columns_are_chosen_ordered_pinned_and_kept(new_tab: Open, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="columns")
    _four(server, experiment)
    tab = _open(new_tab(), experiment)
    tab.page.get_by_role("button", name="Columns", exact=True).click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Search").fill("see")
    dialog.get_by_label("seed").uncheck()
    dialog.get_by_role("button", name="Done").click()
    headers = tab.page.locator(".grid thead .grid-sort")
    expect(headers.filter(has_text="seed")).to_have_count(0)
    _column(tab, "loss", "Add its minimum")
    _column(tab, "loss", "Pin at the left")
    with tab.page.expect_request(lambda request: request.method == "PUT" and "preferences" in request.url):
        _column(tab, "Status", "Hide")
    wanted = ["Name", "loss", "Created", "Duration", "Tags", "lr", "loss min", "Notes", "Author"]
    expect(headers).to_have_text(wanted)
    width = tab.page.get_by_role("columnheader", name="Name").bounding_box()
    _column(tab, "Name", "Wider")
    wider = tab.page.get_by_role("columnheader", name="Name").bounding_box()
    assert width
    assert wider
    assert wider["width"] == width["width"] + 30
    again = _open(new_tab(), experiment)
    expect(again.page.locator(".grid thead .grid-sort")).to_have_text(wanted)


def test_no_cell_is_blank_where_the_columns_do_not_fit_one_request(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment, keys = new_experiment(server, project), [f"layer_{number:03}/weights/norm" for number in range(330)]
    for name, value in (("first", 1.0), ("second", 2.0)):
        _log(server, new_iteration(server, experiment, name=name), {}, dict.fromkeys(keys, value))
    # As for old iterations: of new ones the feed brings all values.
    quiet = {"data": [], "gone": [], "reset": False, "next_since": "x", "poll_after_seconds": 30}
    dashboard.page.route("**/iterations/changes?*", lambda route: route.fulfill(json=quiet))
    _open(dashboard, experiment)
    dashboard.page.get_by_role("button", name="Columns").click()
    dialog = dashboard.page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("button", name="Show these").click()
    dialog.get_by_role("button", name="Done").click()
    dashboard.page.locator(".grid").evaluate("grid => { grid.scrollLeft = 1e6 }")
    expect(_cell(dashboard, "first", f"m:{keys[-1]}")).to_have_text("1")
    expect(_cell(dashboard, "second", f"m:{keys[-1]}")).to_have_text("2")
    dashboard.page.locator(".grid").evaluate("grid => { grid.scrollLeft = 0 }")
    expect(_cell(dashboard, "second", f"m:{keys[0]}")).to_have_text("2")


def test_selected_rows_are_tagged_labelled_compared_and_deleted(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="bulk")
    _four(server, experiment)
    tab = _open(dashboard, experiment)
    tab.page.get_by_label("Select date").check()
    tab.page.get_by_label("Select birch").click(modifiers=["Shift"])
    expect(tab.page.get_by_text("3 iterations selected")).to_be_visible()
    tab.page.get_by_role("button", name="Tag", exact=True).click()
    tab.page.get_by_label("Add (separated by commas)").fill("good, best")
    tab.page.get_by_label("Remove").fill("tree")
    tab.page.get_by_role("button", name="Change tags").click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.page.get_by_role("row", name="Select cedar")).to_contain_text("goodbest")
    tab.page.get_by_role("button", name="Label", exact=True).click()
    tab.page.get_by_label("Key").fill("team")
    tab.page.get_by_label("Value").fill("nlp")
    tab.page.get_by_role("button", name="Set label").click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    stored = server.call("GET", f"/experiments/{experiment}/iterations?include=tags").body["data"]
    assert [(each["name"], sorted(each["tags"]), each["labels"]) for each in stored] == [
        ("ash", ["tree"], {}),
        *[(name, ["best", "good"], {"team": "nlp"}) for name in ("birch", "cedar", "date")],
    ]
    compare = tab.page.get_by_role("link", name="Compare").get_attribute("href") or ""
    assert compare.startswith("#/compare?iterations=")
    assert unquote(compare).count(",") == 2
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(_names(tab)).to_have_text(["ash"])
    expect(tab.page.get_by_text("selected")).to_have_count(0)
    assert len(server.call("GET", f"/experiments/{experiment}/iterations").body["data"]) == 1


def test_a_member_who_may_only_read_changes_nothing(new_tab: Open, server: Server, project: str, small: str) -> None:
    tab = _open(new_tab(new_member(server, project, "read").username), small)
    tab.page.get_by_label("Select ash").check()
    expect(tab.page.get_by_role("region", name="Selected").get_by_role("link", name="Charts")).to_be_visible()
    for name in ("Tag", "Label", "Delete"):
        expect(tab.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    notes = _cell(tab, "ash", "notes")
    notes.dblclick()
    notes.press("Enter")
    notes.press("F2")
    expect(tab.page.locator(".cell-editor")).to_have_count(0)


def test_the_csv_has_the_shown_columns_of_all_rows(dashboard: Dashboard, large: str) -> None:
    tab = _open(dashboard, large, columns="name,m:m01", sort="m:m00")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "id,Name,m01"
    assert len(lines) == ROWS + 1
    assert lines[2].endswith(",run 1,0.5")


def test_rows_are_live(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="live")
    iteration = new_iteration(server, experiment, name="training")
    _log(server, iteration, {"lr": "1"}, {"loss": 2.5})
    tab = dashboard
    tab.page.clock.install()
    with tab.page.expect_response(re.compile("/iterations/changes")):
        _open(tab, experiment)
    expect(_rows(tab).first).to_contain_text("2.5")
    listed: list[str] = []
    tab.page.on("request", lambda request: listed.append(request.url) if "format=columns" in request.url else None)
    made(server.call("POST", f"/iterations/{iteration}/metrics", {"key": "loss", "value": 1.25, "step": 1}))
    new_iteration(server, experiment, name="just started")
    _poll(tab)
    expect(_names(tab)).to_have_text(["just started", "training"])
    expect(_rows(tab).last).to_contain_text("1.25")
    end(server, iteration)
    _poll(tab)
    expect(_rows(tab).last).to_contain_text("succeeded")
    assert listed == []
    server.call("DELETE", f"/iterations/{iteration}")
    _poll(tab)
    expect(_names(tab)).to_have_text(["just started"])


def _poll(tab: Dashboard) -> int:
    with tab.page.expect_response(re.compile("/iterations/changes")) as response:
        tab.page.clock.run_for(31_000)
    return response.value.status


def test_a_table_where_nothing_happens_is_answered_with_304(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="quiet")
    new_iteration(server, experiment)
    dashboard.page.clock.install()
    with dashboard.page.expect_response(re.compile("/iterations/changes")):
        _open(dashboard, experiment)
    # What was written in the last seconds comes again.
    assert 304 in [_poll(dashboard) for _ in range(4)]


def test_a_new_iteration_is_counted_where_a_filter_may_leave_it_out(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="counted")
    _four(server, experiment)
    dashboard.page.clock.install()
    with dashboard.page.expect_response(re.compile("/iterations/changes")):
        _open(dashboard, experiment, filter='name != "ash"')
    new_iteration(server, experiment, name="elm")
    dashboard.page.clock.run_for(31_000)
    dashboard.page.get_by_role("button", name="1 new, read again").click()
    expect(_names(dashboard)).to_have_text(["elm", "date", "cedar", "birch"])


def test_the_keyboard_alone_moves_selects_and_opens(dashboard: Dashboard, large: str) -> None:
    tab = _open(dashboard, large, columns="name,m:m00")
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
    tab = _open(dashboard, large, selected="")
    tab.page.get_by_label(f"Select run {ROWS - 2}").check()
    tab.check_looks()
    tab.show("dark", PHONE)
    tab.check_fits()
    expect(_names(tab).first).to_be_in_viewport()
    box = _names(tab).first.bounding_box()
    assert box
    assert box["width"] <= 160


def test_groups_have_their_mean_deviation_and_extremes(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small)
    _column(tab, "lr", "Group by it")
    expect(_names(tab)).to_have_text(["▸ lr = 0.01 2", "▸ lr = 0.1 2"])
    # 0.1 has the losses 4.5 and 2.5.
    expect(_rows(tab).last).to_contain_text("3.5 ± 1.4")
    expect(_rows(tab).last).to_contain_text("2.5 … 4.5")
    expect(_rows(tab).last).to_contain_text("2 succeeded")
    tab.page.get_by_role("button", name="lr = 0.1").focus()
    tab.page.keyboard.press("Enter")
    expect(_names(tab)).to_have_text(["▸ lr = 0.01 2", "▾ lr = 0.1 2", "cedar", "ash"])
    tab.page.get_by_label("Select the group lr = 0.01").check()
    expect(tab.page.get_by_text("2 iterations selected")).to_be_visible()
    assert "group=p:lr" in _query(tab)
    tab.check_looks()
    tab.page.get_by_role("button", name="Do not group by lr").click()
    expect(_names(tab)).to_have_text(["date", "cedar", "birch", "ash"])


def test_a_baseline_stands_first_and_others_say_how_far_they_are(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small)
    tab.page.get_by_label("Select birch").check()
    tab.page.get_by_role("button", name="Baseline").click()
    expect(_names(tab)).to_have_text(["birch", "date", "cedar", "ash"])
    expect(_rows(tab).nth(1)).to_contain_text("1.5\N{MINUS SIGN}2")
    expect(_rows(tab).nth(3)).to_contain_text("4.5+1")
    tab.check_looks()
    tab.page.reload()
    expect(_names(tab).first).to_have_text("birch")
    tab.page.get_by_role("button", name="No baseline").click()
    expect(_names(tab).first).to_have_text("date")


def _cell(tab: Dashboard, name: str, column: str) -> Locator:
    return tab.page.get_by_role("row", name=f"Select {name} ").locator(f'[data-column="{column}"]')


def test_a_name_notes_and_tags_are_changed_in_their_cells(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="edited")
    _four(server, experiment)
    tab = _open(dashboard, experiment, columns="name,notes,tags")
    notes = _cell(tab, "cedar", "notes")
    notes.dblclick()
    tab.page.get_by_label("Notes", exact=True).fill("first, second")
    tab.page.keyboard.press("Control+Enter")
    expect(notes).to_have_text("first, second")
    expect(notes).to_be_focused()
    # Escape gives up, and the keyboard goes on from the cell.
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("lost")
    tab.page.keyboard.press("Escape")
    expect(notes).to_have_text("first, second")
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.page.get_by_role("link", name="cedar")).to_be_focused()
    tab.page.keyboard.press("F2")
    name = tab.page.locator(".cell-editor").get_by_label("Name")
    expect(name).to_have_value("cedar")
    name.fill("x" * 300)
    name.press("Enter")
    expect(tab.page.locator(".cell-editor").get_by_role("alert")).to_have_text("Expected at most 255 characters")
    tab.check_looks()
    name.fill("elm")
    tab.page.get_by_role("button", name="Save").click()
    tags = _cell(tab, "elm", "tags")
    tags.dblclick()
    tab.page.get_by_label("Tags, separated by commas").fill("a\\,b, new")
    tab.page.keyboard.press("Enter")
    expect(tags.locator(".tag")).to_have_text(["a,b", "new"])
    stored = server.call("GET", f"/experiments/{experiment}/iterations?include=tags").body["data"]
    changed = [(each["name"], each["notes"], sorted(each["tags"])) for each in stored if each["notes"]]
    assert changed == [("elm", "first, second", ["a,b", "new"])]


def test_what_others_change_meanwhile_leaves_the_typed_text_alone(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="meanwhile")
    _four(server, experiment)
    tab = dashboard
    tab.page.clock.install()
    with tab.page.expect_response(re.compile("/iterations/changes")):
        _open(tab, experiment)
    _cell(tab, "birch", "tags").dblclick()
    field = tab.page.get_by_label("Tags, separated by commas")
    field.fill("tree, mine")
    birch = next(each.id for each in server.client().iterations.list(experiment) if each.name == "birch")
    server.client().iterations.update(birch, name="beech")
    made(server.call("POST", f"/iterations/{birch}/tags", {"value": "theirs"}))
    new_iteration(server, experiment, name="on top")
    _poll(tab)
    expect(_names(tab)).to_have_text(["on top", "date", "cedar", "beech", "ash"])
    expect(field).to_have_value("tree, mine")
    expect(tab.page.get_by_text("Changed meanwhile to")).to_be_visible()
    field.press("Enter")
    expect(tab.page.locator(".cell-editor")).to_have_count(0)
    # It adds what was added, and takes nothing of the others away.
    tags = {each["value"] for each in server.call("GET", f"/iterations/{birch}/tags").body["data"]}
    assert tags == {"tree", "mine", "theirs"}


def test_pinned_rows_and_the_baseline_stay_in_sight(dashboard: Dashboard, server: Server, large: str) -> None:
    [oldest] = server.call("GET", f"/experiments/{large}/iterations?order_by=created_date&limit=1").body["data"]
    # The first page does not have the baseline.
    dashboard.page.route(re.compile("format=columns"), _in_pages_of(100))
    tab = _open(dashboard, large, columns="name,m:m00", baseline=oldest["id"])
    expect(_names(tab).first).to_have_text("run 0")
    _rows(tab).nth(2).hover()
    _rows(tab).nth(2).get_by_role("button", name="Pin").click()
    expect(_names(tab).nth(1)).to_have_text(f"run {ROWS - 2}")
    tab.page.locator(".grid").evaluate("each => each.scrollTo(0, 40 * 32)")
    expect(_names(tab).nth(2)).not_to_have_text(f"run {ROWS - 1}")
    places = [".grid thead th", ".grid tbody tr:nth-child(1) th", ".grid tbody tr:nth-child(2) th"]
    edges = tab.page.evaluate(
        """places => places.map(each => document.querySelector(each).getBoundingClientRect())
            .flatMap(each => [each.top, each.bottom])""",
        places,
    )
    assert edges[1] == edges[2]
    assert edges[3] == edges[4]
    expect(_rows(tab).last).to_contain_text("+")
    tab.page.reload()
    expect(_names(tab)).to_contain_text(["run 0", f"run {ROWS - 2}", f"run {ROWS - 1}"])
    _filter(tab, 'name = "run 17"')
    expect(_names(tab)).to_have_text(["run 0", f"run {ROWS - 2}", "run 17"])
    assert tab.page.locator(".grid").evaluate("each => each.scrollTop") == 0
    expect(_rows(tab).last).to_contain_text("17+17")
    expect(tab.page.get_by_text("1 iteration", exact=True)).to_be_visible()
    _rows(tab).nth(1).hover()
    _rows(tab).nth(1).get_by_role("button", name="Pin").click()
    expect(_names(tab)).to_have_text(["run 0", "run 17"])


def _in_pages_of(rows: int) -> Callable[[Route], None]:
    """Ask for small pages in place of large ones."""
    return lambda route: route.continue_(url=re.sub("limit=[0-9]+", f"limit={rows}", route.request.url))


def test_groups_differences_and_children_are_of_all_rows(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="paged")
    parent = new_iteration(server, experiment, name="parent")
    _log(server, parent, {"lr": "0.1", "seed": "8"}, {"loss": 0.5})
    _four(server, experiment)
    child = new_iteration(server, experiment, name="child", parent_iteration_id=parent)
    _log(server, child, {"lr": "0.1", "seed": "7"}, {})
    tab = dashboard
    small_pages = _in_pages_of(2)
    held: list[Route] = []
    tab.page.route(
        re.compile("format=columns"),
        lambda route: held.append(route) if "cursor=" in route.request.url and not held else small_pages(route),
    )
    _open(tab, experiment, group="p:lr", differs="1")
    expect(tab.page.get_by_text(re.compile("Groups and differences cover 2 (of 6 )?iterations so far"))).to_be_visible()
    expect(tab.page.get_by_role("columnheader", name="seed")).to_have_count(0)
    tab.check_looks()
    small_pages(held[0])
    expect(_names(tab)).to_have_text(["▸ lr = 0.1 4", "▸ lr = 0.01 2"])
    expect(_rows(tab).first).to_contain_text("0.5 … 4.5")
    expect(tab.page.get_by_role("columnheader", name="seed")).to_be_visible()
    expect(tab.page.get_by_text("so far")).to_have_count(0)
    expect(tab.page.get_by_text("6 iterations", exact=True)).to_be_visible()
    _open(tab, experiment, tree="1")
    expect(_names(tab)).to_have_text(["date", "cedar", "birch", "ash", "parent", "child"])


def test_a_running_iteration_says_when_it_was_seen_last(new_tab: Open, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="seen")
    new_iteration(server, experiment, name="training")
    author = new_member(server, project, "create", "read")
    made(server.call("POST", f"/experiments/{experiment}/iterations", {"name": "theirs"}, token=author.token))
    tab = new_tab(new_member(server, project, "read").username)
    tab.page.clock.install()
    with tab.page.expect_response(re.compile("/iterations/changes")):
        _open(tab, experiment)
    training = tab.page.get_by_role("row", name="Select training")
    expect(training).to_contain_text(re.compile("seen (just now|[0-9]+ s ago)"))
    # A member who is no admin sees the names of others.
    expect(tab.page.get_by_role("row", name="Select theirs")).to_contain_text(author.username)
    tab.page.clock.run_for(12 * 60_000)
    expect(training).to_contain_text("silent for 12 min")
    tab.check_looks()


def test_children_stand_below_their_parents(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="tree")
    parent = new_iteration(server, experiment, name="parent")
    new_iteration(server, experiment, name="child", parent_iteration_id=parent)
    new_iteration(server, experiment, name="other")
    tab = _open(dashboard, experiment)
    expect(_names(tab)).to_have_text(["other", "child", "parent"])
    tab.page.get_by_label("Children below parents").check()
    expect(_names(tab)).to_have_text(["other", "parent", "child"])
    edges = [tab.page.get_by_role("link", name=name).bounding_box() for name in ("parent", "child")]
    assert edges[0]
    assert edges[1]
    assert edges[1]["x"] > edges[0]["x"]


def test_a_saved_view_brings_filter_order_and_columns_back(new_tab: Open, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="views")
    _four(server, experiment)
    tab = _open(new_tab(), experiment, filter="metrics.loss < 4", sort="m:loss", columns="name,m:loss")
    tab.page.get_by_role("button", name="Views").click()
    tab.page.get_by_label("Save the present view as").fill("good ones")
    tab.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(tab.page.get_by_role("button", name="good ones", exact=True)).to_be_visible()
    other = _open(new_tab(new_member(server, project, "read").username), experiment, group="p:lr")
    other.page.get_by_role("button", name="Views").click()
    expect(other.page.get_by_label("Save the present view as")).to_have_count(0)
    expect(other.page.get_by_label("Delete the view good ones")).to_have_count(0)
    other.page.get_by_role("button", name="good ones", exact=True).click()
    expect(_names(other)).to_have_text(["date", "cedar", "birch"])
    expect(other.page.locator(".grid thead .grid-sort")).to_have_text(["Name", "loss"])
    tab.check_looks()
    tab.page.get_by_label("Delete the view good ones").click()
    expect(tab.page.get_by_text("None yet.")).to_be_visible()


def test_the_charts_are_those_of_the_table_and_a_breadcrumb_leads_back_to_it(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small, filter="metrics.loss < 4", sort="m:loss", columns="name,m:loss")
    top = _names(tab).filter(has_text="cedar").get_by_role("button", name="Pin")
    top.click()
    tab.page.get_by_role("link", name="Charts").click()
    shown = tab.page.get_by_label("Iterations of the charts").get_by_role("listitem")
    expect(shown).to_have_text(["date", "cedar", "birch"])
    expect(shown.get_by_role("checkbox", checked=True)).to_have_count(3)
    tab.page.get_by_role("link", name="date").click()
    expect(tab.page.get_by_role("heading", name="date")).to_be_visible()
    tab.page.get_by_label("Breadcrumb").get_by_role("link", name="small").click()
    expect(tab.page.get_by_label("Filter")).to_have_value("metrics.loss < 4")
    expect(_names(tab)).to_have_text(["cedar", "date", "birch"])
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
    expect(_names(tab)).to_have_text(["cedar", "date", "birch", "ash"])


def test_each_dialog_of_the_table_has_a_button_that_closes_it(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small, selected="x")
    for opener in ("Tag", "Label", "Delete", "Views"):
        tab.page.get_by_role("button", name=opener, exact=True).click()
        tab.page.get_by_role("dialog").get_by_role("button", name=re.compile("Cancel|Close")).click()
        expect(tab.page.get_by_role("dialog")).to_have_count(0)


def test_selecting_moves_neither_the_table_nor_a_button(dashboard: Dashboard, small: str) -> None:
    tab = _open(dashboard, small)
    bar = tab.page.get_by_role("region", name="Selected iterations")

    def places() -> list[float]:
        return [_box(bar.get_by_text(name, exact=True))["x"] for name in ("Compare", "Charts", "Baseline", "Tag")]

    for viewport in (WIDE, PHONE):
        tab.show("light", viewport)
        top = _box(tab.page.locator(".grid"))["y"]
        tab.page.get_by_label("Select date").check()
        expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
        assert _box(tab.page.locator(".grid"))["y"] == pytest.approx(top, abs=1)
        one = places()
        tab.page.get_by_label("Select cedar").check()
        expect(bar.get_by_role("link", name="Compare")).to_be_visible()
        assert places() == pytest.approx(one, abs=1)
        assert _box(tab.page.locator(".grid"))["y"] == pytest.approx(top, abs=1)
        bar.get_by_role("button", name="Clear").click()


def _box(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box
    return box


def test_no_number_and_no_tag_is_cut(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="digits")
    tags = ["sweep", "a tag that is longer than its column"]
    for number, name in enumerate(["ash", "birch", "cedar"]):
        iteration = new_iteration(server, experiment, name=name, tags=tags)
        _log(server, iteration, {"n": f"12345678901{number}", "kind": "x"}, {"loss": 0.981 + number / 1e4})
        end(server, iteration, status_id=3 if number else 2)
    running = new_iteration(server, experiment, name="now")
    _log(server, running, {"n": "1", "kind": "x"}, {"loss": 0.5})
    tab = _open(dashboard, experiment)
    expect(_cell(tab, "ash", "p:n")).to_have_text("1.2346e11")
    expect(_cell(tab, "ash", "p:n").get_by_title("123456789010")).to_be_visible()
    for _ in range(2):
        _column(tab, "loss", "Narrower")
        tab.page.keyboard.press("Escape")
    expect(_cell(tab, "birch", "m:loss")).to_have_text("0.981")
    second = _box(_cell(tab, "ash", "tags").get_by_text("a tag that"))
    assert second["width"] >= 40
    cell = _box(_cell(tab, "ash", "tags"))
    assert second["x"] + second["width"] <= cell["x"] + cell["width"]
    # The descender of "running" has its room above the line below.
    status = _cell(tab, "now", "status").locator(".grid-stats > *").first
    assert status.evaluate("each => each.scrollHeight <= each.clientHeight")
    _column(tab, "kind", "Group by it")
    group = _rows(tab).first
    expect(group).to_contain_text("2 failed, 1 running, 1 succeeded")
    cut = "each => [...each.querySelectorAll('td, td span')].filter(one => one.scrollWidth > one.clientWidth + 1)"
    assert group.evaluate(f"{cut}.map(one => one.textContent)") == []
