"""Write pictures of every page of the dashboard into docs/images/: ``python -m docs.screenshots``.

With names of pages only those: ``python -m docs.screenshots experiment home``. With ``--whole`` a picture has the whole
page, not only what the screen shows of it first. The server runs in this process, on data of its own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from docs.screenshot_data import log_example
from tests.support.browser import PHONE, WIDE, Dashboard, running_browser, site_of
from tests.support.server import server_on_moto

FOLDER = Path(__file__).parent / "images"
# Wide and on a phone, in both themes.
LOOKS = {
    "": ("light", WIDE),
    "-dark": ("dark", WIDE),
    "-phone": ("light", PHONE),
    "-phone-dark": ("dark", PHONE),
}
WHOLE = "--whole"


def main(*arguments: str) -> int:
    """Write the pictures of these pages, or of all."""
    wanted = [each for each in arguments if each != WHOLE] or list(PAGES)
    with tempfile.TemporaryDirectory() as root:
        settings = {"DEARDIARY_ARTIFACT_BACKEND": "filesystem", "DEARDIARY_ARTIFACT_FS_ROOT": root}
        with server_on_moto(**settings) as server, site_of(server) as site, running_browser() as browser:
            example = log_example(server)
            users = {"": server.token(), "newcomer": server.token(example.newcomer), "nobody": ""}
            tabs = {user: Dashboard(browser.new_context(locale="en-GB").new_page(), site) for user in users}
            for user, token in users.items():
                if token:
                    tabs[user].sign_in(token)
            for name in wanted:
                _take(tabs[USERS.get(name, "")], name, example.ids, whole=WHOLE in arguments)
            for tab in tabs.values():
                tab.page.context.close()
    print(f"{len(wanted) * len(LOOKS)} pictures in {FOLDER}")
    return 0


def _take(tab: Dashboard, name: str, ids: dict[str, str], *, whole: bool) -> None:
    for suffix, (theme, viewport) in LOOKS.items():
        tab.show(theme, viewport)
        tab.page.mouse.move(0, 0)
        PAGES[name](tab, ids)
        # Names are read, and curves drawn, when they come onto the screen.
        expect(tab.page.locator(".versions, .facts, .cards").get_by_text("…", exact=True)).to_have_count(0)
        expect(tab.page.locator(".is-waiting")).to_have_count(0)
        tab.page.screenshot(path=FOLDER / f"{name}{suffix}.png", full_page=whole)


Open = Callable[[Dashboard, dict[str, str]], object]


def _page(path: str, **query: str) -> Open:
    """Open a path; `{project}` in it is an id."""
    return lambda tab, ids: tab.open(
        path.format(**ids), {name: value.format(**ids) for name, value in query.items()} or None
    )


def _charts(path: str, **query: str) -> Open:
    def open_charts(tab: Dashboard, ids: dict[str, str]) -> None:
        _page(path, **query)(tab, ids)
        expect(tab.page.locator(".chart-canvas canvas").first).to_be_visible()

    return open_charts


def _home(tab: Dashboard, _: dict[str, str]) -> None:
    tab.open()
    expect(tab.page.get_by_text("Nothing is running")).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Activity")).to_be_visible()


def _file(tab: Dashboard, ids: dict[str, str]) -> None:
    _page("/iterations/{iteration}", tab="files")(tab, ids)
    tab.follow("media/samples/20.svg")
    expect(tab.page.get_by_role("img")).to_be_visible()


def _dialog(path: str, button: str) -> Open:
    def open_dialog(tab: Dashboard, ids: dict[str, str]) -> None:
        # From another page: the same URL alone would leave the dialog of the last picture open.
        tab.page.goto("about:blank")
        _page(path)(tab, ids)
        tab.page.get_by_role("button", name=button).first.click()
        expect(tab.page.get_by_role("dialog")).to_be_visible()

    return open_dialog


def _sign_in(tab: Dashboard, _: dict[str, str]) -> None:
    tab.page.goto(f"{tab.site}/ui")
    expect(tab.page.get_by_label("Password")).to_be_visible()


# What to open for each page; a new page adds its line.
PAGES: dict[str, Open] = {
    "home": _home,
    "project": _page("/projects/{project}"),
    "experiment": _page("/experiments/{experiment}"),
    "charts": _charts("/experiments/{experiment}/charts"),
    "chart-large": _charts("/experiments/{experiment}/charts", **{"chart-large": "valid/loss"}),
    "iteration": _page("/iterations/{iteration}"),
    "iteration-charts": _charts("/iterations/{iteration}", tab="charts"),
    "iteration-failed": _page("/iterations/{failed}"),
    "iteration-console": _page("/iterations/{running}", tab="console"),
    "iteration-files": _file,
    "iteration-environment": _page("/iterations/{iteration}", tab="environment"),
    "iteration-lineage": _page("/iterations/{iteration}", tab="lineage"),
    "compare": _page("/compare", iterations="{compared}"),
    "model": _page("/models/{model}"),
    "model-promotion": _dialog("/models/{model}", "Change the stage of version 3"),
    "model-add-version": _dialog("/models/{model}", "Add a version"),
    "modelversion": _page("/modelversions/{version}"),
    "resource": _page("/resources/{resource}"),
    "members": _page("/projects/{project}/members"),
    "account": _page("/account"),
    "users": _page("/users"),
    "trash": _page("/trash"),
    "project-trash": _page("/projects/{project}/trash"),
    "search": _page("/search", q="digits"),
    "sign-in": _sign_in,
    "empty-home": _page("/"),
    "empty-project": _page("/projects/{empty}"),
    "empty-experiment": _page("/experiments/{unbegun}"),
    "empty-charts": _page("/experiments/{bare}/charts"),
    "empty-iteration": _page("/iterations/{fresh}"),
    "empty-model": _page("/models/{unused}"),
    "empty-trash": _page("/projects/{empty}/trash"),
    "empty-search": _page("/search", q="zebra"),
    "empty-compare": _page("/compare"),
    "not-found": _page("/projects/nowhere"),
}
# Who looks at a page; the admin at the others.
USERS = {"empty-home": "newcomer", "sign-in": "nobody"}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
