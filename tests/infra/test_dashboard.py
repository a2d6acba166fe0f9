"""The build of the dashboard: when it runs, what a failure leaves, and what a build consists of."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.routes.pages import assets, ui
from infra.dashboard import build, document, node
from infra.dashboard.__main__ import main
from infra.failure import InfraError
from tests.support.api import found
from tests.support.server import Server, server_on_moto

FIRST_LOAD_KB = 110


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout whose build writes a page at once; `tools` records what it runs."""
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "package-lock.json").write_text("{}")
    (web / "src" / "main.ts").write_text("1")
    (tmp_path / "chalicelib").mkdir()
    for name, path in {"WEB": web, "BUILT": tmp_path / "chalicelib" / "ui", "LOG": web / "build.log"}.items():
        monkeypatch.setattr(build, name, path)
    monkeypatch.setattr(build, "REPOSITORY", tmp_path)
    monkeypatch.setattr(build, "_write_types", lambda: None)
    return tmp_path


@pytest.fixture
def tools(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ran: list[str] = []

    def npm(arguments: list[str], folder: Path) -> str:
        (folder / "node_modules").mkdir(exist_ok=True)
        ran.append(f"npm {' '.join(arguments)}")
        return ""

    def run_tool(name: str, arguments: list[str], folder: Path, **_: str) -> str:
        ran.append(name)
        (target,) = (each.partition("=")[2] for each in arguments if each.startswith("--outDir="))
        Path(target).mkdir()
        (Path(target) / "index.html").write_text('<meta name="build" content="">')
        return ""

    monkeypatch.setattr(node, "npm", npm)
    monkeypatch.setattr(node, "run_tool", run_tool)
    return ran


def _silent(_line: str) -> None:
    """Print nothing."""


def test_it_builds_once_for_the_same_sources(checkout: Path, tools: list[str]) -> None:
    for _ in range(2):
        build.build(_silent)
    assert tools == ["npm ci --ignore-scripts", "vite"]
    assert build.built_hash() == build.source_hash()
    assert [*(checkout / "chalicelib").iterdir()] == [checkout / "chalicelib" / "ui"]


def test_it_builds_again_when_a_source_changes_and_installs_when_the_lock_does(
    checkout: Path, tools: list[str]
) -> None:
    build.build(_silent)
    (checkout / "web" / "src" / "main.ts").write_text("2")
    build.build(_silent)
    assert tools == ["npm ci --ignore-scripts", "vite", "vite"]
    (checkout / "web" / "package-lock.json").write_text('{"a": 1}')
    build.build(_silent)
    assert tools[3:] == ["npm ci --ignore-scripts", "vite"]


def test_what_a_build_leaves_in_web_is_no_source(checkout: Path, tools: list[str]) -> None:
    before = build.source_hash()
    build.build(_silent)
    (checkout / "web" / "build.log").write_text("x")
    (checkout / "web" / "generated" / "schema.ts").write_text("x")
    assert build.source_hash() == before
    (checkout / "web" / "src" / "new.ts").write_text("")
    assert build.source_hash() != before


def test_a_failed_build_says_why_and_shows_no_host(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tools: list[str]
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise node.CommandFailed("npm error network https://user:secret@registry.corp.example")

    monkeypatch.setattr(node, "npm", fail)
    with pytest.raises(InfraError, match=r"web/build\.log"):
        build.build(_silent)
    reason = (checkout / "chalicelib" / "ui" / "failure.txt").read_text()
    assert reason == "Its build failed; web/build.log has the output."
    assert "registry.corp" in (checkout / "web" / "build.log").read_text()
    monkeypatch.setattr(ui, "BUILT", checkout / "chalicelib" / "ui")
    with server_on_moto() as server:
        assert reason in found(server.call("GET", "/ui", token=None)).decode()


def test_without_node_the_page_says_so(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(InfraError, match=r"Node\.js 22 or newer"):
        build.build(_silent)
    assert "Node.js 22 or newer" in (checkout / "chalicelib" / "ui" / "failure.txt").read_text()


def test_a_failed_build_keeps_the_earlier_one(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tools: list[str]
) -> None:
    build.build(_silent)
    earlier = build.built_hash()
    (checkout / "web" / "src" / "main.ts").write_text("(")

    def fail(*_: object, **__: object) -> str:
        raise node.CommandFailed("syntax")

    monkeypatch.setattr(node, "run_tool", fail)
    with pytest.raises(InfraError):
        build.build(_silent)
    assert build.built_hash() == earlier
    assert [each.name for each in (checkout / "chalicelib" / "ui").iterdir()] == ["index.html"]


def test_the_node_of_the_wheel_is_used_whatever_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    if node._wheel() is None:
        pytest.skip("pip has no wheel of Node.js for this machine")
    monkeypatch.setenv("PATH", "")
    assert int(node.run(["-p", "process.versions.node.split('.')[0]"], build.WEB)) >= node.OLDEST
    assert re.match(r"\d+\.", node.npm(["--version"], build.WEB))


def test_the_lock_file_names_no_host() -> None:
    """Another machine has another registry."""
    lock = json.loads((build.WEB / "package-lock.json").read_text())
    assert [name for name, each in lock["packages"].items() if "resolved" in each] == []
    unhashed = [name for name, each in lock["packages"].items() if name and "integrity" not in each]
    assert unhashed == []


def test_the_types_of_bodies_have_no_field_that_is_always_there() -> None:
    schemas = document.for_types()["components"]["schemas"]
    assert "default" not in str(schemas["NewProject"])
    assert "default" in str(schemas["Iteration"])


def test_without_a_registry_the_check_says_that_it_did_not_happen(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise node.CommandFailed("npm error network")

    monkeypatch.setattr(node, "npm", fail)
    assert main("check") == 0
    assert "NOT CHECKED" in capsys.readouterr().err
    assert main("build") == 1


@pytest.fixture
def built() -> Path:
    if build.built_hash() is None:
        pytest.skip("The dashboard is not built: `make dashboard` says why")
    return build.BUILT


def test_a_build_is_text_with_names_that_the_server_serves(built: Path) -> None:
    names = [path.name for path in built.iterdir()]
    assert {Path(name).suffix for name in names} <= {*assets.MEDIA_TYPES, ".txt"}
    served = [name for name in names if not name.endswith((".html", ".txt"))]
    assert [name for name in served if ui._find(name) is None] == []
    assert [name for name in served if not ui._HASHED.fullmatch(name)] == ["icon.svg"]
    for name in names:
        (built / name).read_text("utf-8")


def test_the_page_has_no_inline_script_and_names_all_of_its_first_load(built: Path) -> None:
    page = (built / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    loaded = re.findall(r'(?:src|href)="\./([^"]+)"', page)
    # The first script waits for no other. The second one imports it, and one chunk: the browser fetches all at once.
    first = re.findall(r'<script type="module" async crossorigin src="\./(start-[^"]+)"', page)
    assert page.count("<script") == 2
    assert [_imports(built / name) for name in first] == [set()]
    assert sorted(Path(name).suffix for name in loaded) == [".css", ".js", ".js", ".js", ".svg"]
    scripts = {name for name in loaded if name.endswith(".js")}
    for name in scripts:
        assert _imports(built / name) <= scripts
    size = sum(len(gzip.compress((built / name).read_bytes(), 9)) for name in loaded)
    assert size <= FIRST_LOAD_KB * 1000


def _imports(script: Path) -> set[str]:
    return set(re.findall(r'(?:from|import)"\./([^"]+)"', script.read_text()))


def test_no_code_writes_html_or_reaches_another_host(built: Path) -> None:
    for path in built.glob("*.js"):
        code = path.read_text()
        assert not re.search(r"\beval\(|new Function|document\.write", code), path.name
        # A namespace, and where an error of the Markdown library asks to be reported.
        hosts = set(re.findall(r"https?://([\w.-]+)", code)) - {"www.w3.org", "github.com"}
        assert hosts <= {"127.0.0.1"}, path.name


@pytest.fixture
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


def test_the_server_serves_the_build(server: Server, built: Path) -> None:
    page = found(server.call("GET", "/ui", token=None)).decode()
    for url in re.findall(r'(?:src|href)="http://127.0.0.1:9(/ui/[^"]+)"', page):
        assert server.call("GET", url, token=None).status == 200
