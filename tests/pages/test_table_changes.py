"""Changes in the table: in its cells, of selected rows, and those that others make meanwhile."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.pages.conftest import Open
from tests.support.api import end, made, new_experiment, new_iteration, new_member
from tests.support.browser import PHONE, WIDE, Dashboard
from tests.support.grid import (
    box_of,
    cell_of,
    log_values,
    make_four,
    names_of,
    open_table,
    rows_of,
)
from tests.support.server import Server


def test_selected_rows_are_tagged_labelled_compared_and_deleted(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="bulk")
    make_four(server, experiment)
    tab = open_table(dashboard, experiment)
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
    expect(names_of(tab)).to_have_text(["ash"])
    expect(tab.page.get_by_text("selected")).to_have_count(0)
    assert len(server.call("GET", f"/experiments/{experiment}/iterations").body["data"]) == 1


def test_selecting_moves_neither_the_table_nor_a_button(dashboard: Dashboard, small: str) -> None:
    tab = open_table(dashboard, small)
    bar = tab.page.get_by_role("region", name="Selected iterations")

    def places() -> list[float]:
        return [box_of(bar.get_by_text(name, exact=True))["x"] for name in ("Compare", "Charts", "Baseline", "Tag")]

    for viewport in (WIDE, PHONE):
        tab.show("light", viewport)
        top = box_of(tab.page.locator(".grid"))["y"]
        tab.page.get_by_label("Select date").check()
        expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
        assert box_of(tab.page.locator(".grid"))["y"] == pytest.approx(top, abs=1)
        one = places()
        tab.page.get_by_label("Select cedar").check()
        expect(bar.get_by_role("link", name="Compare")).to_be_visible()
        assert places() == pytest.approx(one, abs=1)
        assert box_of(tab.page.locator(".grid"))["y"] == pytest.approx(top, abs=1)
        bar.get_by_role("button", name="Clear").click()


def test_a_member_who_may_only_read_changes_nothing(new_tab: Open, server: Server, project: str, small: str) -> None:
    tab = open_table(new_tab(new_member(server, project, "read").username), small)
    tab.page.get_by_label("Select ash").check()
    expect(tab.page.get_by_role("region", name="Selected").get_by_role("link", name="Charts")).to_be_visible()
    for name in ("Tag", "Label", "Delete"):
        expect(tab.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    notes = cell_of(tab, "ash", "notes")
    notes.dblclick()
    notes.press("Enter")
    notes.press("F2")
    expect(tab.page.locator(".cell-editor")).to_have_count(0)


def test_a_name_notes_and_tags_are_changed_in_their_cells(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="edited")
    make_four(server, experiment)
    tab = open_table(dashboard, experiment, columns="name,notes,tags")
    notes = cell_of(tab, "cedar", "notes")
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
    tags = cell_of(tab, "elm", "tags")
    tags.dblclick()
    tab.page.get_by_label("Tags, separated by commas").fill("a\\,b, new")
    tab.page.keyboard.press("Enter")
    expect(tags.locator(".tag")).to_have_text(["a,b", "new"])
    stored = server.call("GET", f"/experiments/{experiment}/iterations?include=tags").body["data"]
    changed = [(each["name"], each["notes"], sorted(each["tags"])) for each in stored if each["notes"]]
    assert changed == [("elm", "first, second", ["a,b", "new"])]


def test_an_answer_from_before_a_change_does_not_undo_it(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project)
    new_iteration(server, experiment, name="edited")
    held: list[tuple[Route, APIResponse]] = []
    dashboard.page.route("**/iterations/changes?*", lambda route: held.append((route, route.fetch())))
    tab = open_table(dashboard, experiment, columns="name,notes")
    while not held:
        tab.page.wait_for_timeout(20)
    notes = cell_of(tab, "edited", "notes")
    notes.dblclick()
    tab.page.get_by_label("Notes", exact=True).fill("mine")
    tab.page.keyboard.press("Control+Enter")
    expect(notes).to_have_text("mine")
    route, answer = held[0]
    route.fulfill(response=answer)
    while len(held) == 1:
        tab.page.wait_for_timeout(20)
    expect(notes).to_have_text("mine", timeout=1)


def test_what_others_change_meanwhile_leaves_the_typed_text_alone(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="meanwhile")
    make_four(server, experiment)
    tab = dashboard
    tab.page.clock.install()
    with tab.page.expect_response(re.compile("/iterations/changes")):
        open_table(tab, experiment)
    cell_of(tab, "birch", "tags").dblclick()
    field = tab.page.get_by_label("Tags, separated by commas")
    field.fill("tree, mine")
    birch = next(each.id for each in server.client().iterations.list(experiment) if each.name == "birch")
    server.client().iterations.update(birch, name="beech")
    made(server.call("POST", f"/iterations/{birch}/tags", {"value": "theirs"}))
    new_iteration(server, experiment, name="on top")
    _poll(tab)
    expect(names_of(tab)).to_have_text(["on top", "date", "cedar", "beech", "ash"])
    expect(field).to_have_value("tree, mine")
    expect(tab.page.get_by_text("Changed meanwhile to")).to_be_visible()
    field.press("Enter")
    expect(tab.page.locator(".cell-editor")).to_have_count(0)
    # It adds what was added, and takes nothing of the others away.
    tags = {each["value"] for each in server.call("GET", f"/iterations/{birch}/tags").body["data"]}
    assert tags == {"tree", "mine", "theirs"}


def test_rows_are_live(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="live")
    iteration = new_iteration(server, experiment, name="training")
    log_values(server, iteration, {"lr": "1"}, {"loss": 2.5})
    tab = dashboard
    tab.page.clock.install()
    with tab.page.expect_response(re.compile("/iterations/changes")):
        open_table(tab, experiment)
    expect(rows_of(tab).first).to_contain_text("2.5")
    listed: list[str] = []
    tab.page.on("request", lambda request: listed.append(request.url) if "format=columns" in request.url else None)
    made(server.call("POST", f"/iterations/{iteration}/metrics", {"key": "loss", "value": 1.25, "step": 1}))
    new_iteration(server, experiment, name="just started")
    _poll(tab)
    expect(names_of(tab)).to_have_text(["just started", "training"])
    expect(rows_of(tab).last).to_contain_text("1.25")
    end(server, iteration)
    _poll(tab)
    expect(rows_of(tab).last).to_contain_text("succeeded")
    assert listed == []
    server.call("DELETE", f"/iterations/{iteration}")
    _poll(tab)
    expect(names_of(tab)).to_have_text(["just started"])


def _poll(tab: Dashboard) -> int:
    with tab.page.expect_response(re.compile("/iterations/changes")) as response:
        tab.page.clock.run_for(31_000)
    return response.value.status


def test_a_table_where_nothing_happens_is_answered_with_304(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="quiet")
    new_iteration(server, experiment)
    dashboard.page.clock.install()
    with dashboard.page.expect_response(re.compile("/iterations/changes")):
        open_table(dashboard, experiment)
    # What was written in the last seconds comes again.
    assert 304 in [_poll(dashboard) for _ in range(4)]


def test_a_new_iteration_is_counted_where_a_filter_may_leave_it_out(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    experiment = new_experiment(server, project, name="counted")
    make_four(server, experiment)
    dashboard.page.clock.install()
    with dashboard.page.expect_response(re.compile("/iterations/changes")):
        open_table(dashboard, experiment, filter='name != "ash"')
    new_iteration(server, experiment, name="elm")
    dashboard.page.clock.run_for(31_000)
    dashboard.page.get_by_role("button", name="1 new, read again").click()
    expect(names_of(dashboard)).to_have_text(["elm", "date", "cedar", "birch"])


def test_a_running_iteration_says_when_it_was_seen_last(new_tab: Open, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="seen")
    new_iteration(server, experiment, name="training")
    author = new_member(server, project, "create", "read")
    made(server.call("POST", f"/experiments/{experiment}/iterations", {"name": "theirs"}, token=author.token))
    tab = new_tab(new_member(server, project, "read").username)
    tab.page.clock.install()
    with tab.page.expect_response(re.compile("/iterations/changes")):
        open_table(tab, experiment)
    training = tab.page.get_by_role("row", name="Select training")
    expect(training).to_contain_text(re.compile("seen (just now|[0-9]+ s ago)"))
    # A member who is no admin sees the names of others.
    expect(tab.page.get_by_role("row", name="Select theirs")).to_contain_text(author.username)
    tab.page.clock.run_for(12 * 60_000)
    expect(training).to_contain_text("silent for 12 min")
    tab.check_looks()


def test_a_sorted_table_moves_rows_whose_value_changes(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project, name="in order")
    ids = {name: new_iteration(server, experiment, name=name) for name in ("ash", "birch", "cedar")}
    for number, iteration in enumerate(ids.values()):
        log_values(server, iteration, {}, {"accuracy": 0.1 * (3 - number)})
    tab = open_table(dashboard, experiment, columns="name,m:accuracy", sort="-m:accuracy")
    expect(names_of(tab)).to_contain_text(["ash", "birch", "cedar"])
    cell_of(tab, "cedar", "name").get_by_role("link", name="cedar").focus()
    columns = {"accuracy": {"step": [1], "value": [0.9]}}
    made(server.call("POST", f"/iterations/{ids['cedar']}/log", {"batch_id": "2", "metrics": columns}))
    expect(names_of(tab)).to_contain_text(["cedar", "ash", "birch"])
    # The keyboard goes on from the row that has moved.
    expect(tab.page.get_by_role("link", name="cedar")).to_be_focused()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.page.get_by_role("link", name="ash")).to_be_focused()
