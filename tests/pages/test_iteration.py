"""An iteration: its head, its parts, and what a person can do with it."""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from deardiary.media import histogram, sound, table, video
from tests.pages.conftest import Open
from tests.support.api import (
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
    new_resource,
)
from tests.support.browser import PHONE, Dashboard
from tests.support.server import URL, Server

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    b'<script>alert(1)</script><rect width="9" height="9"/></svg>'
)
TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nValueError: loss is NaN\n'


def _log(server: Server, iteration: str, batch: str, **body: Any) -> None:
    made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": batch, **body}))


def _lines(*texts: str, stream: str = "stdout") -> list[dict[str, str]]:
    return [{"stream": stream, "text": text, "recorded_at": "2026-01-01T12:00:00Z"} for text in texts]


def _file(server: Server, experiment: str, iteration: str, name: str, content: bytes, **body: Any) -> str:
    resource = str(new_resource(server, experiment, content, name=name, iteration_id=iteration, **body)["id"])
    # None where the project has these bytes already.
    for request in found(server.call("POST", f"/resources/{resource}/upload"))["requests"]:
        path = request["url"].removeprefix(URL)
        assert server.call("PUT", path, content, token=None, headers=request["headers"]).status == 200
    found(server.call("POST", f"/resources/{resource}/complete"))
    return resource


def _tab(dashboard: Dashboard, name: str) -> Locator:
    return dashboard.page.get_by_role("navigation", name="Parts of the iteration").get_by_role("link", name=name)


def _console(dashboard: Dashboard) -> Locator:
    return dashboard.page.get_by_role("region", name="Output of the program")


@pytest.fixture(scope="module")
def experiment(server: Server) -> str:
    return new_experiment(server, new_project(server, name="Digits"), name="sweep")


def test_the_overview_shows_parameters_and_metrics_and_finds_in_them(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    iteration = new_iteration(
        server, experiment, name="first", labels={"team": "nlp"}, tags=["best"], notes="Two\nlines"
    )
    metrics = {"loss": {"step": [0, 9], "value": [0.5, 0.25]}, "odd": {"value": ["NaN"]}}
    _log(server, iteration, "1", parameters={"lr": "0.001", "config": "x" * 5000}, metrics=metrics)
    end(server, iteration)
    dashboard.open(f"/iterations/{iteration}")
    main = dashboard.page.locator("main")
    for text in ("first", "succeeded", "by you", "team: nlp", "best", "Two\nlines"):
        expect(main.get_by_text(text).first).to_be_visible()
    expect(dashboard.page.get_by_role("row", name="loss")).to_have_text(re.compile("loss.*0.25.*0.25.*0.5.*0.5.*9.*2"))
    expect(dashboard.page.get_by_role("row", name="odd")).to_contain_text("NaN")
    dashboard.check_looks()
    dashboard.page.get_by_label("Find parameters and metrics").fill("lr")
    expect(dashboard.page.get_by_role("row", name="lr 0.001")).to_be_visible()
    expect(dashboard.page.get_by_role("row", name="loss")).to_have_count(0)
    dashboard.page.reload()
    expect(dashboard.page.get_by_label("Find parameters and metrics")).to_have_value("lr")
    expect(dashboard.page.get_by_role("button", name="Stop")).to_have_count(0)


def test_a_metric_of_the_overview_leads_to_its_curve(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="curves")
    values = {"step": [0, 1], "value": [0.5, 0.25]}
    keys = ["system/cpu_percent", "val/loss", "val/loss (smooth)"]
    _log(server, iteration, "1", metrics=dict.fromkeys(keys, values))
    dashboard.open(f"/iterations/{iteration}")
    rows = dashboard.page.get_by_role("region", name="Summary of metrics").get_by_role("rowheader")
    # Those of the machine come last.
    expect(rows).to_have_text(["val/loss", "val/loss (smooth)", "system/cpu_percent"])
    for key in ("val/loss (smooth)", "val/loss"):
        dashboard.open(f"/iterations/{iteration}")
        dashboard.follow(key)
        expect(dashboard.page.locator(".chart h4")).to_have_text([key])


def test_the_console_of_a_running_iteration_grows_and_is_followed(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    iteration = new_iteration(server, experiment, name="running")
    _log(server, iteration, "1", output=_lines(*(f"line {number}" for number in range(3000))))
    dashboard.open(f"/iterations/{iteration}", {"tab": "console"})
    console = _console(dashboard)
    expect(console.get_by_text("line 2999", exact=True)).to_be_in_viewport()
    assert console.locator("li").count() < 200
    coloured = _lines("\x1b[31mred\x1b[0m <b>text</b>", stream="stderr")
    _log(server, iteration, "2", output=[*_lines("10%"), *_lines("\r20%"), *coloured])
    expect(console.get_by_text("20%", exact=True)).to_be_in_viewport()
    expect(console.get_by_text("10%")).to_have_count(0)
    expect(console.locator("li.is-stderr")).to_have_text("errred <b>text</b>")
    expect(console.locator(".ansi-red")).to_have_text("red")
    dashboard.check_looks()
    console.press("Home")
    follow = dashboard.page.get_by_label("Follow")
    expect(follow).not_to_be_checked()
    _log(server, iteration, "3", output=_lines("the last"))
    expect(dashboard.page.get_by_text("2,003 lines")).to_be_visible()
    expect(console.get_by_text("the last")).to_have_count(0)
    follow.check()
    expect(console.get_by_text("the last")).to_be_in_viewport()
    dashboard.page.get_by_role("button", name="Read from the beginning").click()
    expect(dashboard.page.get_by_text("3,003 lines")).to_be_visible()
    search = dashboard.page.get_by_label("Find in the output")
    search.fill("LINE 7")
    expect(dashboard.page.get_by_text("1 of 111")).to_be_visible()
    expect(console.locator("li.is-current")).to_contain_text("line 7")
    search.press("Enter")
    expect(console.locator("li.is-current")).to_contain_text("line 70")
    expect(console.locator("li.is-current")).to_be_in_viewport()
    dashboard.page.get_by_label("Stream").select_option("stderr")
    expect(console.locator("li")).to_have_count(1)


def test_the_console_reads_what_was_printed_at_the_end(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment)
    dashboard.open(f"/iterations/{iteration}", {"tab": "console"})
    expect(dashboard.page.get_by_text("No output")).to_be_visible()
    _log(server, iteration, "1", output=_lines("goodbye"))
    end(server, iteration)
    expect(_console(dashboard).get_by_text("goodbye")).to_be_visible()
    expect(dashboard.page.get_by_text("succeeded")).to_be_visible()


def test_the_console_goes_on_after_an_error_of_the_server(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    iteration = new_iteration(server, experiment)
    _log(server, iteration, "1", output=_lines("before"))
    pattern = re.compile(r"/output\?after=")
    broken = {"code": "SERVER_ERROR", "message": "Something broke"}
    dashboard.page.route(pattern, lambda route: route.fulfill(status=500, json=broken))
    dashboard.open(f"/iterations/{iteration}", {"tab": "console"})
    expect(dashboard.page.get_by_text("Something broke")).to_be_visible()
    expect(_console(dashboard).get_by_text("before")).to_be_visible()
    dashboard.page.unroute(pattern)
    _log(server, iteration, "2", output=_lines("after"))
    dashboard.page.get_by_role("button", name="Try again").click()
    expect(_console(dashboard).get_by_text("after")).to_be_visible()
    expect(dashboard.page.get_by_text("Something broke")).to_have_count(0)


def test_the_overview_has_what_was_logged_at_the_end(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment)
    dashboard.open(f"/iterations/{iteration}")
    expect(dashboard.page.get_by_text("No parameters and no metrics")).to_be_visible()
    _log(server, iteration, "1", parameters={"late": "yes"}, metrics={"loss": {"value": [1]}})
    end(server, iteration)
    expect(dashboard.page.get_by_text("succeeded")).to_be_visible()
    expect(dashboard.page.get_by_role("row", name="late yes")).to_be_visible()


def test_a_stop_is_confirmed_and_seen_until_it_is_carried_out(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    iteration = new_iteration(server, experiment, name="to stop")
    dashboard.open(f"/iterations/{iteration}")
    stop = dashboard.page.get_by_role("button", name="Stop", exact=True)
    dialog = dashboard.page.get_by_role("dialog", name="Stop this iteration?")
    stop.click()
    expect(dialog).to_be_visible()
    dashboard.page.keyboard.press("Escape")
    expect(stop).to_be_focused()
    assert found(server.call("GET", f"/iterations/{iteration}/commands"))["data"] == []
    stop.press("Enter")
    expect(dialog).to_be_visible()
    assert dashboard.findings() == []
    dialog.get_by_role("button", name="Stop it").click()
    commands = dashboard.page.get_by_role("region", name="Commands")
    expect(commands).to_contain_text("waits for the program")
    expect(dashboard.page.get_by_role("button", name="Stopping…")).to_be_disabled()
    dashboard.check_looks()
    commands.get_by_role("button", name="Withdraw").click()
    expect(commands).to_have_count(0)
    assert found(server.call("GET", f"/iterations/{iteration}/commands"))["data"] == []
    stop.click()
    dialog.get_by_role("button", name="Stop it").click()
    expect(commands).to_be_visible()
    (command,) = found(server.call("GET", f"/iterations/{iteration}/commands"))["data"]
    _log(server, iteration, "1", acknowledged=[{"command_id": command["id"], "step": 7}])
    end(server, iteration, status_id=4, error_message=f"Stopped by admin\n\n{TRACEBACK}")
    expect(dashboard.page.get_by_text("killed")).to_be_visible()
    expect(stop).to_have_count(0)
    # A stop on purpose is no failure.
    stopped = dashboard.page.get_by_role("region", name="Stop")
    expect(stopped.get_by_role("paragraph")).to_contain_text("Stopped by admin at step 7")
    expect(stopped.get_by_text("train.py")).to_be_hidden()
    expect(commands).to_have_count(0)
    expect(dashboard.page.get_by_role("region", name="Error")).to_have_count(0)
    stopped.get_by_text("Traceback", exact=True).click()
    expect(stopped.get_by_text("train.py")).to_be_visible()
    dashboard.check_looks()


def test_a_failed_iteration_says_why_first(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="failed")
    end(server, iteration, status_id=3, error_message=TRACEBACK)
    dashboard.open(f"/iterations/{iteration}")
    error = dashboard.page.get_by_role("region", name="Error")
    expect(error.locator("strong")).to_have_text("ValueError: loss is NaN")
    expect(error.get_by_text("train.py")).to_be_visible()
    dashboard.check_looks()


def test_name_notes_tags_and_labels_are_changed_in_place_by_keyboard(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    iteration = new_iteration(server, experiment, name="before")
    dashboard.open(f"/iterations/{iteration}")
    page = dashboard.page
    edit = page.get_by_role("button", name="Edit name")
    edit.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("after")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="after", level=1)).to_be_visible()
    expect(edit).to_be_focused()
    edit.press("Enter")
    page.get_by_label("Name", exact=True).fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("at least 1 character")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit notes").press("Enter")
    expect(page.get_by_label("Notes", exact=True)).to_be_focused()
    page.keyboard.type("one\ntwo")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("one\ntwo")).to_be_visible()
    page.get_by_label("New tag").fill("best")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag best")).to_be_visible()
    page.get_by_role("button", name="Add a label").press("Enter")
    expect(page.get_by_label("Key of the label")).to_be_focused()
    page.keyboard.type("team")
    page.keyboard.press("Tab")
    page.keyboard.type("nlp")
    page.keyboard.press("Enter")
    expect(page.get_by_text("team: nlp")).to_be_visible()
    stored = found(server.call("GET", f"/iterations/{iteration}"))
    assert (stored["name"], stored["notes"], stored["labels"]) == ("after", "one\ntwo", {"team": "nlp"})
    dashboard.check_looks()
    page.get_by_role("button", name="Remove the tag best").press("Enter")
    page.get_by_role("button", name="Remove the label team").press("Enter")
    expect(page.locator("main .tag")).to_have_count(0)
    assert found(server.call("GET", f"/iterations/{iteration}"))["labels"] == {}


def test_an_address_in_notes_is_a_link(dashboard: Dashboard, server: Server, experiment: str) -> None:
    notes = "See https://example.org/a?b=c, javascript:alert(1)\nand <a href=https://evil.example>this</a>."
    iteration = new_iteration(server, experiment, notes=notes)
    shown = dashboard.open(f"/iterations/{iteration}").page.locator(".notes")
    assert shown.inner_text() == notes
    expect(shown.get_by_role("link")).to_have_text(["https://example.org/a?b=c", "https://evil.example"])
    for name, value in {"href": "https://example.org/a?b=c", "target": "_blank", "rel": "noopener noreferrer"}.items():
        expect(shown.get_by_role("link").first).to_have_attribute(name, value)


def test_it_is_deleted_after_a_question(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="gone soon")
    dashboard.open(f"/iterations/{iteration}")
    dashboard.page.get_by_role("button", name="Delete iteration").click()
    expect(dashboard.page.get_by_role("dialog")).to_contain_text("It can be restored for 7 days.")
    dashboard.page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(dashboard.page.get_by_role("heading", name="sweep")).to_be_visible()
    assert server.call("GET", f"/iterations/{iteration}").status == 404


def test_who_may_only_read_sees_no_button_that_would_be_refused(new_tab: Open, server: Server) -> None:
    project = new_project(server, name="Shared")
    iteration = new_iteration(server, new_experiment(server, project), name="theirs", tags=["a"], labels={"b": "c"})
    tab = new_tab(new_member(server, project, "read").username).open(f"/iterations/{iteration}")
    expect(tab.page.get_by_text("b: c")).to_be_visible()
    expect(tab.page.get_by_text("by a user who is no member").or_(tab.page.get_by_text("by admin"))).to_be_visible()
    buttons = tab.page.locator("main button").all_inner_texts()
    assert buttons == ["Copy id"]
    assert tab.page.locator("main header input").count() == 0


FILES = {
    "notes.md": (
        f"# Result\n\n**good** [site](https://example.org) [bad](javascript:alert(1)) {HOSTILE}".encode(),
        "Result",
    ),
    "data.json": (b'{"large": 12345678901234567890}', '"large": 12345678901234567890'),
    "table.csv": (f'name,value\n"{HOSTILE}",3\n'.encode(), HOSTILE),
    "page.html": (HOSTILE.encode(), HOSTILE),
    f"{HOSTILE}.txt": (HOSTILE.encode(), HOSTILE),
}


def test_files_are_previewed_without_acting(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="files")
    for name, (content, _) in FILES.items():
        _file(server, experiment, iteration, name, content, content_type="text/html")
    _file(server, experiment, iteration, "drawing.svg", SVG)
    _file(server, experiment, iteration, "weights.bin", b"\0" * 10)
    dashboard.open(f"/iterations/{iteration}", {"tab": "files"})
    preview = dashboard.page.get_by_role("region", name="Preview")
    for name, (_, shown) in FILES.items():
        dashboard.follow(name)
        expect(preview.get_by_role("heading", level=2)).to_have_text(name)
        expect(preview.get_by_text(shown).last).to_be_visible()
        assert dashboard.page.locator("main :is(img, script, iframe, object)").count() == 0
    dashboard.follow("notes.md")
    expect(preview.locator(".markdown").get_by_role("link")).to_have_text(["site"])
    dashboard.check_looks()
    dashboard.follow("drawing.svg")
    image = preview.get_by_role("img", name="drawing.svg")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 9
    dashboard.follow("weights.bin")
    expect(preview.get_by_text("only for download")).to_be_visible()
    with dashboard.page.expect_download() as download:
        preview.get_by_role("button", name="Download weights.bin").click()
    assert download.value.suggested_filename == "weights.bin"
    assert download.value.path().read_bytes() == b"\0" * 10


def test_images_of_a_key_are_shown_by_step(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="images")
    for step in (0, 50, 100):
        _file(
            server, experiment, iteration, f"media/samples/{step}.png", PIXEL + bytes([step]), content_type="image/png"
        )
    dashboard.open(f"/iterations/{iteration}", {"tab": "files"})
    dashboard.follow("media/samples/0.png")
    slider = dashboard.page.get_by_role("slider")
    slider.press("ArrowRight")
    expect(dashboard.page.get_by_text("Step 50")).to_be_visible()
    expect(dashboard.page.get_by_role("img", name="media/samples/50.png")).to_be_visible()
    expect(dashboard.page.get_by_role("button", name="Register as a model version")).to_have_count(0)
    slider.press("End")
    expect(dashboard.page.get_by_role("img", name="media/samples/100.png")).to_be_visible()
    dashboard.check_looks()


def test_images_of_one_step_stand_beside_each_other(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="together")
    for index, caption in enumerate(["rust", "blight"]):
        name = f"media/leaves/7-{index}.png"
        _file(server, experiment, iteration, name, PIXEL + bytes([index, 9]), description=caption)
    dashboard.open(f"/iterations/{iteration}", {"tab": "files"})
    dashboard.follow("media/leaves/7-1.png")
    shown = dashboard.page.locator(".preview-beside li")
    expect(shown).to_have_text(["rust", "blight"])
    for index in range(2):
        expect(shown.nth(index).get_by_role("img")).to_be_visible()


def test_what_the_client_logs_is_shown_by_its_kind(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="media")
    files = {
        "media/weights/00000000.json": histogram.encode([0.1, 0.2, 0.2, 1.0], bins=4),
        "media/weights/00000001.json": histogram.encode([1.0, 2.0, float("nan")], bins=2),
        "media/voice/00000000.wav": sound.encode(np.zeros(800), sample_rate=8000),
        "media/clip/00000000.mp4": video.encode(b"\0\0\0 ftyp"),
        "media/errors/00000000.csv": table.encode([{"image": "7.png", "seen": 1}]),
    }
    for name, encoded in files.items():
        assert isinstance(encoded.content, bytes)
        _file(server, experiment, iteration, name, encoded.content)
    dashboard.open(f"/iterations/{iteration}", {"tab": "files"})
    page = dashboard.page
    dashboard.follow("media/weights/00000000.json")
    expect(page.get_by_role("img", name="Histogram media/weights/00000000.json").locator("rect")).to_have_count(4)
    dashboard.check_looks()
    page.get_by_role("slider").press("ArrowRight")
    expect(page.get_by_text("2 values in 2 bins; 1 more are not finite")).to_be_visible()
    dashboard.follow("media/voice/00000000.wav")
    player = page.locator("audio")
    page.wait_for_function("() => document.querySelector('audio')?.duration > 0")
    assert player.evaluate("player => player.duration") == 0.1
    dashboard.check_looks()
    dashboard.follow("media/clip/00000000.mp4")
    expect(page.get_by_text("The browser cannot show these bytes as video.")).to_be_visible()
    dashboard.follow("media/errors/00000000.csv")
    expect(page.get_by_role("cell", name="7.png")).to_be_visible()


def test_media_are_shown_at_one_step(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="by step")
    page = dashboard.page
    dashboard.open(f"/iterations/{iteration}", {"tab": "media"})
    expect(page.get_by_text("No media")).to_be_visible()
    files: dict[str, bytes] = {f"media/leaves/{step:08}.png": PIXEL + bytes([step, 7]) for step in (0, 10)}
    for step, low in ((0, 0.0), (5, 1.0), (10, 2.0)):
        content = histogram.encode([low, low + 0.5, low + 2.0], bins=4).content
        assert isinstance(content, bytes)
        files[f"media/weights/{step:08}.json"] = content
    for name, content in {**files, "weights.bin": b"no media"}.items():
        _file(server, experiment, iteration, name, content)
    dashboard.open("/").open(f"/iterations/{iteration}", {"tab": "media"})
    cards = page.get_by_role("list", name="Media").locator("> li")
    expect(cards).to_have_count(2)
    leaves, weights = cards.filter(has_text="leaves"), cards.filter(has_text="weights")
    expect(leaves.get_by_role("img", name="media/leaves/00000010.png")).to_be_visible()
    expect(weights.get_by_role("img", name="Histogram media/weights/00000010.json")).to_be_visible()
    page.get_by_role("slider").press("ArrowLeft")
    expect(weights.get_by_role("img", name="Histogram media/weights/00000005.json")).to_be_visible()
    # No image was logged at step 5: the one of before stays, and says so.
    expect(leaves).to_contain_text("step 0")
    expect(leaves.get_by_role("img", name="media/leaves/00000000.png")).to_be_visible()
    assert "step=5" in page.url
    weights.get_by_role("button", name="Over all steps").click()
    expect(weights.get_by_role("img", name="Histograms from step 0 to 10")).to_be_visible()
    dashboard.check_looks()
    dashboard.show("light", PHONE)
    dashboard.check_fits()
    leaves.get_by_role("link", name="leaves").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("media/leaves/00000000.png")


def test_a_narrow_screen_shows_the_present_tab(dashboard: Dashboard, server: Server, experiment: str) -> None:
    dashboard.show("light", PHONE)
    dashboard.open(f"/iterations/{new_iteration(server, experiment)}", {"tab": "lineage"})
    tabs = dashboard.page.get_by_role("navigation", name="Parts of the iteration")
    expect(_tab(dashboard, "Lineage")).to_be_in_viewport(ratio=0.9)
    tops = tabs.get_by_role("link").evaluate_all("all => all.map(each => each.offsetTop)")
    assert len(set(tops)) == 1


def test_the_environment_has_lock_file_and_diff(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="environment")
    diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old <b>\n+new <b>\n"
    snapshot = {"python_version": "3.13.1", "git_sha": "a" * 40, "git_dirty": True, "git_diff": diff}
    lock = {"manifest_toml": 'lock-version = "1.0"\n', "project_toml": "[project]\n", "entrypoint": "train.py"}
    found(server.call("PUT", f"/iterations/{iteration}/snapshot", snapshot | lock))
    dashboard.open(f"/iterations/{iteration}", {"tab": "environment"})
    restore = dashboard.page.get_by_role("button", name="Copy restore command")
    expect(restore).to_be_visible()
    for text in ("3.13.1", "with changes", f"deardiary restore {iteration} restored --install"):
        expect(dashboard.page.get_by_text(text).first).to_be_visible()
    expect(dashboard.page.locator(".diff-added")).to_have_text("+new <b>")
    expect(dashboard.page.locator(".diff-removed")).to_have_text("-old <b>")
    dashboard.page.get_by_text("1 line", exact=True).first.click()
    expect(dashboard.page.get_by_text("lock-version")).to_be_visible()
    dashboard.check_looks()


def test_the_lineage_leads_to_inputs_versions_parent_and_children(
    dashboard: Dashboard, server: Server, experiment: str
) -> None:
    parent = new_iteration(server, experiment, name="the parent")
    iteration = new_iteration(server, experiment, name="middle", parent_iteration_id=parent)
    new_iteration(server, experiment, name="the child", parent_iteration_id=iteration)
    project = found(server.call("GET", f"/experiments/{experiment}"))["project_id"]
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "classifier"}))["id"]
    version = made(server.call("POST", f"/models/{model}/versions", {"iteration_id": iteration}))["id"]
    dataset = {"kind": "dataset", "name": "mnist", "digest": "abc", "source": "s3://data/mnist", "context": "training"}
    made(server.call("POST", f"/iterations/{iteration}/inputs", dataset))
    used = {"kind": "model", "modelversion_id": version, "name": "classifier 1"}
    made(server.call("POST", f"/iterations/{parent}/inputs", used))
    dashboard.open(f"/iterations/{iteration}", {"tab": "lineage"})
    expect(dashboard.page.get_by_role("row", name="mnist")).to_contain_text("s3://data/mnist")
    expect(dashboard.page.get_by_role("row", name="classifier 1")).to_be_visible()
    expect(dashboard.page.get_by_role("link", name="the child")).to_be_visible()
    dashboard.check_looks()
    expect(dashboard.page.locator(".iteration-head")).to_contain_text("Child of the parent")
    dashboard.follow("the parent")
    _tab(dashboard, "Lineage").click()
    expect(dashboard.page.get_by_role("row", name="classifier 1").get_by_role("link", name="version 1")).to_be_visible()


def test_charts_and_empty_parts(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="nearly empty")
    dashboard.open(f"/iterations/{iteration}")
    expect(dashboard.page.get_by_text("No parameters and no metrics")).to_be_visible()
    tabs = dashboard.page.get_by_role("navigation", name="Parts of the iteration").get_by_role("link").all()
    places = [each.bounding_box() for each in tabs]
    empty = {"Console": "No output", "Files": "No files", "Environment": "No environment", "Lineage": "No lineage"}
    for name, text in empty.items():
        _tab(dashboard, name).press("Enter")
        expect(dashboard.page.get_by_text(text, exact=True)).to_be_visible()
        expect(_tab(dashboard, name)).to_have_attribute("aria-current", "page")
        assert [each.bounding_box() for each in tabs] == places
    _log(server, iteration, "1", metrics={"loss": {"value": [3, 2, 1]}})
    _tab(dashboard, "Charts").click()
    expect(dashboard.page.get_by_role("figure", name="loss").locator("canvas")).to_be_visible()
    dashboard.page.go_back()
    expect(dashboard.page.get_by_text("No lineage", exact=True)).to_be_visible()


def test_hostile_words_are_text_in_all_parts(dashboard: Dashboard, server: Server) -> None:
    experiment = new_experiment(server, new_project(server, name=HOSTILE), name=HOSTILE)
    words = {"name": HOSTILE, "notes": HOSTILE, "tags": [HOSTILE, "W" * 250], "labels": {HOSTILE: HOSTILE * 20}}
    iteration = new_iteration(server, experiment, **words)
    metrics = {HOSTILE: {"value": ["Infinity"]}, "W" * 250: {"value": [1]}}
    parameters = {HOSTILE: HOSTILE, "W" * 250: "W" * 6000}
    _log(server, iteration, "1", parameters=parameters, metrics=metrics, output=_lines(HOSTILE, "W" * 20000))
    found(server.call("PUT", f"/iterations/{iteration}/snapshot", {"git_diff": HOSTILE, "entrypoint": HOSTILE}))
    made(
        server.call("POST", f"/iterations/{iteration}/inputs", {"kind": "dataset", "name": HOSTILE, "source": HOSTILE})
    )
    end(server, iteration, status_id=3, error_message=f"{TRACEBACK}{HOSTILE}")
    for tab in ("overview", "console", "environment", "lineage"):
        dashboard.open(f"/iterations/{iteration}", {"tab": tab})
        expect(dashboard.page.get_by_text(HOSTILE).first).to_be_attached()
        assert dashboard.page.locator("main :is(img, script)").count() == 0
        dashboard.show("light", PHONE)
        dashboard.check_fits()


def test_an_open_page_only_polls_the_feed_of_changes(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="quiet")
    _log(server, iteration, "1", metrics={"loss": {"value": [1]}}, output=_lines("begun"))
    page = dashboard.page
    page.clock.install()
    dashboard.open(f"/iterations/{iteration}")
    expect(page.get_by_role("row", name="loss")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("?")[0].rsplit(iteration)[-1]))

    def poll() -> None:
        with page.expect_response(re.compile("/iterations/changes")):
            page.clock.run_for(5000)

    for _ in range(12):
        poll()
    feed = f"{dashboard.site}/experiments/{experiment}/iterations/changes"
    assert asked == [feed] * 12
    _log(server, iteration, "2", metrics={"loss": {"value": [0.125]}}, parameters={"late": "yes"})
    found(server.call("PATCH", f"/iterations/{iteration}", {"name": "renamed"}))
    poll()
    expect(page.get_by_role("row", name="loss")).to_contain_text("0.125")
    expect(page.get_by_role("heading", name="renamed", level=1)).to_be_visible()
    # The rows of the feed have no ids of parameters; another user may have sent a command, and a rule may have fired.
    expect(page.get_by_role("row", name="late yes")).to_be_visible()
    page.clock.run_for(1)
    assert sorted({each for each in asked if each != feed}) == ["/alerts", "/commands", "/parameters"]


def test_the_console_asks_only_when_the_program_is_alive(dashboard: Dashboard, server: Server, experiment: str) -> None:
    iteration = new_iteration(server, experiment, name="printing")
    _log(server, iteration, "1", output=_lines("begun"))
    page = dashboard.page
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    dashboard.open(f"/iterations/{iteration}", {"tab": "console"})
    expect(_console(dashboard).get_by_text("begun")).to_be_visible()
    for turn in range(8):
        if turn == 6:
            _log(server, iteration, "2", output=_lines("and more"))
        with page.expect_response(re.compile("/iterations/changes")):
            page.clock.run_for(5000)
    expect(_console(dashboard).get_by_text("and more")).to_be_visible()
    # The newest lines, those that came meanwhile, and those of the news.
    assert sum("/output" in each for each in asked) == 3
