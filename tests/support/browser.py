"""Chromium, driven by Playwright, and the dashboard in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from infra.dashboard import build
from infra.local.server import serving
from tests.support.server import Server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 720}
THEMES = ("light", "dark")
# A busy machine may take long; a test that passes does not wait for it.
SECONDS = 60


class NoBrowser(Exception):
    """The dashboard cannot be opened here; the message says why."""


def find_chromium() -> str:
    """The path of a browser of this machine. NoBrowser without one."""
    found = os.environ.get("DEARDIARY_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise NoBrowser("no Chromium on this machine: apt-get install chromium, or name one in DEARDIARY_CHROMIUM")
    return found


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium. NoBrowser if there is none, or no dashboard to open in it."""
    path = find_chromium()
    if build.built_hash() is None:
        raise NoBrowser("the dashboard is not built: `make dashboard` says why")
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@contextmanager
def site_of(server: Server) -> Iterator[str]:
    """The URL at which a browser reaches the app of this server."""
    from app import app

    assert server  # it has set the environment of the app
    with serving(app, first_port=0) as url:
        yield url


@dataclass
class Dashboard:
    """A tab with the dashboard. `problems` is what the browser complained about."""

    page: Page
    site: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        # A refusal that the page handles, such as 401, is in the console too.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(message.text)

    def sign_in(self, token: str) -> None:
        """Have the cookie of a session, without the dialog."""
        host = urlsplit(self.site).hostname
        self.page.context.add_cookies([{"name": "deardiary", "value": token, "domain": str(host), "path": "/"}])

    def open(self, path: str = "/", query: Mapping[str, str] | None = None) -> Dashboard:
        """Open a page of the dashboard, and wait until it shows something."""
        search = f"?{urlencode(query)}" if query else ""
        self.page.goto(f"{self.site}/ui#{path}{search}")
        return self.settle()

    def settle(self) -> Dashboard:
        """Wait until nothing is loading."""
        expect(self.page.locator("main > *").first).to_be_visible()
        expect(self.page.locator(".loading")).to_have_count(0)
        return self

    def follow(self, name: str) -> Dashboard:
        """Follow the first link of this name in the page."""
        self.page.locator("main").get_by_role("link", name=name, exact=True).first.click()
        return self.settle()

    def show(self, theme: str, viewport: Mapping[str, int]) -> None:
        """Show the page in a theme of the system and at a size."""
        self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        self.page.set_viewport_size({"width": viewport["width"], "height": viewport["height"]})

    def check_looks(self) -> None:
        """In both themes, and on a phone: nothing is wider than the screen, and axe has no serious finding."""
        for viewport in (WIDE, PHONE):
            for theme in THEMES:
                self.show(theme, viewport)
                self.check_fits()
                # A theme differs from another in its colours only.
                findings = self.findings() if theme == THEMES[0] else self.findings("color-contrast")
                assert not findings, "\n".join([f"{self.page.url}, {theme}, {viewport['width']} pixels:", *findings])
        self.show("light", WIDE)

    def check_fits(self) -> None:
        widths = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], f"{self.page.url} is {widths[0]} pixels wide on a screen of {widths[1]}"

    def findings(self, *rules: str) -> list[str]:
        """The serious findings of axe, by these rules or all: the rule, and the elements."""
        # The elements without a finding are not described: that took four fifths of the time.
        options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
        # Its half a megabyte is read once for each document.
        axe = Axe("0" if self.page.evaluate("'axe' in window") else AXE_SCRIPT)
        violations = axe.run(self.page, options=options).response["violations"]
        return [
            f"{each['id']}: {node['html'][:200]} {_first_line(node['failureSummary'])}"
            for each in violations
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]


def _first_line(summary: str) -> str:
    return re.sub(r"\s+", " ", summary)[:200]
