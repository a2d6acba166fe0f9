"""Pages in headless Chromium: the time until something is painted, the bytes received, and the frames of scrolling.

Each page opens in a new context, so with an empty cache. Times are of the page's own clock, from its navigation. Bytes
are those of all bodies by gzip at its highest level, whatever the server sends: API Gateway compresses, `infra.local`
does not.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Page, Request, Response

from tests.support.browser import WIDE

PATIENCE_MS = 120_000
KB = 1000
_CODE = {"document", "script", "stylesheet"}

# Looks at each frame. The time is of the frame after the one that has painted what is awaited.
_WATCH = """
window.painted = new Promise((done) => {
  const isThere = () => { %s };
  const look = () => {
    if (document.body && isThere()) requestAnimationFrame(() => setTimeout(() => done(performance.now())));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
"""

_SCROLL = """
([selector, pixels, frames]) => new Promise((done) => {
  const element = document.querySelector(selector), intervals = [];
  let before = 0;
  let left = Math.floor((element.scrollHeight - element.clientHeight) / pixels);
  const step = (now) => {
    if (before) intervals.push(now - before);
    before = now;
    if (intervals.length >= frames || left-- <= 0) return done(intervals);
    element.scrollBy(0, pixels);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""


@dataclass(slots=True)
class Opened:
    """A page that shows what was awaited: the seconds from its navigation, and what it received until then.

    `requests` and `all_responses` have those of later too.
    """

    page: Page
    seconds: float
    responses: list[Response]
    all_responses: list[Response]
    requests: list[Request]

    def seconds_until(self, painted: str) -> float:
        """Wait until the body of another JavaScript function returns true. Return the seconds from the navigation."""
        return self.page.evaluate(f"() => {{ {_WATCH % painted}; return window.painted; }}") / 1000  # type: ignore[no-any-return]

    def kb_gzip(self) -> float:
        """All bodies received until now, in KB of 1,000 bytes."""
        return _kb_gzip(self.all_responses)

    def code_kb(self) -> float:
        """The page, its scripts and styles, without what it asked its API."""
        return _kb_gzip(each for each in self.responses if each.request.resource_type in _CODE)

    def scrolled(self, selector: str, pixels: int, frames: int) -> tuple[list[float], float]:
        """The times between frames while an element scrolls by so many pixels in each, and of scripts in a frame."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Performance.enable")
        before = _script_ms(session)
        intervals: list[float] = self.page.evaluate(_SCROLL, [selector, pixels, frames])
        return intervals, (_script_ms(session) - before) / len(intervals)


@contextmanager
def opened(browser: Browser, url: str, painted: str) -> Iterator[Opened]:
    """Open a page with an empty cache; wait until the body of a JavaScript function, `painted`, returns true."""
    context = browser.new_context(viewport={"width": WIDE["width"], "height": WIDE["height"]}, locale="en-GB")
    try:
        page, responses, requests = context.new_page(), [], []
        page.on("request", lambda request: requests.append(request))
        page.on("response", lambda response: responses.append(response))
        page.add_init_script(_WATCH % painted)
        page.goto(url, wait_until="commit")
        seconds = page.evaluate("window.painted") / 1000
        yield Opened(page, seconds, list(responses), responses, requests)
    finally:
        context.close()


def _kb_gzip(responses: Iterable[Response]) -> float:
    return sum(len(gzip.compress(each.body(), 9)) for each in responses if each.status == 200) / KB


def _script_ms(session: CDPSession) -> float:
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(found["ScriptDuration"]) * 1000
