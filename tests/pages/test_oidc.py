"""Sign-in with a real OpenID Connect provider, in a real browser: the button, the provider's pages, and back."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api import found, made, new_project
from tests.support.browser import Dashboard, site_of
from tests.support.certified_provider import CertifiedProvider, running_certified_provider
from tests.support.dynoxide import NotInstallable
from tests.support.provider import CLIENT
from tests.support.server import PASSWORD, Server, server_on_moto
from tests.support.ssm import put_secret

NAME, PARAMETER = "Example ID", "/deardiary/test/oidc"


@pytest.fixture(scope="module")
def provider() -> Iterator[CertifiedProvider]:
    try:
        with running_certified_provider() as running:
            yield running
    except NotInstallable as reason:
        pytest.skip(f"No real provider: {reason}")


@pytest.fixture(scope="module")
def server(provider: CertifiedProvider) -> Iterator[Server]:
    settings = {
        "DEARDIARY_OIDC_ISSUER": provider.issuer,
        "DEARDIARY_OIDC_CLIENT_ID": CLIENT,
        "DEARDIARY_OIDC_CLIENT_SECRET_PARAMETER": PARAMETER,
        "DEARDIARY_OIDC_NAME": NAME,
        "DEARDIARY_OIDC_ALLOWED_DOMAINS": "example.org",
    }
    with server_on_moto(**settings) as running:
        put_secret(PARAMETER, "a secret: with +")
        yield running


@pytest.fixture(scope="module")
def site(server: Server, provider: CertifiedProvider) -> Iterator[str]:
    with site_of(server) as url:
        provider.allow(f"{url}/auth/oidc/callback")
        yield url


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Dashboard]:
    context = browser.new_context(locale="en-GB")
    yield Dashboard(context.new_page(), site)
    context.close()


def _ask_provider(tab: Dashboard, path: str = "/") -> Page:
    """Open a page without a session, and go to the provider."""
    tab.page.goto(f"{tab.site}/ui#{path}")
    tab.page.get_by_role("link", name=f"Sign in with {NAME}").click()
    return tab.page


def _sign_in(page: Page, login: str) -> None:
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()


def test_a_first_sign_in_leads_back_to_the_page_with_the_rights_of_the_groups(tab: Dashboard, server: Server) -> None:
    project = new_project(server, name="Iris")
    found(server.call("PUT", f"/projects/{project}/groups", {"group": "ml", "read_permission": True}))
    page = _ask_provider(tab, f"/projects/{project}")
    _sign_in(page, "ada")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Iris")).to_be_visible()
    assert urlsplit(page.url).fragment == f"/projects/{project}"
    assert page.url.startswith(tab.site)
    cookies = {each["name"]: each for each in page.context.cookies(tab.site)}
    assert cookies["deardiary"]["httpOnly"]
    assert cookies["deardiary"]["sameSite"] == "Strict"
    assert "deardiary-sign-in" not in cookies
    page.goto(f"{tab.site}/ui#/account")
    expect(page.get_by_role("heading", name="Account of ada")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="127.0.0.1")).to_contain_text("ada")
    tab.check_looks()
    page.goto(f"{tab.site}/ui#/projects/{project}/members")
    expect(page.get_by_role("region", name="Groups").get_by_role("row").nth(1)).to_contain_text("ml")
    assert tab.problems == []


def test_cancelling_at_the_provider_is_a_page(tab: Dashboard) -> None:
    page = _ask_provider(tab)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_text("did not let you in, or you declined")).to_be_visible()
    page.get_by_role("link", name="Back to DearDiary").click()
    expect(page.get_by_role("link", name=f"Sign in with {NAME}")).to_be_visible()


def test_a_code_counts_once_at_the_provider(tab: Dashboard) -> None:
    page, seen = _ask_provider(tab), []
    page.on("request", lambda request: seen.append(request.url))
    cookie = [each for each in page.context.cookies(tab.site) if each["name"] == "deardiary-sign-in"]
    _sign_in(page, "grace")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="grace")).to_be_visible()
    (callback,) = [url for url in seen if urlsplit(url).path == "/auth/oidc/callback"]
    page.context.clear_cookies()
    page.context.add_cookies(cookie)  # type: ignore[arg-type]
    page.goto(callback)
    expect(page.get_by_text("This sign-in was used before, or is too old")).to_be_visible()
    assert "deardiary" not in {each["name"] for each in page.context.cookies(tab.site)}


def test_a_local_user_adds_an_account_and_a_group_by_hand(tab: Dashboard, server: Server) -> None:
    user = made(server.call("POST", "/users", {"username": "charles", "password": PASSWORD}))
    tab.sign_in(server.token("charles"))
    project = made(server.call("POST", "/projects", {"name": "Engine"}, token=server.token("charles")))["id"]
    page = tab.page
    page.goto(f"{tab.site}/ui#/projects/{project}/members")
    page.get_by_role("button", name="Add a group").click()
    dialog = page.get_by_role("dialog", name="Add a group")
    dialog.get_by_label("Group, as the provider names it").fill("Analytical Engine")
    dialog.get_by_label("create").check()
    tab.check_looks()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("region", name="Groups").get_by_role("row").nth(1)).to_contain_text("read, create")
    page.goto(f"{tab.site}/ui#/account")
    page.get_by_role("button", name="Add your account").click()
    _sign_in(page, "babbage")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("row").filter(has_text="127.0.0.1")).to_contain_text("babbage")
    subjects = found(server.call("GET", f"/users/{user['id']}/subjects"))["data"]
    assert [each["subject"] for each in subjects] == ["babbage"]
    assert tab.problems == []


def test_the_dialog_offers_both_ways(tab: Dashboard) -> None:
    tab.page.goto(f"{tab.site}/ui")
    expect(tab.page.get_by_role("link", name=f"Sign in with {NAME}")).to_be_visible()
    expect(tab.page.get_by_label("Username")).to_be_visible()
    tab.check_looks()
