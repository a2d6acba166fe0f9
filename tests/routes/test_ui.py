"""The dashboard's files: their URLs, headers and names, and the page in their place where the build is missing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.artifacts import Location, s3
from chalicelib.routes.pages import assets, ui
from tests.support.api import check_refused
from tests.support.server import Reply, Server, server_on_moto

INDEX = """<!doctype html>
<html lang="en" data-site="">
<link rel="stylesheet" href="./index-aB_c-012.css">
<script type="module" src="./index-01234567.js"></script>
"""
CLOUD = {"Host": "abc.execute-api.eu-west-1.amazonaws.com", "X-Forwarded-Proto": "https"}


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "index.html": INDEX,
        "index-01234567.js": "import './page-76543210.js'",
        "index-aB_c-012.css": "body{}",
        "icon.svg": "<svg/>",
        "secret.py": "",
        "failure.txt": "",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(ui, "BUILT", tmp_path)
    return tmp_path


def get(server: Server, path: str, **headers: str) -> Reply:
    return server.call("GET", path, token=None, headers=headers)


@pytest.mark.parametrize("path", ["/", "/ui", "/ui/"])
def test_the_page_is_at_the_root_and_at_ui(server: Server, path: str) -> None:
    reply = get(server, path)
    if path == "/":
        assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:9/ui")
        return
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert b'data-site="http://127.0.0.1:9" data-sign-in="required" data-undo-days="7"' in reply.body
    assert b'src="http://127.0.0.1:9/ui/index-01234567.js"' in reply.body
    assert b'href="http://127.0.0.1:9/ui/index-aB_c-012.css"' in reply.body


def test_the_page_says_that_there_is_no_sign_in() -> None:
    with server_on_moto(DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN="127.0.0.1") as server:
        assert b'data-sign-in="off"' in get(server, "/ui").body
        check_refused(get(server, "/ui", Host="evil.example.com"), 403, "ORIGIN_FORBIDDEN")


def test_the_page_says_that_there_is_no_trash() -> None:
    with server_on_moto(DEARDIARY_UNDO_DAYS="0") as server:
        assert b'data-undo-days="0"' in get(server, "/ui").body


def test_a_host_that_is_markup_stays_text(server: Server) -> None:
    body = get(server, "/ui", Host='"><script>alert(1)</script>').body
    assert b"<script>alert" not in body


def test_the_page_is_read_again_and_its_assets_never(server: Server) -> None:
    page, script, icon = (get(server, f"/ui{name}") for name in ("", "/index-01234567.js", "/icon.svg"))
    assert page.headers["cache-control"] == icon.headers["cache-control"] == "private, no-cache"
    assert get(server, "/ui", **{"If-None-Match": page.headers["etag"]}).status == 304
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    style = get(server, "/ui/index-aB_c-012.css")
    assert (style.body, style.headers["content-type"]) == (b"body{}", "text/css; charset=utf-8")


@pytest.mark.parametrize("path", ["/ui", "/ui/index-01234567.js", "/ui/unbuilt.css"])
def test_the_policy_allows_the_page_itself_and_the_store(server: Server, path: str) -> None:
    headers = get(server, path).headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    store = s3.origin()
    assert store
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "media-src": "blob:",
        "img-src": f"'self' {store} blob: data:",
        "connect-src": f"'self' {store}",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


NAMES = [
    *("missing.js", "index.html", "secret.py", "failure.txt", "..", ".", "..%2Findex-01234567.js", "%2e%2e"),
    *(
        "..%2F..%2Fapp.py",
        "index-01234567.js%00",
        "index-01234567.js%0A",
        "a%5Cb.js",
        "unbuilt.html",
        "docs.js",
        "é.js",
    ),
    "x" * 300 + ".js",
]


@pytest.mark.parametrize("name", NAMES)
def test_other_names_are_not_found(server: Server, name: str) -> None:
    check_refused(get(server, f"/ui/{name}"), 404, "NOT_FOUND")


def test_without_a_build_the_page_says_why(server: Server, built: Path) -> None:
    (built / "index.html").unlink()
    (built / "failure.txt").write_text("`npm ci` ended with status 1 <offline>")
    reply = get(server, "/ui")
    assert reply.status == 200
    assert b"`npm ci` ended with status 1 &lt;offline&gt;" in reply.body
    assert b"python -m infra.dashboard build" in reply.body
    (loaded,) = re.findall(rb'"(http[^"]+css)"', reply.body)
    assert get(server, loaded.decode().removeprefix("http://127.0.0.1:9")).status == 200
    (built / "failure.txt").unlink()
    assert b"has not been built" in get(server, "/ui").body


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS S3 without an emulator, and keys that sign."""
    with server_on_moto(AWS_REGION="eu-central-1"):
        yield


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"AWS_REGION": "cn-north-1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        *(
            {
                "DEARDIARY_ARTIFACT_S3_ENDPOINT": "https://minio.example.org:9000",
                "DEARDIARY_ARTIFACT_S3_PROFILE": "minio",
                "DEARDIARY_ARTIFACT_S3_ADDRESSING": addressing,
            }
            for addressing in ("path", "virtual")
        ),
    ],
    ids=str,
)
def test_the_origin_of_the_store_is_that_of_presigned_urls(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("[minio]\naws_access_key_id = k\naws_secret_access_key = s\n")
    from tests.support.server import forget_settings

    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    url = s3.presign("get_object", Location("p", "0" * 64), {})
    origin = s3.origin()
    assert origin
    assert url.startswith(f"{origin}/")


def test_assets_are_read_when_they_are_requested_first_and_after_a_build(server: Server, built: Path) -> None:
    before = assets._read.cache_info().misses
    for _ in range(2):
        assert get(server, "/ui/icon.svg").body == b"<svg/>"
    assert assets._read.cache_info().misses == before + 1
    (built / "icon.svg").write_text("<svg></svg>")
    os.utime(built / "icon.svg", ns=(1, 1))
    assert get(server, "/ui/icon.svg").body == b"<svg></svg>"
