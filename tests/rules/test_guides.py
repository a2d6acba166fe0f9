"""Every example in the guides runs, from the top of its page to the bottom."""

from __future__ import annotations

import getpass
import importlib.util
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

import deardiary
import deardiary.client
from deardiary import settings
from docs import python_api
from tests.support.guides import DOCS, Reader, blocks_of
from tests.support.server import ADMIN, PASSWORD, URL, Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The page, and what it needs that a development environment may lack.
GUIDES = {
    "http-api.md": None,
    "notebooks.md": "pandas",
    "people.md": None,
    "reading-back.md": "pandas",
    "registry.md": None,
    "sweeps.md": None,
    "testing.md": None,
}


def requests_to(server: Server, send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    """Send requests to `URL` to the app, and all others to moto, like `requests.Session.send`."""

    def send_to(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if not str(request.url).startswith(URL):
            # Without this header moto keeps no checksum, though S3 does.
            request.headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
            return send(session, request, **options)
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        path = str(request.url).removeprefix(URL)
        answer = requests.Response()
        headers = dict(request.headers)
        answer.status_code, _, answer._content = server.transport.call(str(request.method), path, headers, body)
        return answer

    return send_to


@pytest.fixture
def _signed_in(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, and the state that `deardiary login` leaves; a terminal that knows the password."""
    for name in list(os.environ):
        if name.startswith("DEARDIARY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: server.transport)
    monkeypatch.setattr(requests.Session, "send", requests_to(server, requests.Session.send))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: ADMIN)
    monkeypatch.setattr(getpass, "getpass", lambda _: PASSWORD)
    settings.login_file().parent.mkdir(parents=True)
    settings.login_file().write_text(settings.keep_login(settings.Login(URL, server.token()), None))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.mark.usefixtures("_signed_in")
@pytest.mark.parametrize("page", GUIDES)
def test_the_examples_of_a_guide_run(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = GUIDES[page]
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"docs/{page} uses {needed}, which is not installed: pip install {needed}")
    before = dict(os.environ)
    _do_as_the_readme_says()
    try:
        Reader(page, {"url": URL, "username": ADMIN, "password": PASSWORD}).read()
    finally:
        for name in set(os.environ) - set(before):
            monkeypatch.delenv(name)


def _do_as_the_readme_says() -> None:
    """The README comes first in the reading order, so a guide's output must not depend on an empty server."""
    with deardiary.start("Iris", "sweep", parameters={"lr": 1e-3}, tags=["baseline"]) as iteration:
        iteration.log({"loss": 0.01, "accuracy": 1.0})


def test_few_examples_are_left_out() -> None:
    left_out = [block for page in GUIDES for block in blocks_of(page) if block.reason is not None]
    assert len(left_out) <= 5, [block.reason for block in left_out]


@pytest.mark.parametrize("page", [path.name for path in DOCS.glob("*.md")])
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#: ]*)(?:#([^)]+))?\)", (DOCS / page).read_text()):
        file = DOCS / (target or page)
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), (target, anchor)


def _anchors(file: Path) -> set[str]:
    """The anchors that GitHub creates for the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_lists_every_page() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "index.md").read_text())
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md"}
    assert pages - set(listed) == set(), "docs/index.md does not list these pages"
    assert len(listed) == len(pages), "docs/index.md lists a page twice"


def test_the_python_reference_is_up_to_date() -> None:
    current = python_api.PAGE.read_text() == python_api.page()
    assert current, "docs/python-api.md is stale: run `make docs` and commit the page"


def test_the_python_reference_has_every_public_name() -> None:
    listed = [name for names in python_api.SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(deardiary.__all__)
