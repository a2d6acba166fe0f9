"""The app as Lambda runs it, with the index of paths: it imports a module at the first request for one of its paths."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from chalicelib.routes.openapi import document
from infra.package.route_index import modules_by_path

# A process of its own: in this one all modules are imported.
SCRIPT = """
import json, re, sys
from chalicelib.routes import index

index.MODULES.update(json.load(sys.stdin))
served = {f"chalicelib.routes.{name}" for names in index.MODULES.values() for name in names}

from app import app

def ask(method, path):
    context = {"resourcePath": path, "httpMethod": method, "path": path, "identity": {"sourceIp": "127.0.0.1"}}
    ids = {name: "0" for name in re.findall("{([a-z0-9_]+)}", path)}
    return app({"requestContext": context, "multiValueQueryStringParameters": None, "headers": {}, "body": None,
                "multiValueHeaders": {}, "pathParameters": ids, "stageVariables": None, "isBase64Encoded": False}, None)

print(json.dumps({
    "at_start": sorted(served & sys.modules.keys()),
    "health": ask("GET", "/health")["statusCode"],
    "after_health": sorted(served & sys.modules.keys()),
    "rows": sorted(name for name in sys.modules if name.startswith("chalicelib.storage.")),
    "document": ask("GET", "/openapi.json")["body"],
    "methods": {path: ask("OPTIONS", path) and sorted(app.routes[path]) for path in index.MODULES},
}))
"""


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    command = [sys.executable, "-c", SCRIPT]
    text = json.dumps(modules_by_path())
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_a_request_imports_the_module_of_its_path_only(seen: dict[str, Any]) -> None:
    assert seen["at_start"] == []
    assert seen["health"] == 200
    assert seen["after_health"] == ["chalicelib.routes.health"]


def test_the_first_request_loads_only_the_rows_of_users_and_permissions(seen: dict[str, Any]) -> None:
    nouns = {name.removeprefix("chalicelib.storage.") for name in seen["rows"] if ".table" not in name}
    assert nouns == {"keyring", "label", "permission", "project", "sign_in_attempt", "user"}


def test_every_path_has_all_its_methods_when_it_is_asked(seen: dict[str, Any]) -> None:
    from app import app

    assert seen["methods"] == {path: sorted(methods) for path, methods in app.routes.items()}


def test_the_document_is_the_same_whichever_module_was_imported_first(seen: dict[str, Any]) -> None:
    assert json.dumps(json.loads(seen["document"])) == json.dumps(document())
