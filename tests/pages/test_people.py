"""Members of a project, one's own tokens and password, and the users of a server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from chalicelib import clock
from chalicelib.aws import sts
from deardiary.keyless import signed
from tests.pages.conftest import Open
from tests.pages.test_home import HOSTILE
from tests.support.api import Person, found, made, new_member, new_person, new_project
from tests.support.browser import Dashboard
from tests.support.server import PASSWORD, URL, Server
from tests.support.sts import ACCOUNT, FakeSts

ALL = ("create", "read", "update", "delete")


def _row(tab: Dashboard, name: str) -> Locator:
    return tab.page.get_by_role("row").filter(has=tab.page.get_by_text(name, exact=True))


def _permissions(server: Server, project: str, person: Person) -> set[str]:
    record = found(server.call("GET", f"/projects/{project}/permissions/{person.id}"))
    return {what for what in ALL if record[f"{what}_permission"]}


def test_a_manager_adds_changes_and_removes_members(new_tab: Open, server: Server) -> None:
    project = new_project(server, name="Iris")
    manager, person = new_member(server, project, *ALL), new_person(server)
    tab = new_tab(manager.username).open(f"/projects/{project}")
    tab.follow("Members")
    tab.page.get_by_role("button", name="Add a member").press("Enter")
    dialog = tab.page.get_by_role("dialog", name="Add a member")
    expect(dialog.get_by_label("Username")).to_be_focused()
    tab.page.keyboard.type("no-such-user")
    tab.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("No user is called no-such-user")
    tab.check_looks()
    dialog.get_by_label("Username").fill(person.username)
    dialog.get_by_label("create").check()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_be_hidden()
    assert _permissions(server, project, person) == {"read", "create"}
    tab.check_looks()
    tab.page.get_by_label(f"{person.username} may update").click()
    expect(tab.page.get_by_label(f"{person.username} may update")).to_be_checked()
    assert _permissions(server, project, person) == {"read", "create", "update"}
    tab.page.get_by_role("button", name=f"Remove {person.username}").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(_row(tab, person.username)).to_have_count(0)
    assert server.call("GET", f"/projects/{project}/permissions/{person.id}").status == 404


def test_giving_up_a_permission_of_ones_own_is_asked_about(new_tab: Open, server: Server) -> None:
    project = new_project(server)
    manager = new_member(server, project, *ALL)
    tab = new_tab(manager.username).open(f"/projects/{project}/members")
    box = tab.page.get_by_label(f"{manager.username} may delete")
    box.click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(box).to_be_checked()
    assert _permissions(server, project, manager) == set(ALL)
    box.click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Give up delete").click()
    expect(tab.page.get_by_role("checkbox")).to_have_count(0)
    assert _permissions(server, project, manager) == {"create", "read", "update"}


def test_a_manager_allows_an_aws_role_and_forbids_it_again(
    new_tab: Open, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = FakeSts()
    monkeypatch.setattr(sts, "_connect", aws.connect)
    project = new_project(server)
    tab = new_tab(new_member(server, project, *ALL).username).open(f"/projects/{project}/members")
    tab.page.get_by_role("button", name="Add an identity").click()
    dialog = tab.page.get_by_role("dialog", name="Add an AWS identity")
    pattern = dialog.get_by_label("ARN pattern")
    pattern.fill("arn:aws:iam::*:role/train")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(pattern).to_be_focused()
    expect(pattern).to_have_accessible_description(re.compile("^A pattern is arn:aws:iam"))
    tab.check_looks()
    allowed = f"arn:aws:iam::{ACCOUNT}:role/train-*"
    pattern.fill(allowed)
    dialog.get_by_label("update").uncheck()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(_row(tab, allowed)).to_contain_text("read, create")
    request = signed(aws.role("train-nightly"), URL, "eu-west-1", clock.now())
    job = found(server.call("POST", "/auth/aws", request, token=None))["access_token"]
    assert server.call("PATCH", f"/projects/{project}", {"name": "x"}, token=job).status == 403
    tab.page.reload()
    # What the pattern gives is not changed by hand.
    member = _row(tab, f"role/train-nightly@{ACCOUNT}")
    expect(member.get_by_role("cell")).to_have_text(["✓", "✓", "—", "—", ""])
    tab.check_looks()
    _row(tab, allowed).get_by_role("button", name="Remove").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(_row(tab, allowed)).to_have_count(0)
    expect(member).to_have_count(0)
    assert server.call("GET", f"/projects/{project}", token=job).status == 404


def test_a_reader_sees_members_and_no_controls(new_tab: Open, server: Server) -> None:
    project = new_project(server)
    reader = new_member(server, project, "read")
    tab = new_tab(reader.username).open(f"/projects/{project}/members")
    expect(_row(tab, reader.username).get_by_role("cell")).to_have_text(["✓", "—", "—", "—"])
    expect(tab.page.locator("main").get_by_role("button")).to_have_count(0)
    expect(tab.page.get_by_role("checkbox")).to_have_count(0)
    expect(tab.page.get_by_role("heading", name="AWS identities")).to_have_count(0)
    tab.check_looks()


def test_a_token_is_shown_once_works_and_is_revoked(new_tab: Open, server: Server) -> None:
    person = new_person(server)
    project = made(server.call("POST", "/projects", {"name": "Iris"}, token=person.token))["id"]
    tab = new_tab(person.username).open()
    tab.page.get_by_role("button", name=person.username).click()
    tab.page.get_by_role("link", name="Account and tokens").click()
    tab.page.get_by_role("button", name="Create a token").click()
    dialog = tab.page.get_by_role("dialog", name="Create a token")
    dialog.get_by_label("Name").fill(HOSTILE[0])
    dialog.get_by_label("Project").select_option("Iris")
    dialog.get_by_label("May only read").check()
    tab.check_looks()
    dialog.get_by_role("button", name="Create").click()
    shown = tab.page.get_by_role("dialog", name="Your new token")
    token = shown.locator("code").inner_text()
    tab.check_looks()
    shown.get_by_role("button", name="Done").click()
    expect(_row(tab, HOSTILE[0])).to_contain_text("read in Iris")
    assert token not in tab.page.content()
    assert found(server.call("GET", f"/projects/{project}", token=token))["name"] == "Iris"
    assert server.call("PATCH", f"/projects/{project}", {"name": "x"}, token=token).status == 403
    tab.check_looks()
    _row(tab, HOSTILE[0]).get_by_role("button", name="Revoke").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(_row(tab, HOSTILE[0])).to_have_count(0)
    assert server.call("GET", f"/projects/{project}", token=token).status == 401


def test_a_new_password_keeps_this_browser_signed_in(new_tab: Open, server: Server) -> None:
    person = new_person(server)
    tab = new_tab(person.username).open("/account")
    tab.page.get_by_label("Present password").fill("not my password")
    tab.page.get_by_label("New password").fill("a better password")
    tab.page.get_by_role("button", name="Change the password").click()
    expect(tab.page.locator(".field-error")).to_be_visible()
    tab.page.get_by_label("Present password").fill(PASSWORD)
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_text("Your password is changed.")).to_be_visible()
    expect(tab.page.get_by_label("New password")).to_have_value("")
    tab.page.reload()
    expect(tab.page.get_by_role("heading", name=f"Account of {person.username}")).to_be_visible()
    assert server.call("GET", "/auth/me", token=person.token).status == 401
    signed_in = server.call("POST", "/auth", {"username": person.username, "password": "a better password"})
    assert signed_in.status == 200


def test_an_admin_creates_promotes_and_deletes_users(dashboard: Dashboard, server: Server) -> None:
    dashboard.open()
    dashboard.page.get_by_role("button", name="admin").click()
    dashboard.page.get_by_role("link", name="Users").click()
    dashboard.page.get_by_role("button", name="Create a user").click()
    dialog = dashboard.page.get_by_role("dialog", name="Create a user")
    dialog.get_by_label("Username").fill("grace")
    dialog.get_by_label("Password").fill("short")
    dialog.get_by_label("Last name").fill(HOSTILE[0])
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("password: Expected at least 8 characters")
    dashboard.check_looks()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Create").click()
    expect(_row(dashboard, "grace")).to_contain_text(HOSTILE[0])
    token = server.token("grace")
    _row(dashboard, "grace").get_by_role("button", name="Make an admin").click()
    dashboard.page.get_by_role("dialog").get_by_role("button", name="Make an admin").click()
    expect(_row(dashboard, "grace").get_by_role("cell").nth(1)).to_have_text("admin")
    assert found(server.call("GET", "/auth/me", token=token))["is_admin"] is True
    expect(_row(dashboard, "admin").filter(has_text="(you)").get_by_role("button")).to_have_count(0)
    dashboard.check_looks()
    _row(dashboard, "grace").get_by_role("button", name="Delete").click()
    dashboard.page.get_by_role("dialog").get_by_role("button", name="Delete the user").click()
    expect(_row(dashboard, "grace")).to_have_count(0)
    assert server.call("GET", "/auth/me", token=token).status == 401


def test_users_are_for_admins(new_tab: Open, server: Server) -> None:
    person = new_person(server)
    tab = new_tab(person.username).open()
    tab.page.get_by_role("button", name=person.username).click()
    expect(tab.page.get_by_role("link", name="Account and tokens")).to_be_visible()
    expect(tab.page.get_by_role("link", name="Users")).to_have_count(0)
    tab.page.goto(f"{tab.site}/ui#/users")
    expect(tab.page.get_by_role("alert")).to_contain_text(re.compile("admin"))
    expect(tab.page.locator("main").get_by_role("button", name="Create")).to_have_count(0)
