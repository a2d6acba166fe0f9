"""One server and one browser for all tests of a file; each test has a tab of its own, which must show no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from chalicelib.services import change
from tests.support.api import new_experiment, new_project
from tests.support.browser import WIDE, Dashboard, NoBrowser, running_browser, site_of
from tests.support.grid import make_four, make_large
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
    given = {"DEARDIARY_ARTIFACT_BACKEND": "filesystem", "DEARDIARY_ARTIFACT_FS_ROOT": str(root)}
    with pytest.MonkeyPatch.context() as patch, server_on_moto(**given) as running:
        # Open pages ask for news each second, not every five seconds: tests that await news wait less.
        patch.setattr(change, "_PACE", ((0, 30), (change.MOST_RUNNING, 1)))
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


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server, name="Iris")


@pytest.fixture(scope="module")
def large(server: Server) -> str:
    """An experiment with 1,000 iterations and 40 columns."""
    return make_large(server)


@pytest.fixture(scope="module")
def small(server: Server, project: str) -> str:
    """Four ended iterations: two learning rates, one seed, falling losses."""
    experiment = new_experiment(server, project, name="small")
    make_four(server, experiment)
    return experiment
