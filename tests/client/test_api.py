from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary.api import path_of
from tests.support import transports
from tests.support.transports import FakeServer, client_of, page, project, query_of

if TYPE_CHECKING:
    from deardiary.http.transport import Request

USER = {
    "id": "u1",
    "first_name": "",
    "last_name": "",
    "username": "ada",
    "created_date": transports.NOW,
    "is_admin": True,
}
SESSION = {"access_token": "fresh", "token_type": "bearer", "expires_at": transports.NOW, "user": USER}


def test_a_password_is_traded_for_a_token() -> None:
    server = FakeServer()
    server.answers = {"POST /auth": (200, SESSION), "GET /auth/me": (200, USER)}

    client = deardiary.connect(transports.URL, username="ada", password="sesame-open", transport=server)

    assert client.whoami().username == "ada"
    assert server.bodies("POST /auth") == [{"username": "ada", "password": "sesame-open"}]
    assert "Authorization" not in server.requests[0].headers
    assert server.requests[1].headers["Authorization"] == "Bearer fresh"


def test_a_refreshed_token_is_sent_from_then_on() -> None:
    server = FakeServer()
    server.answers = {"POST /auth/refresh": (200, SESSION), "GET /auth/me": (200, USER)}
    client = client_of(server)

    assert client.refresh_token().access_token == "fresh"
    client.whoami()

    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer secret-token", "Bearer fresh"]


def test_disconnecting_forgets_the_token_and_closes() -> None:
    server = FakeServer()
    server.answers = {"GET /auth/me": (200, USER)}
    with client_of(server) as client:
        client.whoami()
    client.whoami()

    assert server.requests[1].method == "CLOSE"
    assert "Authorization" not in server.requests[2].headers


def test_without_credentials_no_token_is_sent() -> None:
    server = FakeServer()
    server.answers = {"GET /auth/me": (200, USER)}
    deardiary.connect(transports.URL, transport=server).whoami()
    assert "Authorization" not in server.requests[0].headers


def test_a_list_asks_for_pages_as_they_are_needed() -> None:
    def answer(request: Request) -> transports.Answer:
        if "cursor" in query_of(request):
            return 200, page(project(id="p3"))
        return 200, page(project(id="p1"), project(id="p2"), next_cursor="c&=")

    server = FakeServer()
    server.answers = {"GET /projects": answer}
    projects = client_of(server).projects.list(name="Iris & co")

    assert server.requests == []
    assert [next(projects).id, next(projects).id] == ["p1", "p2"]
    assert len(server.requests) == 1
    assert [each.id for each in projects] == ["p3"]
    assert query_of(server.requests[1]) == {"limit": ["200"], "name": ["Iris & co"], "cursor": ["c&="]}


def test_an_update_sends_the_given_fields_and_no_more() -> None:
    server = FakeServer()
    server.answers = {"PATCH /projects/p1": (200, project(name="Iris"))}
    client_of(server).projects.update("p1", description="")
    assert server.bodies("PATCH /projects/p1") == [{"description": ""}]


@pytest.mark.parametrize("status", [202, 204])
def test_a_delete_answers_nothing(status: int) -> None:
    server = FakeServer()
    server.answers = {"DELETE /projects/p1": (status, None)}
    client_of(server).projects.delete("p1")
    assert server.names() == ["DELETE /projects/p1"]


def test_an_answer_other_than_success_is_a_client_error() -> None:
    server = FakeServer()
    server.answers = {"GET /projects/p1": (404, {"code": "NOT_FOUND", "message": "No"})}
    with pytest.raises(deardiary.ClientError) as caught:
        client_of(server).projects.get("p1")
    assert (caught.value.status, caught.value.code, caught.value.message) == (404, "NOT_FOUND", "No")


@pytest.mark.parametrize("body", [b"<html>", b"", [], "text", {"id": "p1"}, project(created_date="yesterday")])
def test_an_answer_of_something_else_is_a_client_error(body: object) -> None:
    server = FakeServer()
    server.answers = {"GET /projects/p1": (200, body), "GET /projects": (200, body)}
    with pytest.raises(deardiary.ClientError, match="is not DearDiary's"):
        client_of(server).projects.get("p1")
    with pytest.raises(deardiary.ClientError, match="is not DearDiary's"):
        next(client_of(server).projects.list())


def test_only_posts_with_a_key_may_be_sent_twice() -> None:
    server = FakeServer()
    server.answers = {"POST /projects": (201, project())}
    client = client_of(server)
    client.projects.create("Iris")
    client.projects.create("Iris", id_key="k")
    assert [request.may_repeat for request in server.requests] == [False, True]


def test_an_id_stays_one_segment_of_the_path() -> None:
    assert path_of("projects", "a/b?c d") == "/projects/a%2Fb%3Fc%20d"
    for wrong in ("", ".", ".."):
        with pytest.raises(ValueError, match="is not an id"):
            path_of("projects", wrong)


def test_tags_hang_on_three_kinds_of_owner() -> None:
    server = FakeServer()
    server.answers = {
        "POST /experiments/e1/tags": (201, {"id": "t1", "value": "best"}),
        "GET /iterations/i1/tags": (200, page({"id": "t1", "value": "best"})),
        "DELETE /projects/p1/tags/t1": (204, None),
    }
    tags = client_of(server).tags

    assert tags.create("experiment", "e1", "best").value == "best"
    assert [tag.id for tag in tags.list("iteration", "i1")] == ["t1"]
    tags.delete("project", "p1", "t1")
