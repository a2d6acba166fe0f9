"""The page about the API: its headers, its assets, and that it shows every operation of the OpenAPI document."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chalicelib.routes import pages
from chalicelib.routes.openapi import document
from tests.support.server import Server

FOLDER = Path(pages.__file__).parent
ASSETS = {
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/docs.js": ("docs.js", "text/javascript; charset=utf-8"),
    "/docs/docs.css": ("docs.css", "text/css; charset=utf-8"),
}


def _get(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    status, answered, content = server.transport.call("GET", path, headers, b"")
    return status, {name.lower(): value for name, value in answered.items()}, content.decode()


@pytest.mark.parametrize("path", ASSETS)
def test_an_asset_is_served_without_sign_in_and_with_its_policy(server: Server, path: str) -> None:
    name, media_type = ASSETS[path]
    status, headers, content = _get(server, path)
    assert (status, headers["content-type"], content) == (200, media_type, (FOLDER / name).read_text("utf-8"))
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "connect")} == {"'self'"}
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert _get(server, path, **{"if-none-match": headers["etag"]})[0] == 304


def test_the_page_loads_its_own_assets_only_and_they_are_small(server: Server) -> None:
    texts = {path: _get(server, path)[2] for path in ASSETS}
    assert sum(len(text.encode()) for text in texts.values()) < 40_000
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', texts["/docs"])
    # Relative URLs: a deployed server has its stage before the path.
    assert set(loaded) == {"data:,", "docs/docs.css", "docs/docs.js", "openapi.json"}
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", texts["/docs"])
    assert not any(re.search(r"https?://|@import|url\(", text) for text in texts.values())
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|innerHTML|\beval\b", texts["/docs/docs.js"])


def test_the_script_knows_every_method_of_the_document(server: Server) -> None:
    methods = re.search(r"^const METHODS = (\[.*\]);$", _get(server, "/docs/docs.js")[2], re.MULTILINE)
    assert methods
    shown = {(path, method) for path, item in document()["paths"].items() for method in item}
    assert {method for _, method in shown} <= set(json.loads(methods[1]))


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the script of the page")
def test_the_script_shows_every_operation(tmp_path: Path) -> None:
    shown = _run(
        tmp_path, "operationsOf(api).map(({method, path, id, title, group}) => [path, method, id, title, group])"
    )
    assert shown == [
        [path, method, each["operationId"], each["summary"], each["tags"][0]]
        for path, item in document()["paths"].items()
        for method, each in sorted(item.items(), key=lambda pair: ORDER.index(pair[0]))
    ]
    assert len({each[2] for each in shown}) == len(shown)


ORDER = ["get", "post", "put", "patch", "delete"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the script of the page")
@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('exampleOf({$ref: "#/components/schemas/NewParameter"}, api)', {"key": "", "value": ""}),
        ('wordsOf({type: "string", maxLength: 3}, api)', "string, at most 3 characters"),
        (
            'outlineOf({$ref: "#/components/schemas/Tag"}, api)',
            '{\n  "id": string,\n  "value": string\n}',
        ),
        (
            'urlOf("/api", "/a/{id}", PARAMETERS, {id: "x/y", key: "loss, a&b"})',
            "/api/a/x%2Fy?key=loss&key=a%26b",
        ),
        ("api.paths ? Object.values(api.components.schemas).map((each) => outlineOf(each, api)).length > 20 : 0", True),
    ],
)
def test_the_script_explains_schemas_and_builds_requests(tmp_path: Path, expression: str, wanted: Any) -> None:
    assert _run(tmp_path, expression) == wanted


def _run(folder: Path, expression: str) -> Any:
    """The value of a JavaScript expression over the functions of the page and the OpenAPI document."""
    (folder / "docs.mjs").write_text((FOLDER / "docs.js").read_text("utf-8"), "utf-8")
    (folder / "api.json").write_text(json.dumps(document()))
    code = (
        'import {readFileSync} from "node:fs";'
        'import {operationsOf, wordsOf, outlineOf, exampleOf, urlOf} from "./docs.mjs";'
        'const api = JSON.parse(readFileSync("api.json"));'
        'const PARAMETERS = [{name: "id", in: "path"}, {name: "key", in: "query", schema: {type: "array"}}];'
        f"console.log(JSON.stringify({expression}));"
    )
    command = [str(shutil.which("node")), "--input-type=module", "-e", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
