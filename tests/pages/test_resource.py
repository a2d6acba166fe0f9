"""The page of a file: what it is, its preview, where it came from, what has read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Open
from tests.pages.test_home import HOSTILE
from tests.support.api import found, made, new_experiment, new_iteration, new_member, new_project, new_resource
from tests.support.browser import PHONE, Dashboard
from tests.support.server import Server

REPORT = b"# The result\n\nAll is well.\n"


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server, name="Digits")


@pytest.fixture(scope="module")
def iteration(server: Server, project: str) -> str:
    return new_iteration(server, new_experiment(server, project, name="sweep"), name="quiet-heron")


@pytest.fixture
def report(server: Server, iteration: str, tmp_path: Path) -> str:
    path = tmp_path / "report.md"
    path.write_bytes(REPORT)
    experiment = found(server.call("GET", f"/iterations/{iteration}"))["experiment_id"]
    return server.client().resources.upload(experiment, path, iteration_id=iteration).id


def test_a_file_is_found_and_shows_what_it_is(
    dashboard: Dashboard, server: Server, iteration: str, report: str
) -> None:
    experiment = found(server.call("GET", f"/iterations/{iteration}"))["experiment_id"]
    reader = new_iteration(server, experiment, name="reads-it")
    made(server.call("POST", f"/iterations/{reader}/inputs", {"kind": "dataset", "resource_id": report}))
    dashboard.open("/search", {"q": report})
    dashboard.follow("report.md")
    main = dashboard.page.locator("main")
    expect(main.get_by_role("heading", name="report.md", level=1)).to_be_visible()
    stored = found(server.call("GET", f"/resources/{report}"))
    for text in ("27 bytes", stored["content_type"], stored["content_hash"], "stored", "by you"):
        expect(main.get_by_text(text).first).to_be_visible()
    for name in ("quiet-heron", "sweep", "reads-it"):
        expect(main.get_by_role("link", name=name)).to_be_visible()
    expect(main.get_by_role("heading", name="The result")).to_be_visible()
    crumbs = dashboard.page.get_by_role("navigation", name="Breadcrumb")
    expect(crumbs.get_by_role("link")).to_have_text(["Digits", "sweep"])
    dashboard.check_looks()
    with dashboard.page.expect_download() as download:
        main.get_by_role("button", name="Download report.md").click()
    assert Path(download.value.path()).read_bytes() == REPORT


def test_its_name_and_description_are_changed_and_it_is_deleted(
    dashboard: Dashboard, server: Server, project: str, report: str
) -> None:
    dashboard.open(f"/resources/{report}")
    page = dashboard.page
    page.get_by_role("button", name="Add a description").press("Enter")
    page.get_by_label("Description", exact=True).fill("What came out")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("What came out")).to_be_visible()
    page.get_by_role("button", name="Edit name").press("Enter")
    page.get_by_label("Name", exact=True).fill("final.md")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="final.md")).to_be_visible()
    stored = found(server.call("GET", f"/resources/{report}"))
    assert (stored["name"], stored["description"]) == ("final.md", "What came out")
    page.get_by_role("button", name="Delete file").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", name="quiet-heron")).to_be_visible()
    assert server.call("GET", f"/resources/{report}").status == 404
    dashboard.open(f"/projects/{project}/trash")
    page.get_by_role("button", name="Restore final.md").click()
    dashboard.follow("final.md")
    expect(page.get_by_role("heading", name="The result")).to_be_visible()


def test_a_reader_may_only_read_it(new_tab: Open, server: Server, project: str, report: str) -> None:
    tab = new_tab(new_member(server, project, "read").username).open(f"/resources/{report}")
    expect(tab.page.get_by_role("heading", name="The result")).to_be_visible()
    buttons = tab.page.locator("main header").get_by_role("button")
    expect(buttons).to_have_count(1)
    expect(buttons).to_have_accessible_name("Download report.md")


def test_a_file_without_bytes_or_that_is_not_there(dashboard: Dashboard, server: Server, project: str) -> None:
    waiting = new_resource(server, new_experiment(server, project), b"never sent", name="weights.bin")["id"]
    dashboard.open(f"/resources/{waiting}")
    expect(dashboard.page.get_by_text("The upload is not complete.").first).to_be_visible()
    expect(dashboard.page.get_by_role("heading", name="Preview")).to_have_count(0)
    dashboard.open(f"/resources/{waiting}x")
    expect(dashboard.page.get_by_role("alert")).to_contain_text("Not found")


def test_hostile_names_are_text(dashboard: Dashboard, server: Server, project: str) -> None:
    experiment = new_experiment(server, project)
    dashboard.show("light", PHONE)
    for name in HOSTILE[::2]:
        body = {"name": name, "description": name * 3, "content_type": "text/plain"}
        dashboard.open(f"/resources/{new_resource(server, experiment, name.encode(), **body)['id']}")
        expect(dashboard.page.get_by_text(name.strip(), exact=True).first).to_be_attached()
        dashboard.check_fits()
        assert dashboard.page.locator("main :is(img, script)").count() == 0
