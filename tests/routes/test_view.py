"""Views of a project and preferences of a user: JSON that the server keeps and does not look into."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import limits
from chalicelib.errors import NotFound
from chalicelib.services.lifecycle import sweep
from chalicelib.storage import preferences, view
from tests.support.api import (
    check_invalid,
    check_refused,
    found,
    made,
    new_member,
    new_person,
    new_project,
    pages,
    rows,
)
from tests.support.server import Server

STATE = {"filter": 'status = "FAILED"', "columns": ["loss", "é☃😀"], "width": 1.5, "wrap": None, "more": {"": [1, [2]]}}
PREFERENCES = "/auth/me/preferences"


def _of_size(size: int) -> dict[str, str]:
    """A JSON object of this many bytes."""
    return {"x": "y" * (size - len('{"x":""}'))}


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"x": value}
    return value


def test_a_view_is_kept_as_it_is_and_changed_in_parts(server: Server) -> None:
    project = new_project(server)
    member = new_member(server, project, "read", "create", "update", "delete")
    created = made(server.call("POST", f"/projects/{project}/views", {"name": "v", "state": STATE}, token=member.token))
    assert (created["name"], created["state"], created["created_by"]) == ("v", STATE, member.id)
    path = f"/projects/{project}/views/{created['id']}"
    assert found(server.call("GET", path)) == created
    renamed = found(server.call("PATCH", path, {"name": "w"}))
    assert renamed == {**created, "name": "w"}
    emptied = found(server.call("PATCH", path, {"state": {}}))
    assert emptied == found(server.call("PATCH", path, {})) == {**created, "name": "w", "state": {}}
    assert server.call("DELETE", path).status == 204
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        refused = server.call(method, path, body)
        check_refused(refused, 404, "NOT_FOUND")
        assert (refused.body["details"]["kind"], refused.body["details"]["id"]) == ("view", created["id"])


def test_views_are_listed_in_pages_and_only_in_their_project(server: Server) -> None:
    client, project, other = server.client(), new_project(server), new_project(server)
    big = _of_size(limits.MAX_STATE_BYTES)
    views = [client.views.create(project, f"view {number}", big) for number in range(3)]
    assert list(client.views.list(project)) == views
    assert [each["id"] for each in pages(server, f"/projects/{project}/views", 2)] == [each.id for each in views]
    check_refused(server.call("GET", f"/projects/{other}/views/{views[0].id}"), 404, "NOT_FOUND")
    assert client.views.update(project, views[0].id, name="first") == client.views.get(project, views[0].id)
    client.views.delete(project, views[0].id)
    assert list(client.views.list(project)) == views[1:]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": {}}, "name"),
        ({"name": "", "state": {}}, "name"),
        ({"name": "v"}, "state"),
        ({"name": "v", "state": [1]}, "state"),
        ({"name": "v", "state": "{}"}, "state"),
        ({"name": "v", "state": {}, "owner": "x"}, "owner"),
        ({"name": "v", "state": _of_size(limits.MAX_STATE_BYTES + 1)}, "state"),
        ({"name": "v", "state": _nested(33)}, "state"),
    ],
)
def test_a_view_that_is_refused(server: Server, body: dict[str, Any], field: str) -> None:
    project = new_project(server)
    check_invalid(server.call("POST", f"/projects/{project}/views", body), field)
    created = made(server.call("POST", f"/projects/{project}/views", {"name": "v", "state": _nested(32)}))
    if body.keys() >= {"name", "state"}:
        check_invalid(server.call("PATCH", f"/projects/{project}/views/{created['id']}", body), field)


def test_views_go_with_their_project(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.token()  # the first sign-in writes a row
    before = rows()
    project = new_project(server)
    created = made(server.call("POST", f"/projects/{project}/views", {"name": "v", "state": STATE}))
    stored = view.get_view(project, created["id"])
    monkeypatch.setattr("chalicelib.services.lifecycle.deletion.REQUEST_SECONDS", -1.0)
    assert server.call("DELETE", f"/projects/{project}?purge=true").status == 202
    check_refused(server.call("GET", f"/projects/{project}/views/{created['id']}"), 404, "NOT_FOUND")
    # A request that read the project before its deletion.
    with pytest.raises(NotFound):
        view.create_view(stored)
    assert sweep.resume_deletions(60)
    with pytest.raises(NotFound):
        view.update_view(project, created["id"], {"name": "late"})
    assert rows() == before


def test_preferences_are_each_users_own(server: Server) -> None:
    one, other = new_person(server), new_person(server)
    assert found(server.call("GET", PREFERENCES, token=one.token)) == {}
    assert found(server.call("PUT", PREFERENCES, STATE, token=one.token)) == STATE
    assert found(server.call("GET", PREFERENCES, token=one.token)) == STATE
    assert found(server.call("GET", PREFERENCES, token=other.token)) == {}
    client = server.client(one.username)
    assert client.preferences.put({"theme": "dark"}) == client.preferences.get() == {"theme": "dark"}
    assert client.preferences.put({}) == client.preferences.get() == {}


def test_preferences_have_a_limit(server: Server) -> None:
    person = new_person(server)
    most = _of_size(limits.MAX_STATE_BYTES)
    text = json.dumps(most, separators=(",", ":"))
    assert len(text) == limits.MAX_STATE_BYTES
    client = server.client(person.username)
    assert client.preferences.put(most) == most
    beyond = server.call("PUT", PREFERENCES, _of_size(limits.MAX_STATE_BYTES + 1), token=person.token)
    check_refused(beyond, 413, "PAYLOAD_TOO_LARGE")
    check_invalid(server.call("PUT", PREFERENCES, _nested(33), token=person.token), "body")
    others: list[Any] = [[], [{}], "text", 5]
    for body in others:
        check_invalid(server.call("PUT", PREFERENCES, body, token=person.token), "body")
    assert client.preferences.get() == most


@pytest.mark.parametrize("content", [b'{"x":' + b"[" * 30_000, b'{"x":' * 10_000, b'{"x":"\\ud800"}', b'{"x":1e999}'])
def test_json_that_no_program_sends_is_refused(server: Server, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {server.token()}"}
    for method, path in (("PUT", PREFERENCES), ("POST", f"/projects/{new_project(server)}/views")):
        body = content if method == "PUT" else b'{"name":"v","state":' + content + b"}"
        assert server.transport.call(method, path, headers, body)[0] == 422


def test_preferences_go_with_their_user(server: Server) -> None:
    server.token()  # the first sign-in writes a row
    before = rows()
    person = new_person(server)
    found(server.call("PUT", PREFERENCES, STATE, token=person.token))
    assert server.call("DELETE", f"/users/{person.id}", token=person.token).status == 204
    # A request that was signed in before the deletion.
    with pytest.raises(NotFound):
        preferences.put_preferences(person.id, {})
    assert rows() == before
