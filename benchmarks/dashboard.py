"""The dashboard in headless Chromium: how fast its pages show, what they send, and what an open one costs.

Our local server and `mlflow server` with SQLite run on this machine, filled through their APIs and restarted. Each page
opens with an empty cache. Its time is from the navigation until the frame after the one that paints the awaited part,
by the page's clock; the rounds open ours and MLflow's in turn, and the figure is the median. Sizes are of all bodies by
gzip, whatever the server sends, in KB of 1,000 bytes.

first_load_kb_gzip   page, scripts and styles that the first page loads; mlflow_first_load_kb the same of MLflow's
table_1000_s         the first rows of the table of an experiment with 1,000 ended iterations, 20 parameters and 20
                     metrics each; by then the page has the first 100. MLflow shows the same runs, and loads 100 too
table_1000_whole_s   until the page has all 1,000, which it reads behind the first
table_1000_kb        all that the page of this table received by then
table_10000_s        table_1000_s for 10,000 iterations; table_10000_whole_s until the page has the first 1,000
scroll_frame_ms      the 95th percentile of the times between frames while this table scrolls by three rows a frame;
                     script_ms_per_frame is the time that our scripts took of each
chart_20x100k_s      the curves of 20 ended iterations with 100,000 points; chart_20x100k_cold_s the first opening
live_tab_...         read units an hour of an open table of 1,000 iterations of which 50, scattered, run and log between
                     any two polls: the requests between some polls, repeated to the server's code in this process,
                     and counted by DynamoDB's rules
ratio                mlflow_table_1000_s over table_1000_s
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from playwright.sync_api import Browser

from benchmarks.kit import experiments, live_tab
from benchmarks.kit.pages import Opened, opened
from benchmarks.kit.processes import end_on_sigterm, local_server
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_page, mlflow_server
from tests.support.browser import running_browser

ROWS_PAINTED = "return document.querySelectorAll('.grid tbody tr[data-line]').length >= %d"
PAGE_IS_WHOLE = "return document.querySelector('.grid')?.getAttribute('aria-busy') === 'false'"
CURVES_PAINTED = "return !!document.querySelector('.chart-canvas canvas')"
HOME_PAINTED = "return !!document.querySelector('main h1, main h2')"
MLFLOW_HOME_PAINTED = "return document.body.innerText.length > 200"
SCREEN_OF_ROWS = 10
GRID, THREE_ROWS = ".grid", 96


@dataclass(frozen=True, slots=True)
class Load:
    """The amounts of data, and of repetitions."""

    rows: int
    many_rows: int
    curves: int
    points: int
    running: int
    polls: int
    frames: int
    rounds: int
    settled: float


FULL = Load(
    rows=1000, many_rows=10_000, curves=20, points=100_000, running=50, polls=4, frames=250, rounds=5, settled=90
)


@dataclass(frozen=True, slots=True)
class Filled:
    """The ids of the experiments, and of the iterations that have curves."""

    table: str
    many: str
    live: str
    charts: str
    curves: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("dashboard", __doc__, arguments)
    end_on_sigterm()
    show(options, measure(FULL, peer=options.peer))
    return 0


def measure(load: Load, *, peer: bool) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        ours, theirs = Path(name) / "ours", Path(name) / "mlflow"
        filled = _fill(ours, load)
        mlflow_table = _fill_mlflow(theirs, load) if peer else None
        served = stack.enter_context(local_server(ours))
        browser = stack.enter_context(running_browser())
        pages = _our_pages(served.url, filled, load)
        if mlflow_table:
            url = stack.enter_context(mlflow_server.mlflow_server(theirs)).url
            pages |= _mlflow_pages(url, mlflow_table)
        figures = _timed(browser, pages, load)
        figures["live_tab_read_units_per_hour"] = live_tab.read_units_per_hour(
            browser, served, filled.live, load.running, load.polls, load.settled
        )
    if peer:
        figures["ratio"] = figures["mlflow_table_1000_s"] / figures["table_1000_s"]
    return figures


def _fill(directory: Path, load: Load) -> Filled:
    with local_server(directory) as served:
        table, many, live = (
            experiments.make_table(served.url, rows) for rows in (load.rows, load.many_rows, load.rows)
        )
        charts, curves = experiments.make_curves_of(served.url, load.curves, load.points)
    return Filled(table, many, live, charts, curves)


def _fill_mlflow(directory: Path, load: Load) -> str:
    with mlflow_server.mlflow_server(directory) as served:
        return mlflow_page.make_table(served.url, load.rows)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page to open, what is awaited, and the figures that its opening gives besides the time."""

    url: str
    painted: str
    further: Callable[[Opened, Load], dict[str, float]] = lambda *_: {}


def _our_pages(url: str, filled: Filled, load: Load) -> dict[str, Visit]:
    page, rows = f"{url}/ui#/experiments", ROWS_PAINTED % min(SCREEN_OF_ROWS, load.rows)
    shown = urlencode({"chart-shown": ",".join(filled.curves)})
    return {
        "first_load_s": Visit(f"{url}/ui", HOME_PAINTED, lambda opened, _: {"first_load_kb_gzip": opened.code_kb()}),
        "table_1000_s": Visit(f"{page}/{filled.table}", rows, _scrolled),
        "table_10000_s": Visit(f"{page}/{filled.many}", rows, _whole_10000),
        "chart_20x100k_s": Visit(f"{page}/{filled.charts}/charts?{shown}", CURVES_PAINTED),
    }


def _mlflow_pages(url: str, table: str) -> dict[str, Visit]:
    home = lambda opened, _: {"mlflow_first_load_kb": opened.code_kb()}  # noqa: E731
    return {
        "mlflow_first_load_s": Visit(url, MLFLOW_HOME_PAINTED, home),
        "mlflow_table_1000_s": Visit(mlflow_page.table_url(url, table), mlflow_page.ROWS_PAINTED),
    }


def _whole_10000(opened: Opened, _: Load) -> dict[str, float]:
    return {"table_10000_whole_s": opened.seconds_until(PAGE_IS_WHOLE)}


def _scrolled(opened: Opened, load: Load) -> dict[str, float]:
    seconds = opened.seconds_until(PAGE_IS_WHOLE)
    size = opened.kb_gzip()
    frames, script_ms = opened.scrolled(GRID, THREE_ROWS, load.frames)
    whole = {"table_1000_whole_s": seconds, "table_1000_kb": size}
    return whole | {"scroll_frame_ms": _p95(frames), "script_ms_per_frame": script_ms}


def _timed(browser: Browser, pages: dict[str, Visit], load: Load) -> dict[str, Number]:
    """The medians over the rounds. The first round warms the servers; of it only the cold chart is a figure."""
    found: dict[str, list[float]] = {}
    for turn in range(load.rounds + 1):
        for name, visit in pages.items():
            with opened(browser, visit.url, visit.painted) as page:
                figures = {name: page.seconds} | visit.further(page, load)
            if turn == 0 and name == "chart_20x100k_s":
                found["chart_20x100k_cold_s"] = [page.seconds]
            for key, value in figures.items() if turn else ():
                found.setdefault(key, []).append(value)
    return {name: median(values) for name, values in found.items()}


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1]


if __name__ == "__main__":
    sys.exit(main())
