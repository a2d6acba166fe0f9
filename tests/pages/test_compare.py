"""Iterations side by side: what differs, their curves, and one difference line by line."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.pages.conftest import Open
from tests.pages.test_home import HOSTILE
from tests.support.api import end, found, made, new_experiment, new_iteration, new_member, new_project
from tests.support.browser import PHONE, Dashboard
from tests.support.server import Server

LOCK = "\n".join(f"package-{number}==1.0" for number in range(40))


def _logged(server: Server, experiment: str, lr: str, loss: float, **fields: Any) -> str:
    iteration = new_iteration(server, experiment, **fields)
    body = {
        "batch_id": "1",
        "parameters": {"lr": lr, "optimizer": "adam"},
        "metrics": [{"key": key, "value": loss + step} for step in range(3) for key in ("loss", f"only/{lr}")]
        + [{"key": "epochs", "value": 3}],
    }
    made(server.call("POST", f"/iterations/{iteration}/log", body))
    snapshot = {
        "git_sha": lr[-1] * 40,
        "manifest_toml": LOCK.replace("package-20==1.0", f"package-20=={lr}"),
        "git_diff": f"-lr = 1\n+lr = {lr}\n",
    }
    found(server.call("PUT", f"/iterations/{iteration}/snapshot", snapshot))
    return iteration


@pytest.fixture(scope="module")
def pair(server: Server) -> list[str]:
    experiment = new_experiment(server, new_project(server, name="Iris"), name="sweep")
    first = _logged(server, experiment, "0.1", 0.5, name="quiet-heron", tags=["best"], labels={"team": "nlp"})
    second = _logged(server, experiment, "0.2", 0.25, name="loud-gull", labels={"team": "nlp"})
    end(server, second)
    return [first, second]


def _open(tab: Dashboard, ids: list[str], **query: str) -> Dashboard:
    tab.open("/compare", {"iterations": ",".join(ids), **query})
    expect(tab.page.get_by_role("heading", name="Line by line")).to_be_visible()
    return tab.settle()


def _line(tab: Dashboard, key: str) -> Locator:
    header = tab.page.get_by_role("rowheader", name=key, exact=True)
    return tab.page.get_by_role("row").filter(has=header)


def test_what_differs_comes_first_and_equal_lines_on_demand(dashboard: Dashboard, pair: list[str]) -> None:
    _open(dashboard, pair)
    expect(_line(dashboard, "lr").get_by_role("cell")).to_have_text(["0.1", "0.2"])
    expect(_line(dashboard, "loss").get_by_role("cell").first).to_contain_text("2.5")
    expect(_line(dashboard, "loss").get_by_role("cell").first).to_contain_text("0.5")
    expect(_line(dashboard, "best").get_by_role("cell")).to_have_text(["✓", "—"])
    expect(_line(dashboard, "commit").get_by_role("cell")).to_have_text(["1" * 12, "2" * 12])
    expect(_line(dashboard, "optimizer")).to_have_count(0)
    # On a narrow screen a long key breaks at its slash, not within a word.
    assert _line(dashboard, "only/0.1").locator("th wbr").count() == 2
    dashboard.page.get_by_role("button", name="Show 1 equal parameters").press("Enter")
    expect(_line(dashboard, "optimizer").get_by_role("cell")).to_have_text(["adam", "adam"])
    dashboard.page.get_by_role("button", name="Show 1 equal labels").click()
    expect(_line(dashboard, "team")).to_be_visible()
    expect(
        dashboard.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="sweep")
    ).to_be_visible()
    dashboard.check_looks()


def test_curves_of_all_are_in_the_same_charts(dashboard: Dashboard, pair: list[str]) -> None:
    _open(dashboard, pair)
    curves = dashboard.page.locator("section.section").filter(has=dashboard.page.get_by_role("heading", name="Curves"))
    expect(curves.locator("canvas").first).to_be_visible()
    expect(curves.get_by_text("loud-gull").first).to_be_visible()
    expect(curves.get_by_text("quiet-heron").first).to_be_visible()


def test_the_difference_of_two_says_what_changed_in_each_text(dashboard: Dashboard, pair: list[str]) -> None:
    _open(dashboard, pair)
    parameters = dashboard.page.get_by_role("region", name="Parameters", exact=True)
    expect(parameters.get_by_role("deletion")).to_have_text(["- lr = 0.1"])
    expect(parameters.get_by_role("insertion")).to_have_text(["+ lr = 0.2"])
    lock = dashboard.page.get_by_role("region", name="Lock file")
    expect(lock.get_by_role("insertion")).to_have_text(["+ package-20==0.2"])
    expect(lock.get_by_text("17 equal lines")).to_be_visible()
    expect(lock.get_by_text("package-3==")).to_have_count(0)
    lock.get_by_role("button", name="Show the equal lines too").click()
    expect(lock.locator("pre")).to_contain_text("package-3==1.0")
    expect(dashboard.page.get_by_role("region", name="Direct dependencies")).to_contain_text("Neither has any")
    dashboard.page.get_by_role("button", name="Swap").click()
    expect(parameters.get_by_role("insertion")).to_have_text(["+ lr = 0.1"])
    dashboard.page.reload()
    expect(parameters.get_by_role("insertion")).to_have_text(["+ lr = 0.1"])


def test_one_of_many_is_removed_and_comes_back_with_the_browsers_history(
    dashboard: Dashboard, server: Server, pair: list[str]
) -> None:
    third = new_iteration(server, name="elsewhere")
    _open(dashboard, [*pair, third])
    expect(dashboard.page.get_by_role("heading", name="Compare 3 iterations")).to_be_visible()
    dashboard.page.get_by_role("button", name="Remove elsewhere").click()
    expect(dashboard.page.get_by_role("heading", name="Compare 2 iterations")).to_be_visible()
    expect(dashboard.page.get_by_role("columnheader", name="elsewhere")).to_have_count(0)
    dashboard.page.go_back()
    expect(dashboard.page.get_by_role("columnheader", name="elsewhere")).to_be_visible()


def test_one_that_is_gone_leaves_the_others(dashboard: Dashboard, pair: list[str]) -> None:
    gone = pair[0][:-4] + "0000"
    _open(dashboard, [*pair, gone])
    expect(dashboard.page.get_by_role("alert")).to_contain_text("Not found")
    dashboard.page.get_by_role("button", name=f"Compare without {gone}").click()
    expect(dashboard.page.get_by_role("alert")).to_have_count(0)
    expect(_line(dashboard, "lr")).to_be_visible()


def test_a_running_iteration_is_read_again(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server)
    ids = [_logged(server, experiment, lr, 1) for lr in ("0.1", "0.2")]
    dashboard.page.clock.install()
    _open(dashboard, ids)
    point = {"batch_id": "2", "metrics": [{"key": "loss", "value": 77}]}
    made(server.call("POST", f"/iterations/{ids[0]}/log", point))
    dashboard.page.clock.run_for(20_000)
    expect(_line(dashboard, "loss").get_by_role("cell").first).to_contain_text("77")


def test_less_than_two_say_how_to_choose(dashboard: Dashboard, pair: list[str]) -> None:
    dashboard.open("/compare", {"iterations": pair[0]})
    expect(dashboard.page.get_by_text("Choose two iterations or more")).to_be_visible()
    dashboard.check_looks()


def test_twenty_are_shown_at_most(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server)
    ids = [_logged(server, experiment, f"0.{number}", number, name=f"run {number}") for number in range(21)]
    _open(dashboard, ids)
    expect(dashboard.page.get_by_text("These are the first 20 of 21.")).to_be_visible()
    expect(dashboard.page.get_by_role("columnheader")).to_have_count(20)
    dashboard.check_looks()


def test_hostile_names_are_text(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server)
    ids = []
    for name in HOSTILE:
        ids.append(new_iteration(server, experiment, name=name))
        body = {"batch_id": "1", "parameters": {name: name * 3}, "tags": [name], "labels": {name: name}}
        made(server.call("POST", f"/iterations/{ids[-1]}/log", body))
        found(server.call("PUT", f"/iterations/{ids[-1]}/snapshot", {"git_diff": f"+{name * 20}"}))
    _open(dashboard, ids)
    for name in HOSTILE:
        expect(dashboard.page.get_by_text(name.strip(), exact=True).first).to_be_attached()
    assert dashboard.page.locator("main img, main script").count() == 0
    dashboard.show("light", {"width": 375, "height": 700})
    dashboard.check_fits()


def test_a_reader_compares(new_tab: Open, server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    ids = [_logged(server, experiment, lr, 1) for lr in ("0.1", "0.2")]
    tab = _open(new_tab(new_member(server, project, "read").username), ids)
    expect(_line(tab, "lr").get_by_role("cell")).to_have_text(["0.1", "0.2"])


def test_two_fit_a_phone(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server, new_project(server))
    lrs = ("/data/of/a/long/path/version-1/train.parquet", "validation_of_the_learning_rate_2")
    compared = [_logged(server, experiment, lr, 1 / 3, name=f"resnet50-warm-restarts-{lr[:9]}") for lr in lrs]
    dashboard.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    _open(dashboard, compared)
    table = dashboard.page.get_by_role("region", name="Differences")
    expect(table.get_by_role("row").nth(2)).to_be_visible()
    assert table.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
