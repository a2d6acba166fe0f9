"""Lists: each object exactly once, in the order of creation, with pages of any size; cursors of their own list only."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import paging
from chalicelib.routes.http import answer, endpoint
from tests.support.api import (
    check_invalid,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_resource,
    pages,
)
from tests.support.server import Server

# A list: its path, and a function that creates the next object in it and returns its id.
Fill = Callable[[], str]
Make = Callable[[Server], tuple[str, Fill]]


def _post(server: Server, path: str, bodies: Callable[[int], Any], token: str = "") -> Fill:
    numbers = iter(range(1000))
    return lambda: str(made(server.call("POST", path, bodies(next(numbers)), token=token))["id"])


def _users(server: Server) -> tuple[str, Fill]:
    return "/users", lambda: new_person(server).id


def _projects(server: Server) -> tuple[str, Fill]:
    return "/projects", lambda: new_project(server)


def _experiments(server: Server) -> tuple[str, Fill]:
    project = new_project(server)
    return f"/projects/{project}/experiments", lambda: new_experiment(server, project)


def _iterations(server: Server) -> tuple[str, Fill]:
    experiment = new_experiment(server)
    return f"/experiments/{experiment}/iterations", lambda: new_iteration(server, experiment)


def _children(server: Server) -> tuple[str, Fill]:
    experiment = new_experiment(server)
    parent = new_iteration(server, experiment)
    path = f"/iterations/{parent}/children"
    return path, lambda: new_iteration(server, experiment, parent_iteration_id=parent)


def _resources(server: Server) -> tuple[str, Fill]:
    experiment = new_experiment(server)
    numbers = iter(range(1000))
    path = f"/experiments/{experiment}/resources"
    return path, lambda: str(new_resource(server, experiment, b"%d" % next(numbers))["id"])


def _parameters(server: Server) -> tuple[str, Fill]:
    path = f"/iterations/{new_iteration(server)}/parameters"
    return path, _post(server, path, lambda at: {"key": f"k{at * 7 % 10}", "value": "v"})


def _metrics(server: Server) -> tuple[str, Fill]:
    path = f"/iterations/{new_iteration(server)}/metrics"
    return path, _post(server, path, lambda at: {"key": "m", "value": 1.0})


def _tags(level: str, new: Callable[[Server], str]) -> Make:
    def make(server: Server) -> tuple[str, Fill]:
        path = f"/{level}/{new(server)}/tags"
        return path, _post(server, path, lambda at: {"value": f"t{at * 7 % 10}"})

    return make


MAKES: dict[str, Make] = {
    "users": _users,
    "projects": _projects,
    "experiments": _experiments,
    "iterations": _iterations,
    "children": _children,
    "resources": _resources,
    "parameters": _parameters,
    "metrics": _metrics,
    "tags of a project": _tags("projects", new_project),
    "tags of an experiment": _tags("experiments", new_experiment),
    "tags of an iteration": _tags("iterations", new_iteration),
}
lists = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)


@lists
def test_each_of_seven_exactly_once_in_the_order_of_creation(server: Server, make: Make) -> None:
    path, fill = make(server)
    before = [each["id"] for each in pages(server, path, 200)]
    wanted = before + [fill() for _ in range(7)]
    for limit in (3, 200):
        assert [each["id"] for each in pages(server, path, limit)] == wanted
    if not before:
        assert found(server.call("GET", f"{path}?limit=7"))["next_cursor"] is None


@lists
def test_a_cursor_of_another_list_or_a_damaged_one(server: Server, make: Make) -> None:
    (path, fill), (foreign, fill_foreign) = make(server), _iterations(server)
    again, fill_again = make(server)
    for each in (fill, fill_foreign, fill_again):
        _ = [each() for _ in range(2)]
    own, *others = (found(server.call("GET", f"{each}?limit=1"))["next_cursor"] for each in (path, foreign, again))
    found(server.call("GET", f"{path}?cursor={own}"))
    bad = [*_damaged(own), others[0], *([] if path == again else [others[1]])]
    for cursor in bad:
        check_invalid(server.call("GET", f"{path}?cursor={cursor}"), "cursor")


def _damaged(cursor: str) -> list[str]:
    """Texts that are no cursor, one cut short, and some in the form of a cursor."""
    parts = json.loads(base64.urlsafe_b64decode(cursor + "==")[paging._CHECK_BYTES :])
    like = [[], parts[:-1], [*parts, "x"], [1] * len(parts), [*parts[:-1], "☃"], ["\ud800", *parts[1:]]]
    like += [[*parts[:-1], parts[-1] + "x" * 2_000], {"a": 1}, None]
    forged = [_checked(json.dumps(each).encode()) for each in like]
    flipped = cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]
    return ["", "x", "%00", "%C3%A9", "!!!!", cursor[:-8], flipped, _checked(b"[" * 6_000), *forged]


def _checked(data: bytes) -> str:
    """A cursor with a correct checksum, as if from the server; the server must check its content too."""
    return base64.urlsafe_b64encode(paging._check(data) + data).decode()


def test_members_and_permissions_are_listed_once(server: Server) -> None:
    project = new_project(server)
    members = {new_member(server, project, "read").id for _ in range(4)}
    admin = found(server.call("GET", "/auth/me"))["id"]
    listed = [each["user_id"] for each in pages(server, f"/projects/{project}/permissions", 3)]
    assert sorted(listed) == sorted(members | {admin})


def test_own_projects_fill_their_pages_though_some_may_not_be_read(server: Server) -> None:
    person = new_person(server)
    projects = [new_project(server) for _ in range(6)]
    for at, project in enumerate(projects):
        record = {"read_permission": at % 2 == 0}
        found(server.call("PUT", f"/projects/{project}/permissions/{person.id}", record))
    assert [each["id"] for each in pages(server, "/projects", 2, person.token)] == projects[::2]
    assert len(found(server.call("GET", "/projects?limit=2", token=person.token))["data"]) == 2
    listed = pages(server, f"/users/{person.id}/permissions", 3, person.token)
    assert sorted(each["project_id"] for each in listed) == sorted(projects)


def test_a_page_of_one_key_only(server: Server) -> None:
    path = f"/iterations/{new_iteration(server)}/metrics"
    points = [{"key": f"m{at % 2}", "value": float(at)} for at in range(14)]
    made(server.call("POST", f"{path}/batch", {"batch_id": "b", "metrics": points}))
    assert [each["value"] for each in pages(server, f"{path}?key=m1", 3)] == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0]
    assert len({each["id"] for each in pages(server, path, 3)}) == 14


def _long(server: Server) -> str:
    """An experiment with iterations of 1 to 8 kB each on the wire, with their parts."""
    experiment = new_experiment(server)
    for at, notes in enumerate(["a" * 1000, '"' * 1000, "\x01" * 400, "ä" * 1000] * 4):
        iteration = new_iteration(server, experiment, notes=notes)
        body = {"batch_id": "1", "parameters": {f"p{each}": "x" * 20 for each in range(at * 5)}}
        made(server.call("POST", f"/iterations/{iteration}/log", body))
    return experiment


@pytest.mark.parametrize("query", ["", "?include=parameters", "?include=parameters&order_by=created_date"])
def test_a_page_is_no_longer_than_an_answer_can_be(server: Server, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    path = f"/experiments/{_long(server)}/iterations{query}"
    expected = pages(server, path, 200)
    assert len(expected) == 16
    monkeypatch.setattr(endpoint, "MAX_ANSWER_BYTES", 10_000)
    monkeypatch.setattr(answer, "MAX_ANSWER_BYTES", 10_000)
    cursor: str | None = ""
    rows: list[Any] = []
    sizes = []
    while cursor is not None:
        page = found(server.call("GET", f"{path}{'&' if query else '?'}limit=200{cursor and f'&cursor={cursor}'}"))
        sizes.append(len(json.dumps(json.dumps(page, separators=(",", ":"), ensure_ascii=False))))
        rows += page["data"]
        cursor = page["next_cursor"]
    assert rows == expected
    assert len(sizes) > 3
    assert max(sizes) <= 10_002  # with the quotes around it
    monkeypatch.setattr(endpoint, "MAX_ANSWER_BYTES", 1_000)
    monkeypatch.setattr(answer, "MAX_ANSWER_BYTES", 1_000)
    refused = server.call("GET", path)
    assert (refused.status, refused.body["code"]) == (413, "PAYLOAD_TOO_LARGE")
