"""One server and one browser for all tests of a file; each test has a tab of its own, which must show no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import WIDE, Dashboard, NoBrowser, running_browser, site_of
from tests.support.server import ADMIN, Server, server_on_moto

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """It ends with its file: while Playwright runs, its thread has an event loop, so no other test can use asyncio."""
    try:
        with running_browser() as running:
            yield running
    except NoBrowser as reason:
        pytest.skip(f"No page is tested: {reason}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("artifacts")
    with server_on_moto(DEARDIARY_ARTIFACT_BACKEND="filesystem", DEARDIARY_ARTIFACT_FS_ROOT=str(root)) as running:
        yield running


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[str]:
    with site_of(server) as url:
        yield url


@pytest.fixture
def new_tab(browser: Browser, site: str, server: Server) -> Iterator[Open]:
    """Open tabs: `new_tab()` as the admin, `new_tab("ada")` as another user, `new_tab(None)` without a session."""
    tabs: list[Dashboard] = []

    def open_tab(username: str | None = ADMIN) -> Dashboard:
        context = browser.new_context(viewport={"width": WIDE["width"], "height": WIDE["height"]}, locale="en-GB")
        tab = Dashboard(context.new_page(), site)
        if username:
            tab.sign_in(server.token(username))
        tabs.append(tab)
        return tab

    yield open_tab
    for tab in tabs:
        tab.page.context.close()
    assert [tab.problems for tab in tabs if tab.problems] == []


@pytest.fixture
def dashboard(new_tab: Open) -> Dashboard:
    """A tab of the admin."""
    return new_tab()
