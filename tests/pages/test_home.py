"""Home, a project, and the search."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from chalicelib.services.search.project import MAX_EXPERIMENTS_IN_ORDER
from tests.pages.conftest import Open
from tests.support.api import end, found, made, new_experiment, new_iteration, new_member, new_person, new_project
from tests.support.browser import Dashboard
from tests.support.server import Server

# Each is a name that a page must show as it is: markup, another direction, marks, nothing visible, the longest.
HOSTILE = [
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd",
    "👩‍👩‍👧‍👦🏳️‍🌈 Z\u0335\u0321a\u0334l\u0335g\u0336o\u0337",
    "\u200b",
    "W" * 250,
    "a/b?c#d&e=f%20",
]


def test_a_new_user_sees_how_to_begin(new_tab: Open, server: Server, site: str) -> None:
    tab = new_tab(new_person(server).username).open()
    expect(tab.page.get_by_text("No projects yet")).to_be_visible()
    expect(tab.page.get_by_text(f"deardiary login {site}")).to_be_visible()
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    python = tab.page.get_by_role("figure").filter(has_text="In Python")
    python.get_by_role("button", name="Copy").click()
    expect(tab.page.get_by_role("button", name="Copied")).to_be_visible()
    code = tab.page.evaluate("navigator.clipboard.readText()")
    compile(code, "snippet", "exec")
    assert "deardiary.start(" in code
    tab.check_looks()


def test_projects_show_what_runs_in_them(dashboard: Dashboard, server: Server) -> None:
    quiet, busy = new_project(server, name="Quiet"), new_project(server, name="Busy")
    experiment = new_experiment(server, busy, name="sweep")
    end(server, new_iteration(server, experiment, name="over"))
    new_iteration(server, experiment, name="training-now")
    dashboard.open()
    card = dashboard.page.get_by_role("listitem").filter(has=dashboard.page.get_by_role("heading", name="Busy"))
    expect(card.get_by_role("link", name="training-now")).to_be_visible()
    expect(card.get_by_text("over")).to_have_count(0)
    other = dashboard.page.get_by_role("listitem").filter(has=dashboard.page.get_by_role("heading", name="Quiet"))
    expect(other.get_by_text("Nothing is running")).to_be_visible()
    dashboard.check_looks()
    dashboard.follow("Quiet")
    expect(dashboard.page.get_by_text("No experiments yet")).to_be_visible()
    assert dashboard.page.url.endswith(f"#/projects/{quiet}")


def test_a_project_of_more_experiments_than_one_order_takes_says_so(new_tab: Open, server: Server) -> None:
    person = new_person(server)
    project = made(server.call("POST", "/projects", {"name": "Wide"}, token=person.token))["id"]
    for number in range(MAX_EXPERIMENTS_IN_ORDER + 1):
        new_experiment(server, project, name=f"experiment {number}")
    tab = new_tab(person.username).open()
    expect(tab.page.get_by_text("It has too many experiments to list what runs.")).to_be_visible()
    tab.check_looks()


def test_projects_in_use_come_first(new_tab: Open, server: Server) -> None:
    person = new_person(server)

    def project(name: str, *iterations: str) -> str:
        made_ = made(server.call("POST", "/projects", {"name": name}, token=person.token))["id"]
        for iteration in iterations:
            new_iteration(server, new_experiment(server, made_, name=iteration), name=iteration)
        return str(made_)

    running = project("Training", "long", "longer")
    early = project("Looked at later")
    project("Idle")
    ended = new_iteration(server, new_experiment(server, early, name="late"), name="late")
    end(server, ended)
    tab = new_tab(person.username).open()
    names = tab.page.locator(".card").get_by_role("heading")
    expect(names).to_have_text(["Training", "Looked at later", "Idle"])
    tab.open(f"/projects/{running}")
    expect(tab.page.get_by_role("row", name="longer")).to_contain_text("1 running")
    tab.open(f"/projects/{early}")
    expect(tab.page.get_by_role("row", name="late")).to_contain_text("open")
    expect(tab.page.get_by_text("1 running")).to_have_count(0)


def test_an_open_home_shows_projects_that_are_new(new_tab: Open, server: Server) -> None:
    """Also the first project of a new user."""
    person = new_person(server)
    tab = new_tab(person.username)
    tab.page.clock.install()
    tab.open()
    expect(tab.page.get_by_text("No projects yet")).to_be_visible()
    for name in ("The first", "Another"):
        project = made(server.call("POST", "/projects", {"name": name}, token=person.token))["id"]
        new_iteration(server, new_experiment(server, project), name=f"running in {name}")
        tab.page.clock.run_for(31_000)
        expect(tab.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        card = tab.page.get_by_role("listitem").filter(has=tab.page.get_by_role("heading", name=name, exact=True))
        expect(card.get_by_role("link", name=f"running in {name}")).to_be_visible()


def test_the_activity_links_to_what_happened(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Active")
    iteration = new_iteration(server, new_experiment(server, project, name="tries"), name="told-of")
    end(server, iteration)
    dashboard.open()
    events = dashboard.page.locator(".activity").get_by_role("listitem")
    expect(events.filter(has_text="told-of").filter(has_text="started")).to_be_visible()
    expect(events.filter(has_text="told-of").filter(has_text="succeeded")).to_be_visible()
    in_tries = events.filter(has_text="told-of").filter(has_text="succeeded").get_by_role("link", name="tries")
    expect(in_tries).to_be_visible()
    edges = events.evaluate_all("(all) => all.map((each) => [...each.children].map((part) => part.offsetLeft))")
    assert len({tuple(each) for each in edges}) == 1
    in_tries.click()
    expect(dashboard.page.get_by_role("heading", name="tries", level=1)).to_be_visible()


def test_a_project_lists_its_experiments_and_models_newest_first(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Iris", description="Petals\nand sepals")
    for name in ("first", "second"):
        new_experiment(server, project, name=name)
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "classifier"}))["id"]
    iteration = new_iteration(server, new_experiment(server, project, name="third"))
    made(server.call("POST", f"/models/{model}/versions", {"iteration_id": iteration}))
    found(server.call("PUT", f"/models/{model}/aliases/champion", {"version": 1}))
    dashboard.open(f"/projects/{project}")
    names = dashboard.page.get_by_role("table").first.get_by_role("rowheader")
    expect(names).to_have_text(["third", "second", "first"])
    row = dashboard.page.get_by_role("row", name="classifier")
    expect(row).to_contain_text("champion → 1")
    expect(row.get_by_role("cell", name="none", exact=True)).to_be_visible()
    version = found(server.call("GET", f"/models/{model}/versions"))["data"][0]["id"]
    found(server.call("PATCH", f"/modelversions/{version}", {"stage_id": 3}))
    dashboard.page.reload()
    expect(row.get_by_role("link", name="Version 1")).to_have_attribute("href", f"#/modelversions/{version}")
    dashboard.check_looks()
    dashboard.follow("second")
    expect(dashboard.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Iris")).to_be_visible()
    dashboard.page.get_by_role("link", name="Iris").click()
    expect(dashboard.page.get_by_role("heading", name="Iris", level=1)).to_be_visible()


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_everywhere(dashboard: Dashboard, server: Server, name: str) -> None:
    project = new_project(server, name=name, description=name * 3)
    experiment = new_experiment(server, project, name=name, description=name)
    body = {"batch_id": "1", "parameters": {name: name}, "tags": [name], "metrics": [{"key": name, "value": "NaN"}]}
    made(server.call("POST", f"/iterations/{new_iteration(server, experiment, name=name)}/log", body))
    for path in ("/", f"/projects/{project}", f"/experiments/{experiment}"):
        dashboard.open(path)
        expect(dashboard.page.get_by_text(name.strip(), exact=True).first).to_be_attached()
        assert dashboard.page.locator("main img, main script").count() == 0
        dashboard.show("light", {"width": 375, "height": 700})
        dashboard.check_fits()


def test_long_names_leave_room_for_the_rest(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Zoo")
    experiment = new_experiment(server, project, name="e" * 250)
    iteration = new_iteration(server, experiment, name="W" * 250)
    page = dashboard.open(f"/projects/{project}").page
    expect(page.get_by_role("row", name="e" * 250).get_by_text("open")).to_be_in_viewport()
    table = page.get_by_role("region", name="Experiments")
    assert table.evaluate("(each) => each.scrollWidth <= each.clientWidth")
    dashboard.open()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Zoo"))
    running = card.get_by_role("link", name="W" * 250)
    expect(running).to_be_visible()
    assert running.evaluate("(each) => each.clientHeight") < 60
    dashboard.open(f"/iterations/{iteration}")
    crumbs = page.get_by_role("navigation", name="Breadcrumb").get_by_role("link")
    expect(crumbs).to_have_text(["Zoo", "e" * 250])
    assert crumbs.first.evaluate("(each) => each.parentElement.scrollWidth <= each.parentElement.clientWidth")
    assert crumbs.last.evaluate("(each) => each.parentElement.clientWidth") > 150


def test_nobody_sees_a_project_of_others(new_tab: Open, server: Server) -> None:
    project = new_project(server, name="Secret")
    tab = new_tab(new_person(server).username)
    tab.page.goto(f"{tab.site}/ui#/projects/{project}")
    expect(tab.page.get_by_role("alert")).to_contain_text("Not found")
    assert "Secret" not in tab.page.content()
    writer = new_tab(new_member(server, project, "create").username)
    writer.page.goto(f"{tab.site}/ui#/projects/{project}")
    expect(writer.page.get_by_role("alert")).to_contain_text("read permission")


def test_the_search_finds_in_all_projects_as_one_types(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Zebra finches")
    experiment = new_experiment(server, project, name="songs of zebras")
    dashboard.open()
    dashboard.page.keyboard.press("Control+k")
    dashboard.page.keyboard.type("zebra")
    results = dashboard.page.locator("main").get_by_role("listitem")
    expect(results).to_have_text([re.compile("project.*Zebra finches"), re.compile("experiment.*songs of zebras")])
    assert dashboard.page.url.endswith("#/search?q=zebra")
    dashboard.check_looks()
    dashboard.page.get_by_role("searchbox").fill("no such name")
    expect(dashboard.page.get_by_text("Nothing is named like")).to_be_visible()
    dashboard.page.get_by_role("searchbox").fill(experiment[:12])
    expect(results).to_have_text([re.compile("experiment.*songs of zebras")])
    dashboard.follow("songs of zebras")
    expect(dashboard.page.get_by_role("searchbox")).to_have_value("")


def test_the_results_of_a_search_say_where_they_are(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Aviary")
    experiment = new_experiment(server, project, name="parrots")
    iteration = new_iteration(server, experiment, name="polly")
    results = dashboard.page.locator("main").get_by_role("listitem")
    dashboard.open("/search", {"q": iteration})
    expect(results).to_contain_text(["Aviary / parrots"])
    dashboard.open("/search", {"q": "parrots"})
    expect(results).to_contain_text(["Aviary"])
    new_experiment(server, project, name="polly's songs")
    dashboard.open("/search", {"q": "polly"})
    # What holds iterations comes before them, though it is younger.
    expect(results).to_contain_text(["polly's songs", "Aviary / parrots"])
    expect(dashboard.page.get_by_text("the newest 200 iterations of the newest 10 experiments")).to_be_visible()
    dashboard.check_looks()
    dashboard.open("/search", {"q": "nightingale"})
    expect(dashboard.page.get_by_text("at least its first ten characters")).to_be_visible()
    expect(dashboard.page.get_by_text("the newest 200 iterations of the newest 10 experiments")).to_be_visible()


def test_the_search_is_used_by_keyboard(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Owls")
    for name in ("barn owls", "snowy owls"):
        new_experiment(server, project, name=name)
    page = dashboard.open(f"/projects/{project}").page
    links = page.locator("main .results").get_by_role("link")
    page.keyboard.press("Control+k")
    page.keyboard.type("owls")
    expect(links).to_have_text(["Owls", "barn owls", "snowy owls"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Owls", level=1)).to_be_visible()
    assert page.url.endswith(f"#/projects/{project}")
    page.keyboard.press("Control+k")
    page.keyboard.type("owls")
    expect(links).to_have_count(3)
    for key, focused in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
        page.keyboard.press(key)
        expect(links.nth(focused)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="barn owls", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("snowy")
    expect(links).to_have_text(["snowy owls"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="snowy owls", level=1)).to_be_visible()


def test_many_projects_read_what_runs_only_on_the_screen(new_tab: Open, server: Server) -> None:
    person = new_person(server)
    for number in range(60):
        made(server.call("POST", "/projects", {"name": f"project {number}"}, token=person.token))
    tab = new_tab(person.username)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if "/iterations?" in request.url else None)
    tab.open()
    expect(tab.page.get_by_role("heading", name="project 59")).to_be_visible()
    tab.page.wait_for_load_state("networkidle")
    assert 0 < len(asked) < 50
    tab.page.get_by_role("heading", name="project 0", exact=True).scroll_into_view_if_needed()
    last = tab.page.get_by_role("listitem").filter(has=tab.page.get_by_role("heading", name="project 0", exact=True))
    expect(last.get_by_text("Nothing is running")).to_be_visible()


def test_a_save_that_ends_late_does_not_take_the_focus(dashboard: Dashboard, server: Server) -> None:
    page = dashboard.open(f"/projects/{new_project(server, name='Slow')}").page
    held: list[Route] = []
    page.route(
        "**/projects/*", lambda route: held.append(route) if route.request.method == "PATCH" else route.fallback()
    )
    page.get_by_role("button", name="Add a description").press("Enter")
    page.get_by_label("Description", exact=True).fill("What for")
    with page.expect_request(lambda request: request.method == "PATCH"):
        page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Add a label").press("Enter")
    expect(page.get_by_label("Key of the label")).to_be_focused()
    held.pop().continue_()
    expect(page.get_by_role("button", name="Edit description")).to_be_visible()
    expect(page.get_by_label("Key of the label")).to_be_focused()


def test_an_experiment_is_finished_and_opened_again(new_tab: Open, server: Server) -> None:
    project = new_project(server, name="States")
    experiment = new_experiment(server, project, name="sweep")
    tab = new_tab(new_member(server, project, "read", "update").username).open(f"/experiments/{experiment}")
    heading, dialog = tab.page.get_by_role("heading", level=1), tab.page.get_by_role("dialog")
    for number, status in ((3, "finished"), (2, "stopped"), (1, "open")):
        tab.page.get_by_role("button", name="Change status").click()
        expect(dialog.get_by_role("button", name="Set the status")).to_be_disabled()
        dialog.get_by_label(status).check()
        if status == "finished":
            tab.check_looks()
        dialog.get_by_role("button", name="Set the status").click()
        expect(heading).to_have_text(f"sweep {status}")
        assert found(server.call("GET", f"/experiments/{experiment}"))["status_id"] == number
    reader = new_tab(new_member(server, project, "read").username).open(f"/experiments/{experiment}")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("sweep open")
    expect(reader.page.get_by_role("button", name="Change status")).to_have_count(0)
    reader.open(f"/projects/{project}")
    expect(reader.page.get_by_role("row", name="sweep")).to_contain_text("open")


def test_a_project_is_changed_in_place_and_deleted(dashboard: Dashboard, server: Server) -> None:
    project = new_project(server, name="Before")
    new_project(server, name="Other")
    page = dashboard.page
    dashboard.open(f"/projects/{project}")
    page.get_by_role("button", name="Edit name").press("Enter")
    page.get_by_label("Name", exact=True).fill("After")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="After", level=1)).to_be_visible()
    page.get_by_role("button", name="Add a description").press("Enter")
    page.get_by_label("Description", exact=True).fill("What for")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Add a label").press("Enter")
    page.keyboard.type("team")
    page.keyboard.press("Tab")
    page.keyboard.type("nlp")
    page.keyboard.press("Enter")
    expect(page.get_by_text("team: nlp")).to_be_visible()
    stored = found(server.call("GET", f"/projects/{project}"))
    assert [stored[each] for each in ("name", "description", "labels")] == ["After", "What for", {"team": "nlp"}]
    page.get_by_role("button", name="Delete project").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    expect(page.get_by_role("link", name="After", exact=True)).to_have_count(0)
    assert server.call("GET", f"/projects/{project}").status == 404
