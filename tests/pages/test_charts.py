"""The charts of an experiment: what is mounted, found, zoomed, read aloud, saved and kept in the URL."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Locator, expect

from tests.support.api import made, new_experiment, new_iteration, new_project
from tests.support.browser import PHONE, Dashboard
from tests.support.server import Server

POINTS = 1500


@pytest.fixture(scope="module")
def experiment(server: Server) -> str:
    """Two iterations with a long curve, a short one with values that are not finite, and sixty small metrics."""
    experiment = new_experiment(server, new_project(server, name="Digits"), name="sweep")
    for number, name in enumerate(["first", "second"]):
        iteration = new_iteration(server, experiment, name=name)
        falling = [(number + 1) * math.exp(-step / 300) for step in range(POINTS)]
        _log(server, iteration, **{"train/loss": falling, "valid/loss": [number + 0.5, 0.25, 0.125]})
    small = {f"weights/layer{number}": [number] for number in range(60)}
    _log(server, iteration, odd=[1, "NaN", 2, "Infinity", "-Infinity"], **small)
    server.call("PATCH", f"/iterations/{iteration}", {"status_id": 2})
    return experiment


def _log(server: Server, iteration: str, **curves: Sequence[float | str]) -> None:
    columns = {key: {"step": list(range(len(values))), "value": values} for key, values in curves.items()}
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": str(columns)[:100], "metrics": columns}))


def _open(tab: Dashboard, experiment: str, **query: str) -> Dashboard:
    tab.open(f"/experiments/{experiment}/charts", {f"chart-{name}": value for name, value in query.items()})
    expect(tab.page.locator(".chart").first).to_be_visible()
    return tab


def _card(tab: Dashboard, metric: str) -> Locator:
    return tab.page.get_by_role("figure", name=metric, exact=True)


def _plot(tab: Dashboard, metric: str) -> Locator:
    plot = _card(tab, metric).locator(".chart-canvas")
    expect(plot.locator("canvas")).to_be_visible()
    return plot


def _query(tab: Dashboard) -> str:
    return unquote(tab.page.url.partition("?")[2])


def test_only_charts_on_the_screen_are_mounted(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment)
    _plot(dashboard, "train/loss")
    expect(dashboard.page.locator(".chart")).to_have_count(63)
    assert dashboard.page.locator(".chart canvas").count() < 20
    last = _card(dashboard, "weights/layer59")
    expect(last.locator("canvas")).to_have_count(0)
    last.scroll_into_view_if_needed()
    expect(last.locator("canvas")).to_be_visible()
    expect(_card(dashboard, "train/loss").locator("canvas")).to_have_count(0)


def test_a_regular_expression_finds_metrics_and_a_wrong_one_says_why(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment)
    search = dashboard.page.get_by_label("Metrics (regular expression)")
    search.fill("^(train|valid)/")
    expect(dashboard.page.locator(".chart")).to_have_count(2)
    assert "chart-metrics=^(train|valid)/" in _query(dashboard)
    search.fill("(")
    expect(dashboard.page.get_by_text("Not a regular expression")).to_be_visible()
    expect(search).to_have_attribute("aria-invalid", "true")


def test_a_chart_says_how_much_of_its_curves_is_shown(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="loss|odd")
    expect(_card(dashboard, "train/loss")).to_contain_text("3,000 points in 375 buckets")
    expect(_card(dashboard, "valid/loss")).to_contain_text("6 points")
    expect(_card(dashboard, "odd")).to_contain_text("5 points · 3 not finite")


def test_the_keyboard_reads_values_and_the_cursor_is_in_all_charts(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="loss")
    plot, other = _plot(dashboard, "valid/loss"), _card(dashboard, "train/loss")
    plot.focus()
    plot.press("ArrowRight")
    said = _card(dashboard, "valid/loss").locator("[aria-live]")
    expect(said).to_have_text("step 0: second 1.5, first 0.5")
    plot.press("ArrowRight")
    expect(said).to_have_text(re.compile("^step 1: (first|second) 0.25, "))
    plot.press("ArrowDown")
    expect(said).to_have_text(re.compile("^step 1: second 0.25$"))
    expect(other.locator(".values li")).to_have_count(1)
    expect(other.locator(".values .is-lit")).to_contain_text("second")
    expect(dashboard.page.locator(".chart-legend .is-lit")).to_contain_text("second")


def test_a_zoom_reads_the_selected_steps_again(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="train/loss")
    box = _plot(dashboard, "train/loss").locator(".u-over").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    dashboard.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    dashboard.page.mouse.down()
    dashboard.page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=4)
    with dashboard.page.expect_request(re.compile("min_x=")) as request:
        dashboard.page.mouse.up()
    found = re.search(r"min_x=(\d+)", request.value.url)
    assert found
    assert abs(int(found[1]) - POINTS / 2) < 20
    expect(_card(dashboard, "train/loss")).to_contain_text(
        re.compile("^train/loss.*(30|29)[0-9] buckets? of|[56][0-9]{2} of 3,000 points")
    )
    assert "chart-zoom=" in _query(dashboard)
    dashboard.page.mouse.move(box["x"] + box["width"] * 0.4, middle, steps=4)
    expect(_card(dashboard, "train/loss").locator(".values")).to_contain_text("second")
    dashboard.page.get_by_role("heading", level=1).hover()
    expect(_card(dashboard, "train/loss").locator(".values")).to_have_count(0)
    _plot(dashboard, "train/loss").press("Escape")
    expect(dashboard.page).to_have_url(re.compile("^(?!.*chart-zoom)"))


def test_charts_that_are_shown_together_are_read_together(dashboard: Dashboard, experiment: str) -> None:
    requests: list[str] = []
    dashboard.page.on("request", lambda request: requests.append(unquote(request.url)))
    _open(dashboard, experiment, metrics="weights/layer[0-5]$")
    for number in range(6):
        _plot(dashboard, f"weights/layer{number}")
    (curves,) = (url for url in requests if "/metrics/curves" in url)
    assert [f"key=weights/layer{number}" in curves for number in range(7)] == [True] * 6 + [False]


def test_settings_are_in_the_url_and_iterations_are_chosen(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="valid/loss")
    page = dashboard.page
    page.get_by_label("Smoothing", exact=True).select_option(label="Gaussian")
    page.get_by_label("Horizontal axis").select_option(label="Time since the start")
    page.get_by_label("Log y").check()
    page.get_by_label("Show second").uncheck()
    _plot(dashboard, "valid/loss")
    for part in ("chart-smooth=gaussian:3", "chart-x=relative", "chart-log=y", "chart-shown="):
        assert part in _query(dashboard)
    page.reload()
    dashboard.settle()
    expect(page.get_by_label("Show first")).to_be_checked()
    expect(page.get_by_label("Show second")).not_to_be_checked()
    expect(page.get_by_label("Log y")).to_be_checked()
    expect(_plot(dashboard, "valid/loss")).to_have_attribute("aria-label", "valid/loss, 1 curve")


def test_the_curves_of_many_iterations_are_read_once(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server, new_project(server))
    for number in range(10):
        _log(server, new_iteration(server, experiment), loss=[number, 2 * number])
    requests: list[str] = []
    dashboard.page.on("request", lambda request: requests.append(request.url))
    _open(dashboard, experiment)
    expect(_plot(dashboard, "loss")).to_have_attribute("aria-label", "loss, 10 curves")
    assert len([url for url in requests if "/metrics/curves?" in url]) == 1


def test_groups_have_their_mean_and_deviation(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server, new_project(server))
    for number in range(4):
        iteration = new_iteration(server, experiment)
        server.call("POST", f"/iterations/{iteration}/parameters", {"key": "lr", "value": str(number % 2)})
        _log(server, iteration, loss=[number, 10 * number])
    _open(dashboard, experiment)
    dashboard.page.get_by_label("Group by").select_option("lr")
    expect(_card(dashboard, "loss")).to_contain_text("mean ± standard deviation")
    plot = _plot(dashboard, "loss")
    expect(plot).to_have_attribute("aria-label", "loss, 2 curves")
    plot.press("End")
    expect(_card(dashboard, "loss").locator("[aria-live]")).to_have_text("step 1: lr = 1 20, lr = 0 10")


def test_a_chart_is_a_table_and_files(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="valid/loss")
    _plot(dashboard, "valid/loss")
    files = {ending: _save(dashboard, "valid/loss", ending) for ending in ("PNG", "SVG", "CSV")}
    assert files["PNG"].startswith(b"\x89PNG")
    assert files["SVG"].startswith(b"<svg")
    assert b"valid/loss" in files["SVG"]
    assert files["CSV"].decode().splitlines() == ["step,second,first", "0,1.5,0.5", "1,0.25,0.25", "2,0.125,0.125"]
    _choose(dashboard, "valid/loss", "Show as a table")
    expect(_card(dashboard, "valid/loss").get_by_role("row")).to_have_count(4)
    dashboard.check_looks()


def _choose(tab: Dashboard, metric: str, name: str) -> None:
    tab.page.get_by_label(f"Save or read {metric}").click()
    tab.page.get_by_role("button", name=name).click()


def _save(tab: Dashboard, metric: str, ending: str) -> bytes:
    with tab.page.expect_download() as download:
        _choose(tab, metric, f"Save as {ending}")
    assert download.value.suggested_filename == f"valid-loss.{ending.lower()}"
    return Path(download.value.path()).read_bytes()


def test_a_running_curve_grows_by_its_last_point(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, new_experiment(server, new_project(server)), name="live")
    _log(server, iteration, loss=[1.0] * 40)
    experiment = str(server.call("GET", f"/iterations/{iteration}").body["experiment_id"])
    dashboard.page.clock.install()
    _open(dashboard, experiment)
    expect(_card(dashboard, "loss")).to_contain_text("40 points")
    dashboard.page.wait_for_load_state("networkidle")
    requests: list[str] = []
    dashboard.page.on("request", lambda request: requests.append(request.url))
    server.call("POST", f"/iterations/{iteration}/metrics", {"key": "loss", "value": 7.5, "step": 40})
    dashboard.page.clock.fast_forward(9_000)
    expect(_card(dashboard, "loss")).to_contain_text("41 points")
    plot = _plot(dashboard, "loss")
    plot.press("End")
    expect(_card(dashboard, "loss").locator("[aria-live]")).to_have_text("step 40: live 7.5")
    assert [url for url in requests if "/iterations/changes?" not in url] == []


def test_charts_look_well(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="loss|odd")
    _plot(dashboard, "train/loss")
    dashboard.check_looks()
    dashboard.show("dark", PHONE)
    dashboard.check_fits()


def test_a_chart_is_shown_large_and_closed_by_keyboard(dashboard: Dashboard, experiment: str) -> None:
    _open(dashboard, experiment, metrics="loss")
    page = dashboard.page
    small = _plot(dashboard, "train/loss")
    for key in ("f", "Enter"):
        small.press(key)
        dialog = page.get_by_role("dialog", name="train/loss")
        plot = dialog.locator(".chart-canvas")
        expect(plot.locator("canvas")).to_be_visible()
        box = plot.bounding_box()
        assert box
        assert box["width"] > 1000
        assert box["height"] > 400
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(small).to_be_focused()
    _card(dashboard, "train/loss").get_by_role("button", name="Show train/loss large").click()
    expect(dialog.get_by_text("3,000 points in 375 buckets")).to_be_visible()
    expect(dialog.locator(".chart-names li")).to_have_count(2)
    plot.focus()
    plot.press("ArrowRight")
    expect(dialog.locator("[aria-live]").first).to_have_text(re.compile("^step 0: second 1.98"))
    dialog.get_by_label("Smoothing", exact=True).select_option("ema")
    plot.press("+")
    expect(page).to_have_url(re.compile("chart-large=train.*chart-smooth=ema.*chart-zoom="))
    expect(dialog.get_by_role("button", name="show all")).to_be_visible()
    dashboard.check_looks()
    page.reload()
    expect(plot.locator("canvas")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    assert "chart-large" not in page.url


def test_check_boxes_stand_in_the_middle_and_the_line_of_a_section_is_as_wide_as_its_charts(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    rows = server.call("GET", f"/experiments/{experiment}/iterations").body["data"]
    dashboard.open(f"/iterations/{rows[0]['id']}", {"tab": "charts"})
    expect(dashboard.page.locator(".chart").first).to_be_visible()
    places = dashboard.page.evaluate("""() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect();
        const middle = (selector) => box(selector).top + box(selector).height / 2;
        const off = middle(".chart-checks label") - middle(".chart-tools select");
        return [off, box(".chart-section").width - box(".chart-section > summary").width];
    }""")
    assert places == pytest.approx([0, 0], abs=1.5)
