"""The table of iterations in the dashboard, for tests of its page: experiments to show, and what a tab shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from urllib.parse import unquote

from playwright.sync_api import FloatRect, Locator, Route, expect

from chalicelib import ids
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.points.summary import pack_summaries, unpack_summaries
from chalicelib.storage.series import SeriesRow
from chalicelib.storage.table import item, keys
from tests.support.api import end, made, new_experiment, new_iteration, new_project
from tests.support.browser import Dashboard
from tests.support.server import Server

ROWS = 1000
KEYS = 20


def make_large(server: Server) -> str:
    """An experiment with 1,000 iterations and 40 columns."""
    experiment = new_experiment(server, new_project(server, name="Digits"), name="large")
    first = new_iteration(server, experiment, name="run 0", labels={f"p{key:02}": "0" for key in range(KEYS)})
    log_values(server, first, {}, {f"m{key:02}": 0.0 for key in range(KEYS)})
    end(server, first)
    _copy(experiment, first, ROWS - 1)
    return experiment


def _copy(experiment: str, source: str, rows: int) -> None:
    """Write the rows of further iterations, each with other labels and metrics: faster than a thousand requests."""
    iteration = item.find(IterationRow, keys.iteration(experiment, source))
    series = item.find(SeriesRow, keys.series(experiment, source))
    assert iteration
    assert series
    summaries, created = unpack_summaries(series.summaries), iteration.created_date
    with IterationRow.batch_write() as batch:
        for number in range(1, rows + 1):
            iteration.id = ids.new_id()
            iteration.name = f"run {number}"
            iteration.created_date = iteration.end_date = created + timedelta(milliseconds=number)
            iteration.labels = {f"p{key:02}": str(number % (key + 2)) for key in range(KEYS)}
            values = {f"m{key:02}": number / (key + 1) for key in range(KEYS)}
            shown = {key: summaries[key]._replace(last=value, min=value, max=value) for key, value in values.items()}
            series.summaries = pack_summaries(shown)
            iteration.sk = keys.iteration(experiment, iteration.id).sk
            series.sk = keys.series(experiment, iteration.id).sk
            batch.save(deepcopy(iteration))
            batch.save(deepcopy(series))


def make_four(server: Server, experiment: str) -> None:
    for number, name in enumerate(["ash", "birch", "cedar", "date"]):
        iteration = new_iteration(server, experiment, name=name, tags=["tree"])
        log_values(server, iteration, {"lr": str([0.1, 0.01][number % 2]), "seed": "7"}, {"loss": 4.5 - number})
        end(server, iteration)


def log_values(server: Server, iteration: str, parameters: dict[str, str], metrics: dict[str, float]) -> None:
    columns = {key: {"step": [0], "value": [value]} for key, value in metrics.items()}
    body = {"batch_id": "1", "parameters": parameters, "metrics": columns}
    made(server.call("POST", f"/iterations/{iteration}/log", body))


def open_table(tab: Dashboard, experiment: str, **query: str) -> Dashboard:
    tab.open(f"/experiments/{experiment}", query)
    expect(rows_of(tab).first).to_be_visible()
    # The first rows are there before the rest of their page.
    expect(tab.page.locator(".grid")).to_have_attribute("aria-busy", "false")
    return tab


def rows_of(tab: Dashboard) -> Locator:
    return tab.page.locator(".grid tbody tr[data-line]")


def names_of(tab: Dashboard) -> Locator:
    return tab.page.locator(".grid tbody th")


def write_filter(tab: Dashboard, text: str) -> None:
    tab.page.get_by_label("Filter").fill(text)
    tab.page.get_by_label("Filter").press("Enter")


def query_of(tab: Dashboard) -> str:
    return unquote(tab.page.url.partition("?")[2])


def use_column(tab: Dashboard, name: str, act: str) -> None:
    tab.page.get_by_role("columnheader").filter(has=tab.page.get_by_label(f"Column {name}", exact=True)).hover()
    tab.page.get_by_label(f"Column {name}", exact=True).click()
    tab.page.get_by_role("button", name=act).locator("visible=true").click()


def cell_of(tab: Dashboard, name: str, column: str) -> Locator:
    return tab.page.get_by_role("row", name=f"Select {name} ").locator(f'[data-column="{column}"]')


def in_pages_of(rows: int) -> Callable[[Route], None]:
    """Ask for small pages in place of large ones."""
    return lambda route: route.continue_(url=re.sub("limit=[0-9]+", f"limit={rows}", route.request.url))


def box_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box
    return box
