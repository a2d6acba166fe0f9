"""What all pages share: sign-in, sessions that end, a lost connection, an upgrade, themes, the keyboard."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from chalicelib import clock, security
from chalicelib.routes.pages import ui
from chalicelib.security import Claims
from chalicelib.storage.keyring import read_keyring
from infra.dashboard import build
from tests.pages.conftest import Open
from tests.support.api import found, new_experiment, new_iteration, new_person, new_project
from tests.support.browser import PHONE, Dashboard
from tests.support.server import ADMIN, PASSWORD, Server


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    project = new_project(server, name="Iris")
    new_iteration(server, new_experiment(server, project, name="sweep"), name="quiet-heron")
    return project


def _type_password(tab: Dashboard, password: str = PASSWORD) -> None:
    tab.page.get_by_label("Username").fill(ADMIN)
    tab.page.get_by_label("Password").fill(password)
    tab.page.get_by_role("button", name="Sign in").click()


def test_signing_in_shows_the_page_of_the_url(new_tab: Open, project: str) -> None:
    tab = new_tab(None)
    tab.page.goto(f"{tab.site}/ui#/projects/{project}")
    expect(tab.page.get_by_role("dialog", name="Sign in to DearDiary")).to_be_visible()
    tab.check_looks()
    _type_password(tab, "wrong")
    expect(tab.page.get_by_text("Unknown username or wrong password")).to_be_visible()
    _type_password(tab)
    expect(tab.page.get_by_role("heading", name="Iris", level=1)).to_be_visible()
    (cookie,) = tab.page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("deardiary", True, "Strict")
    assert tab.page.evaluate("document.cookie") == ""


def test_a_browser_that_keeps_no_cookie_is_told_why_it_stays_outside(new_tab: Open) -> None:
    tab = new_tab(None)

    def without_cookie(route: Route) -> None:
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
        tab.page.context.clear_cookies()
        route.fulfill(status=answer.status, headers=headers, body=answer.body())

    tab.page.route("**/auth/session", without_cookie)
    tab.page.goto(f"{tab.site}/ui")
    _type_password(tab)
    expect(tab.page.get_by_text("this browser keeps no session")).to_be_visible()


def test_the_dialog_cannot_be_dismissed_and_needs_no_mouse(new_tab: Open) -> None:
    tab = new_tab(None)
    tab.page.goto(f"{tab.site}/ui")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(3):
        tab.page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    expect(tab.page.get_by_label("Username")).to_be_focused()
    tab.page.keyboard.type(ADMIN)
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type(PASSWORD)
    tab.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    tab.settle()


def test_a_session_that_ends_in_the_middle_loses_nothing(dashboard: Dashboard, server: Server, project: str) -> None:
    dashboard.open(f"/projects/{project}", {"note": "kept"})
    user_id = found(server.call("GET", "/auth/me"))["id"]
    dashboard.sign_in(security.issue_token(read_keyring(), Claims(user_id, 0), clock.now() - timedelta(days=2))[0])
    # By script: a request of the first page that is late may have opened the dialog already, over the link.
    dashboard.page.locator("main").get_by_role("link", name="sweep").evaluate("link => link.click()")
    expect(dashboard.page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    _type_password(dashboard)
    expect(dashboard.page.get_by_role("heading", name="sweep")).to_be_visible()
    dashboard.page.go_back()
    assert dashboard.page.url.endswith(f"#/projects/{project}?note=kept")


def test_signing_in_as_another_user_shows_nothing_of_the_last_one(
    dashboard: Dashboard, server: Server, project: str
) -> None:
    person = new_person(server)
    dashboard.open(f"/projects/{project}")
    dashboard.page.context.clear_cookies()
    dashboard.page.evaluate("location.hash = '#/'")
    dashboard.page.get_by_label("Username").fill(person.username)
    dashboard.page.get_by_label("Password").fill(PASSWORD)
    dashboard.page.get_by_role("button", name="Sign in").click()
    expect(dashboard.page.get_by_role("button", name=person.username)).to_be_visible()
    expect(dashboard.page.get_by_text("No projects yet")).to_be_visible()


def test_signing_out_ends_the_session_of_this_browser(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.page.get_by_role("button", name=ADMIN).click()
    dashboard.page.get_by_role("button", name="Sign out").click()
    expect(dashboard.page.get_by_role("dialog", name="Sign in to DearDiary")).to_be_visible()
    assert dashboard.page.context.cookies() == []


def test_without_a_connection_a_banner_says_so_and_the_page_comes_back(dashboard: Dashboard, project: str) -> None:
    dashboard.open()
    dashboard.page.context.set_offline(True)
    dashboard.page.get_by_role("heading", name="Iris").get_by_role("link").click()
    expect(dashboard.page.get_by_text("No connection to the server")).to_be_visible()
    assert dashboard.findings() == []
    dashboard.page.context.set_offline(False)
    # The browser says that it is back, so nobody has to press "Try now".
    expect(dashboard.page.get_by_role("heading", name="Iris", level=1)).to_be_visible()
    expect(dashboard.page.get_by_text("No connection to the server")).to_be_hidden()


def test_a_read_that_a_busy_server_refuses_is_repeated(dashboard: Dashboard, project: str) -> None:
    refused = iter([True])

    def refuse_once(route: Route) -> None:
        if next(refused, False):
            body = json.dumps({"code": "UNAVAILABLE", "message": "Busy"})
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=body)
        else:
            route.continue_()

    dashboard.page.route(f"**/projects/{project}", refuse_once)
    dashboard.open(f"/projects/{project}")
    expect(dashboard.page.get_by_role("heading", name="Iris", level=1)).to_be_visible()


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the build, in which a test replaces the chunks of the pages by others, as an upgrade does."""
    for path in build.BUILT.iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(ui, "BUILT", tmp_path)
    return tmp_path


def _rename_chunks(folder: Path) -> None:
    """Give every script that only pages load another name, and the page another build."""
    index = folder / "index.html"
    (entry,) = folder.glob("index-*.js")
    texts = {}
    for number, path in enumerate(folder.glob("*.js")):
        # Two chunks may have the same name but for their hashes.
        stem = path.stem[: -len("-xxxxxxxx")]
        texts[path.name] = (f"{stem}-NEW{number:05}.js", path.read_text("utf-8"))
        path.unlink()
    for name, text in texts.values():
        for old, (new, _) in texts.items():
            text = text.replace(old, new)
        (folder / name).write_text(text, "utf-8")
    page = index.read_text("utf-8").replace(entry.name, texts[entry.name][0])
    index.write_text(page.replace('name="build" content="', 'name="build" content="new'), "utf-8")


def test_an_upgrade_in_the_middle_reloads_the_page_once(dashboard: Dashboard, upgrade: Path, project: str) -> None:
    dashboard.open()
    _rename_chunks(upgrade)
    dashboard.follow("Iris")
    expect(dashboard.page.get_by_role("heading", name="Iris", level=1)).to_be_visible()
    assert "index-NEW" in dashboard.page.content()


def test_a_page_that_stays_broken_says_so_and_does_not_reload_for_ever(
    dashboard: Dashboard, upgrade: Path, project: str
) -> None:
    dashboard.open()
    for path in upgrade.glob("project-*.js"):
        path.unlink()
    dashboard.page.get_by_role("heading", name="Iris").get_by_role("link").click()
    expect(dashboard.page.get_by_role("alert")).to_be_visible()
    expect(dashboard.page.get_by_role("button", name="Try again")).to_be_visible()


def test_the_theme_is_the_systems_until_a_user_chooses(dashboard: Dashboard, new_tab: Open) -> None:
    def background(tab: Dashboard) -> str:
        return str(tab.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dashboard.open()
    dashboard.page.emulate_media(color_scheme="dark")
    dark = background(dashboard)
    dashboard.page.emulate_media(color_scheme="light")
    assert background(dashboard) != dark
    dashboard.page.get_by_role("button", name=ADMIN).click()
    with dashboard.page.expect_response(lambda answer: answer.request.method == "PUT"):
        dashboard.page.get_by_label("Dark").check()
    assert background(dashboard) == dark
    dashboard.check_looks()
    # The server keeps it: another browser of this user shows it too.
    other = new_tab().open()
    expect(other.page.locator(":root")).to_have_attribute("data-theme", "dark")
    with other.page.expect_response(lambda answer: answer.request.method == "PUT"):
        other.page.get_by_role("button", name=ADMIN).click()
        other.page.get_by_label("As the system").check()


def test_everything_is_reached_by_keyboard(dashboard: Dashboard, project: str) -> None:
    dashboard.open()
    dashboard.page.keyboard.press("Tab")
    expect(dashboard.page.get_by_role("button", name="Skip to the content")).to_be_focused()
    dashboard.page.keyboard.press("Enter")
    dashboard.page.keyboard.press("Tab")
    expect(dashboard.page.get_by_role("heading", name="Iris").get_by_role("link")).to_be_focused()
    dashboard.page.keyboard.press("Enter")
    expect(dashboard.page.get_by_role("heading", name="Iris", level=1)).to_be_visible()
    dashboard.page.keyboard.press("Control+k")
    expect(dashboard.page.get_by_role("searchbox")).to_be_focused()


def test_an_address_without_a_page_leads_home(dashboard: Dashboard) -> None:
    dashboard.open("/no/such/page")
    expect(dashboard.page.get_by_text("There is no page at this address")).to_be_visible()
    dashboard.check_looks()
    dashboard.follow("Go to your projects")
    expect(dashboard.page.get_by_role("heading", name="Projects")).to_be_visible()


def test_the_header_fits_on_a_phone_below_long_names(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="x" * 255)
    experiment = new_experiment(server, project, name="a name " * 36)
    for path in (f"/projects/{project}", f"/experiments/{experiment}"):
        dashboard.open(path)
        for width in (320, PHONE["width"], 768):
            dashboard.show("light", {"width": width, "height": 700})
            dashboard.check_fits()


def test_a_failed_look_names_the_findings(dashboard: Dashboard) -> None:
    dashboard.open()
    dashboard.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    with pytest.raises(AssertionError, match="image-alt: <img>"):
        dashboard.check_looks()
