"""Models: versions with stages and aliases, promotion, lineage both ways, the file behind a version."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.pages.conftest import Open
from tests.pages.test_home import HOSTILE
from tests.support.api import found, made, new_experiment, new_iteration, new_member, new_project
from tests.support.browser import Dashboard
from tests.support.server import Server

WEIGHTS = b"weights \x00\xff of the production model"


@pytest.fixture
def project(server: Server) -> str:
    return new_project(server, name="Iris")


@pytest.fixture
def model(server: Server, project: str) -> str:
    body = {"name": "classifier", "description": "Which iris?", "labels": {"owner": "ada"}}
    return str(made(server.call("POST", f"/projects/{project}/models", body))["id"])


@pytest.fixture
def versions(server: Server, project: str, model: str) -> list[Any]:
    """Two versions of one iteration; the first is in production."""
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment, name="quiet-heron")
    bodies: list[dict[str, Any]] = [{"description": "the first"}, {"source": "s3://elsewhere/model"}]
    created = [made(server.call("POST", f"/models/{model}/versions", {"iteration_id": iteration, **b})) for b in bodies]
    found(server.call("PATCH", f"/modelversions/{created[0]['id']}", {"stage_id": 3}))
    return created


def _open(tab: Dashboard, model: str) -> Dashboard:
    tab.open(f"/models/{model}")
    expect(tab.page.get_by_role("rowheader").first).to_be_visible()
    return tab


def _row(tab: Dashboard, number: int) -> Locator:
    return tab.page.get_by_role("row").filter(has=tab.page.get_by_role("link", name=str(number), exact=True))


def test_a_model_shows_its_versions_the_newest_first(
    dashboard: Dashboard, server: Server, model: str, versions: list[Any]
) -> None:
    found(server.call("PUT", f"/models/{model}/aliases/champion", {"version": 1}))
    _open(dashboard, model)
    expect(dashboard.page.get_by_role("rowheader").get_by_role("link")).to_have_text(["2", "1"])
    expect(_row(dashboard, 1)).to_contain_text("production")
    expect(_row(dashboard, 1)).to_contain_text("champion")
    expect(_row(dashboard, 1).get_by_role("link", name="quiet-heron")).to_be_visible()
    expect(_row(dashboard, 2)).to_contain_text("s3://elsewhere/model")
    expect(dashboard.page.get_by_text("ada")).to_be_visible()
    dashboard.check_looks()
    dashboard.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Iris").click()
    dashboard.follow("classifier")
    expect(dashboard.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Iris")).to_be_visible()


def test_a_promotion_names_the_version_that_it_archives(
    dashboard: Dashboard, server: Server, model: str, versions: list[Any]
) -> None:
    _open(dashboard, model)
    third = made(server.call("POST", f"/models/{model}/versions", {"iteration_id": versions[0]["iteration_id"]}))
    found(server.call("PATCH", f"/modelversions/{third['id']}", {"stage_id": 3}))
    change = _row(dashboard, 2).get_by_role("button", name="Change the stage of version 2")
    change.focus()
    dashboard.page.keyboard.press("Enter")
    dialog = dashboard.page.get_by_role("dialog", name="Stage of version 2")
    expect(dialog.get_by_role("button", name="Set the stage")).to_be_disabled()
    dialog.get_by_label("production").check()
    # The page was opened before the third version.
    expect(dialog.get_by_text("Version 3 is in production now. It is archived")).to_be_visible()
    expect(dialog.get_by_text("Version 2 has no file")).to_be_visible()
    dashboard.check_looks()
    dialog.get_by_role("button", name="Promote to production").click()
    expect(dialog).to_be_hidden()
    expect(_row(dashboard, 2)).to_contain_text("production")
    expect(_row(dashboard, 3)).to_contain_text("archived")
    expect(dashboard.page.get_by_role("definition").get_by_role("link")).to_have_text("Version 2")
    expect(dashboard.page.get_by_role("definition").get_by_text("no file", exact=True)).to_be_visible()
    stages = {
        each["version"]: each["stage_id"] for each in found(server.call("GET", f"/models/{model}/versions"))["data"]
    }
    assert stages == {1: 4, 2: 3, 3: 4}


def test_a_dialog_that_is_cancelled_changes_nothing(
    dashboard: Dashboard, server: Server, model: str, versions: list[Any]
) -> None:
    _open(dashboard, model)
    _row(dashboard, 1).get_by_role("button", name="Change the stage").click()
    dialog = dashboard.page.get_by_role("dialog")
    dialog.get_by_label("archived").check()
    expect(dialog.get_by_text("no version in production")).to_be_visible()
    dashboard.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert found(server.call("GET", f"/modelversions/{versions[0]['id']}"))["stage_id"] == 3


def test_a_refused_change_says_why_in_the_dialog(
    dashboard: Dashboard, server: Server, model: str, versions: list[Any]
) -> None:
    _open(dashboard, model)
    _row(dashboard, 2).get_by_role("button", name="Change the stage").click()
    dialog = dashboard.page.get_by_role("dialog")
    dialog.get_by_label("staging").check()
    assert server.call("DELETE", f"/modelversions/{versions[1]['id']}").status in (202, 204)
    dialog.get_by_role("button", name="Set the stage").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Not found")


def test_an_alias_is_added_moved_and_removed(
    dashboard: Dashboard, server: Server, model: str, versions: list[Any]
) -> None:
    _open(dashboard, model)
    for number in (1, 2):
        _row(dashboard, number).get_by_role("button", name="Add or move an alias").click()
        dialog = dashboard.page.get_by_role("dialog", name=f"Alias for version {number}")
        dialog.get_by_label("Alias").fill("champion-2_x")
        if number == 2:
            expect(dialog.get_by_text("names version 1 now. It moves to version 2.")).to_be_visible()
        dashboard.page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(_row(dashboard, number).get_by_text("champion-2_x")).to_be_visible()
    expect(_row(dashboard, 1).get_by_text("champion")).to_have_count(0)
    assert found(server.call("GET", f"/models/{model}"))["aliases"] == {"champion-2_x": 2}
    _row(dashboard, 2).get_by_role("button", name="Remove the alias champion").click()
    dashboard.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(_row(dashboard, 2).get_by_text("champion")).to_have_count(0)
    assert found(server.call("GET", f"/models/{model}"))["aliases"] == {}


def test_the_file_behind_a_version_is_downloaded(
    dashboard: Dashboard, server: Server, project: str, model: str, tmp_path: Path
) -> None:
    experiment = new_experiment(server, project)
    path = tmp_path / "net.bin"
    path.write_bytes(WEIGHTS)
    iteration = new_iteration(server, experiment)
    resource = server.client().resources.upload(experiment, path, iteration_id=iteration)
    body = {"iteration_id": iteration, "resource_id": resource.id}
    version = made(server.call("POST", f"/models/{model}/versions", body))["id"]
    found(server.call("PATCH", f"/modelversions/{version}", {"stage_id": 3}))
    _open(dashboard, model)
    expect(_row(dashboard, 1).get_by_role("button", name="Download net.bin")).to_be_visible()
    with dashboard.page.expect_download() as download:
        dashboard.page.get_by_role("definition").get_by_role("button", name="Download net.bin").click()
    assert download.value.suggested_filename == "net.bin"
    assert hashlib.sha256(Path(download.value.path()).read_bytes()).digest() == hashlib.sha256(WEIGHTS).digest()


def test_a_deletion_names_the_versions_that_lose_their_file(
    dashboard: Dashboard, server: Server, project: str, model: str, tmp_path: Path
) -> None:
    experiment = new_experiment(server, project, name="sweep")
    (tmp_path / "net.bin").write_bytes(WEIGHTS)
    iteration, other = (new_iteration(server, experiment, name=name) for name in ("quiet-heron", "tame-otter"))
    file = server.client().resources.upload(experiment, tmp_path / "net.bin", iteration_id=iteration).id
    bodies = [(iteration, None), (iteration, file), (other, file), (other, None)]
    created = [
        made(server.call("POST", f"/models/{model}/versions", {"iteration_id": i, "resource_id": f}))["id"]
        for i, f in bodies
    ]
    # The version in production came from one iteration, and its file from the other.
    found(server.call("PATCH", f"/modelversions/{created[2]}", {"stage_id": 3}))
    page, dialog = dashboard.page, dashboard.page.get_by_role("dialog")

    def check(has: str, origin: str, words: str, expected: list[tuple[int, bool]]) -> None:
        """Each version, with whether it loses its file, in this order."""
        lost = f"has {has}. It cannot be downloaded while {words} in the trash."
        orphaned = f"came from {origin}. Its origin cannot be seen while {words} in the trash."
        texts = [
            f"Version {number} of classifier{', in production,' * (number == 3)} {lost if is_lost else orphaned}"
            for number, is_lost in expected
        ]
        expect(dialog.get_by_role("status").get_by_role("paragraph")).to_have_text(texts)
        dashboard.check_looks()

    dashboard.open(f"/iterations/{iteration}")
    page.get_by_role("button", name="Delete iteration").click()
    one = ("a file of this iteration", "this iteration", "the iteration is")
    check(*one, [(3, True), (2, True), (1, False)])
    dashboard.open(f"/iterations/{other}")
    page.get_by_role("button", name="Delete iteration").click()
    check(*one, [(3, False), (4, False)])
    dashboard.open(f"/resources/{file}")
    page.get_by_role("button", name="Delete file").click()
    check("this file", "", "the file is", [(3, True), (2, True)])
    dashboard.open(f"/experiments/{experiment}")
    page.get_by_role("button", name="Delete experiment").click()
    whole = ("a file of this experiment", "an iteration of this experiment", "the experiment is")
    check(*whole, [(3, True), (2, True), (1, False), (4, False)])
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_label("Select all").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    many = ("a file of these iterations", "one of these iterations", "these iterations are")
    check(*many, [(3, True), (2, True), (1, False), (4, False)])


def test_a_version_shows_its_lineage_both_ways(
    dashboard: Dashboard, server: Server, project: str, model: str, versions: list[Any]
) -> None:
    trained, version = versions[0]["iteration_id"], versions[0]["id"]
    dataset = {"kind": "dataset", "name": "flowers", "digest": "sha256:0123456789abcdef"}
    made(server.call("POST", f"/iterations/{trained}/inputs", dataset))
    user = new_iteration(server, new_experiment(server, project), name="evaluates-it")
    made(server.call("POST", f"/iterations/{user}/inputs", {"kind": "model", "modelversion_id": version}))
    _open(dashboard, model)
    dashboard.follow("1")
    expect(dashboard.page.get_by_role("heading", name="classifier, version 1")).to_be_visible()
    expect(dashboard.page.get_by_role("link", name="quiet-heron")).to_be_visible()
    expect(dashboard.page.get_by_text("flowers")).to_be_visible()
    expect(dashboard.page.get_by_role("link", name="evaluates-it")).to_be_visible()
    dashboard.check_looks()
    # An origin that is gone stays named as such.
    assert server.call("DELETE", f"/iterations/{trained}").status in (202, 204)
    dashboard.page.reload()
    expect(dashboard.page.get_by_text("deleted iteration")).to_be_visible()


def test_a_reader_sees_no_control_that_would_be_refused(
    new_tab: Open, server: Server, project: str, model: str, versions: list[Any]
) -> None:
    found(server.call("PUT", f"/models/{model}/aliases/champion", {"version": 1}))
    tab = _open(new_tab(new_member(server, project, "read").username), model)
    expect(tab.page.get_by_text("champion")).to_be_visible()
    expect(tab.page.locator("main").get_by_role("button")).to_have_count(0)
    tab.follow("1")
    expect(tab.page.locator("main").get_by_role("button")).to_have_count(0)
    editor = _open(new_tab(new_member(server, project, "read", "update").username), model)
    expect(_row(editor, 1).get_by_role("button", name="Change the stage")).to_be_visible()
    expect(_row(editor, 1).get_by_role("button", name="Remove the alias")).to_have_count(0)


def test_hostile_names_are_text(dashboard: Dashboard, server: Server, project: str) -> None:
    iteration = new_iteration(server, new_experiment(server, project), name="W" * 250)
    for name in HOSTILE:
        body = {"name": name, "description": name * 3, "labels": {name: name}}
        model = made(server.call("POST", f"/projects/{project}/models", body))["id"]
        version = {"iteration_id": iteration, "description": name, "source": name, "labels": {name: name}}
        made(server.call("POST", f"/models/{model}/versions", version))
        server.client().models.set_alias(model, "a" * 255, 1)
        _open(dashboard, model)
        expect(dashboard.page.get_by_text(name.strip(), exact=True).first).to_be_attached()
        dashboard.show("light", {"width": 375, "height": 700})
        dashboard.check_fits()
        dashboard.follow("1")
        dashboard.check_fits()
        assert dashboard.page.locator("main img, main script").count() == 0


def test_a_model_is_created_changed_and_deleted(dashboard: Dashboard, server: Server, project: str) -> None:
    page = dashboard.page
    dashboard.open(f"/projects/{project}")
    page.get_by_role("button", name="Create a model").click()
    dialog = page.get_by_role("dialog", name="Create a model")
    dialog.get_by_label("Name").fill("regressor")
    dialog.get_by_label("Description").fill("How long?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="regressor", level=1)).to_be_visible()
    model = page.url.split("/")[-1]
    page.get_by_role("button", name="Add a label").press("Enter")
    page.keyboard.type("owner")
    page.keyboard.press("Tab")
    page.keyboard.type("grace")
    page.keyboard.press("Enter")
    expect(page.get_by_text("owner: grace")).to_be_visible()
    page.get_by_role("button", name="Edit description").press("Enter")
    page.get_by_label("Description", exact=True).fill("How long, and why?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("How long, and why?")).to_be_visible()
    page.get_by_role("button", name="Edit name").press("Enter")
    page.get_by_label("Name", exact=True).fill("estimator")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="estimator", level=1)).to_be_visible()
    dashboard.check_looks()
    stored = found(server.call("GET", f"/models/{model}"))
    assert [stored[each] for each in ("name", "description", "labels")] == [
        "estimator",
        "How long, and why?",
        {"owner": "grace"},
    ]
    page.get_by_role("button", name="Delete model").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("No models yet")).to_be_visible()
    dashboard.open(f"/projects/{project}/trash")
    page.get_by_role("button", name="Restore estimator").click()
    dashboard.follow("estimator")
    expect(page.get_by_text("owner: grace")).to_be_visible()


def test_a_name_that_another_model_has_is_refused_in_the_dialog(
    dashboard: Dashboard, server: Server, project: str, model: str
) -> None:
    dashboard.open(f"/projects/{project}")
    dashboard.page.get_by_role("button", name="Create a model").click()
    dashboard.page.get_by_role("dialog").get_by_label("Name").fill("classifier")
    dashboard.page.keyboard.press("Enter")
    expect(dashboard.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("name:")


def test_a_version_is_added_described_labelled_and_deleted(
    dashboard: Dashboard, server: Server, project: str, model: str, tmp_path: Path
) -> None:
    experiment = new_experiment(server, project, name="sweep")
    iteration = new_iteration(server, experiment, name="quiet-heron")
    path = tmp_path / "net.bin"
    path.write_bytes(WEIGHTS)
    resource = server.client().resources.upload(experiment, path, iteration_id=iteration).id
    page = dashboard.page
    dashboard.open(f"/models/{model}")
    page.get_by_role("button", name="Add a version").click()
    dialog = page.get_by_role("dialog", name="Add a version")
    dialog.get_by_label("Experiment").select_option(experiment)
    expect(dialog.get_by_role("option", name="quiet-heron")).to_contain_text("running · ")
    dialog.get_by_label("Iteration").select_option(iteration)
    # The only file is the one to add.
    expect(dialog.get_by_label("File")).to_have_value(resource)
    dialog.get_by_label("Description").fill("by hand")
    assert dashboard.findings() == []
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(_row(dashboard, 1)).to_contain_text("by hand")
    dashboard.follow("1")
    expect(page.get_by_role("link", name="net.bin")).to_be_visible()
    page.get_by_role("button", name="Add a label").press("Enter")
    page.keyboard.type("checked")
    page.keyboard.press("Tab")
    page.keyboard.type("yes")
    page.keyboard.press("Enter")
    expect(page.get_by_text("checked: yes")).to_be_visible()
    page.get_by_role("button", name="Edit description").press("Enter")
    page.get_by_label("Description", exact=True).fill("by hand, and checked")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("by hand, and checked")).to_be_visible()
    (stored,) = found(server.call("GET", f"/models/{model}/versions"))["data"]
    chosen = [stored[each] for each in ("iteration_id", "resource_id", "description", "labels")]
    assert chosen == [iteration, resource, "by hand, and checked", {"checked": "yes"}]
    page.get_by_role("button", name="Delete version").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("No versions yet")).to_be_visible()


def test_a_file_of_an_iteration_is_registered(
    dashboard: Dashboard, new_tab: Open, server: Server, project: str, model: str, tmp_path: Path
) -> None:
    experiment = new_experiment(server, project, name="sweep")
    iteration = new_iteration(server, experiment, name="quiet-heron")
    (tmp_path / "net.bin").write_bytes(WEIGHTS)
    file = server.client().resources.upload(experiment, tmp_path / "net.bin", iteration_id=iteration).id
    page = dashboard.page

    def register() -> Locator:
        dashboard.open(f"/iterations/{iteration}", {"tab": "files", "file": file})
        page.get_by_role("button", name="Register as a model version").click()
        return page.get_by_role("dialog", name="Register as a model version")

    dialog = register()
    expect(dialog.get_by_label("Model", exact=True)).to_have_value(model)
    dialog.get_by_label("Description of the version").fill("the best so far")
    dashboard.check_looks()
    dialog.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("heading", name="classifier, version 1")).to_be_visible()
    dialog = register()
    dialog.get_by_label("Model", exact=True).select_option("A new model")
    expect(dialog.get_by_role("button", name="Register", exact=True)).to_be_disabled()
    # The name is taken: the dialog says so, and another one does.
    dialog.get_by_label("Name of the model").fill("classifier")
    dialog.get_by_role("button", name="Register", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("name:")
    dialog.get_by_label("Name of the model").fill("segmenter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="segmenter, version 1")).to_be_visible()
    listed = server.client().experiments.modelversions(experiment)
    assert sorted((each.model_name, each.iteration_id, each.resource_id) for each in listed) == [
        ("classifier", iteration, file),
        ("segmenter", iteration, file),
    ]
    reader = new_tab(new_member(server, project, "read").username)
    reader.open(f"/iterations/{iteration}", {"tab": "files", "file": file})
    expect(reader.page.get_by_role("button", name="Download net.bin").first).to_be_visible()
    expect(reader.page.get_by_role("button", name="Register as a model version")).to_have_count(0)
