"""The trash of a project and that of a user's projects."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.pages.conftest import Open
from tests.pages.test_home import HOSTILE
from tests.support.api import found, new_experiment, new_iteration, new_member, new_project
from tests.support.browser import Dashboard
from tests.support.server import Server

ALL = ("create", "read", "update", "delete")


def _delete(server: Server, path: str) -> None:
    assert server.call("DELETE", path).status in (202, 204)


def _row(tab: Dashboard, name: str) -> Locator:
    return tab.page.get_by_role("row").filter(has=tab.page.get_by_role("rowheader", name=name, exact=True))


def _trashed(server: Server, project: str) -> list[str]:
    return [each["name"] for each in found(server.call("GET", f"/projects/{project}/trash"))["data"]]


def test_what_was_deleted_is_restored_or_deleted_for_good(new_tab: Open, server: Server) -> None:
    project = new_project(server, name="Iris")
    experiment = new_experiment(server, project, name="sweep")
    for name in ("quiet-heron", "loud-gull"):
        _delete(server, f"/iterations/{new_iteration(server, experiment, name=name)}")
    tab = new_tab(new_member(server, project, *ALL).username).open(f"/projects/{project}")
    tab.follow("Trash")
    expect(_row(tab, "quiet-heron")).to_contain_text("iteration")
    tab.check_looks()
    _row(tab, "quiet-heron").get_by_role("button", name="Restore").press("Enter")
    expect(tab.page.get_by_role("status")).to_have_text("quiet-heron is restored.")
    expect(_row(tab, "quiet-heron")).to_have_count(0)
    assert _trashed(server, project) == ["loud-gull"]
    _row(tab, "loud-gull").get_by_role("button", name="Delete loud-gull for good").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot be undone")
    tab.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert _trashed(server, project) == ["loud-gull"]
    _row(tab, "loud-gull").get_by_role("button", name="Delete loud-gull for good").click()
    tab.check_looks()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(tab.page.get_by_text("The trash is empty")).to_be_visible()
    assert _trashed(server, project) == []


def test_a_name_that_was_taken_meanwhile_is_replaced(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server)
    first = new_experiment(server, project, name="sweep")
    _delete(server, f"/experiments/{first}")
    new_experiment(server, project, name="sweep")
    dashboard.open(f"/projects/{project}/trash")
    _row(dashboard, "sweep").get_by_role("button", name="Restore").click()
    dialog = dashboard.page.get_by_role("dialog", name="Restore under another name")
    expect(dialog.get_by_role("button", name="Restore")).to_be_disabled()
    dashboard.check_looks()
    dialog.get_by_label("Name").fill("the first sweep")
    dashboard.page.keyboard.press("Enter")
    expect(dashboard.page.get_by_role("status")).to_have_text("the first sweep is restored.")
    dashboard.follow("the first sweep")
    expect(dashboard.page.get_by_role("heading", name="the first sweep")).to_be_visible()
    assert found(server.call("GET", f"/experiments/{first}"))["name"] == "the first sweep"


def test_a_project_comes_back_from_the_trash_of_its_users(new_tab: Open, server: Server) -> None:
    project = new_project(server, name="Old project")
    person = new_member(server, project, *ALL)
    _delete(server, f"/projects/{project}")
    tab = new_tab(person.username).open()
    tab.page.get_by_role("button", name=person.username).click()
    tab.page.get_by_role("link", name="Trash").click()
    tab.page.get_by_role("button", name="Restore Old project").click()
    expect(tab.page.get_by_text("The trash is empty")).to_be_visible()
    tab.check_looks()
    tab.follow("Old project")
    expect(tab.page.get_by_role("heading", name="Old project", level=1)).to_be_visible()


def test_a_reader_sees_the_trash_and_no_controls(new_tab: Open, server: Server) -> None:
    project = new_project(server)
    _delete(server, f"/experiments/{new_experiment(server, project, name='sweep')}")
    tab = new_tab(new_member(server, project, "read").username).open(f"/projects/{project}/trash")
    expect(_row(tab, "sweep")).to_be_visible()
    expect(tab.page.locator("main").get_by_role("button")).to_have_count(0)


def test_hostile_names_are_text(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server)
    for name in HOSTILE:
        _delete(server, f"/experiments/{new_experiment(server, project, name=name)}")
    dashboard.open(f"/projects/{project}/trash")
    for name in HOSTILE:
        expect(dashboard.page.get_by_text(name.strip(), exact=True).first).to_be_attached()
    assert dashboard.page.locator("main img, main script").count() == 0
    dashboard.show("light", {"width": 375, "height": 700})
    dashboard.check_fits()
