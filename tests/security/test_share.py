"""Shares: read-only links that show some iterations or an experiment, until they expire or are revoked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib import clock, security
from chalicelib.artifacts.ticket import Ticket, url_of
from chalicelib.services import sign_in_attempt
from deardiary.wire.times import parse_time
from tests.support.api import (
    ALL,
    Person,
    check_invalid,
    check_refused,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
    new_ready_resource,
    rows,
)
from tests.support.server import PASSWORD, Reply, Server, server_on_moto

ENDED = (401, "TOKEN_INVALID")
GONE = (404, "NOT_FOUND")


@dataclass(frozen=True)
class Lab:
    """A project with two experiments: one of two iterations, each with a point and a file, and one elsewhere."""

    owner: Person
    project: str
    experiment: str
    first: str
    second: str
    files: tuple[str, str]
    elsewhere: str


@pytest.fixture
def lab(server: Server) -> Lab:
    project = new_project(server)
    experiment, other = new_experiment(server, project), new_experiment(server, project)
    first, second = new_iteration(server, experiment), new_iteration(server, experiment)
    for each in (first, second):
        made(server.call("POST", f"/iterations/{each}/metrics", {"key": "loss", "value": 0.5}))
    files = [new_ready_resource(server, experiment, each.encode(), iteration_id=each)["id"] for each in (first, second)]
    owner = new_member(server, project, *ALL)
    return Lab(owner, project, experiment, first, second, (files[0], files[1]), new_iteration(server, other))


def share(server: Server, lab: Lab, *iteration_ids: str, **body: Any) -> Any:
    given = {"iteration_ids": list(iteration_ids)} if iteration_ids else {}
    path = f"/projects/{lab.project}/shares"
    return made(server.call("POST", path, {**given, **body}, token=lab.owner.token))


def secret_of(shared: Any) -> str:
    return str(shared["url"].rpartition("/")[2])


def open_link(server: Server, shared: Any) -> Reply:
    return server.call("POST", "/auth/share", {"secret": secret_of(shared)}, token=None)


def token_of(server: Server, shared: Any) -> str:
    return str(found(open_link(server, shared))["access_token"])


def view(server: Server, lab: Lab, *iteration_ids: str, **body: Any) -> str:
    return token_of(server, share(server, lab, *iteration_ids, **body))


def test_a_link_says_what_it_shows_and_until_when(server: Server, lab: Lab) -> None:
    shared = share(server, lab, lab.first, lab.second, expires_in_days=7)
    opened = found(open_link(server, shared))
    assert opened.keys() == {"access_token", "experiment_id", "iteration_ids", "expires_at"}
    assert (opened["experiment_id"], opened["iteration_ids"]) == (None, [lab.first, lab.second])
    assert opened["expires_at"] == shared["expires_at"]
    assert found(server.call("GET", f"/iterations/{lab.first}", token=opened["access_token"]))["id"] == lab.first


def test_shares_are_listed_without_their_links(server: Server, lab: Lab) -> None:
    of_two = share(server, lab, lab.first, lab.second)
    of_all = share(server, lab, experiment_id=lab.experiment)
    listed = found(server.call("GET", f"/projects/{lab.project}/shares"))["data"]
    assert listed == [{name: each[name] for name in each if name != "url"} for each in (of_two, of_all)]
    assert [each["created_by"] for each in listed] == [lab.owner.id] * 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "iteration_ids"),
        ({"iteration_ids": []}, "iteration_ids"),
        ({"iteration_ids": ["x"] * 21}, "iteration_ids"),
        ({"iteration_ids": ["0" * 24]}, "iteration_ids"),
        ({"experiment_id": "0" * 24}, "experiment_id"),
        ({"experiment_id": "e", "iteration_ids": ["i"]}, "iteration_ids"),
        ({"experiment_id": "e", "expires_in_days": 0}, "expires_in_days"),
        ({"experiment_id": "e", "expires_in_days": 366}, "expires_in_days"),
    ],
)
def test_a_wrong_share_is_refused(server: Server, lab: Lab, body: dict[str, Any], field: str) -> None:
    check_invalid(server.call("POST", f"/projects/{lab.project}/shares", body, token=lab.owner.token), field)


def test_only_objects_of_the_project_are_shared(server: Server, lab: Lab) -> None:
    foreign = new_iteration(server)
    of_foreign = found(server.call("GET", f"/iterations/{foreign}"))["experiment_id"]
    path = f"/projects/{lab.project}/shares"
    # The admin may read both projects.
    check_invalid(server.call("POST", path, {"iteration_ids": [lab.first, foreign]}), "iteration_ids")
    check_invalid(server.call("POST", path, {"experiment_id": of_foreign}), "experiment_id")


def test_an_api_token_shares_nothing(server: Server, lab: Lab) -> None:
    api_token = made(server.call("POST", "/auth/tokens", {"name": "job"}, token=lab.owner.token))["token"]
    refused = server.call("POST", f"/projects/{lab.project}/shares", {"iteration_ids": [lab.first]}, token=api_token)
    check_refused(refused, 403, "SAME_USER_REQUIRED")
    # It may revoke.
    path = f"/projects/{lab.project}/shares/{share(server, lab, lab.first)['id']}"
    assert server.call("DELETE", path, token=api_token).status == 204


# With a share of {f}: {e} is its experiment, {s} another iteration there, {x} one of another experiment.
HIDDEN = [
    "/iterations/{s}",
    "/iterations/{x}",
    "/iterations/{s}/parameters",
    "/iterations/{s}/metrics/series",
    "/experiments/{e}/metrics/curves?key=loss",
    "/experiments/{e}/metrics/curves?key=loss&iteration_id={s}",
    "/experiments/{e}/metrics/curves?key=loss&iteration_id={f}&iteration_id={s}",
    "/experiments/{e}/metrics/series?key=loss&iteration_id={f}&iteration_id={s}",
    "/experiments/{e}/metrics/summary?iteration_id={s}",
    "/experiments/{e}/metrics/summary?iteration_id={f}&iteration_id={x}",
    "/experiments/{e}/resources",
    "/experiments/{e}/resources?iteration_id={s}",
    "/experiments/{e}/resources?iteration_id=",
    "/experiments/{e}/iterations?filter=id = \"{f}\"",
    "/experiments/{e}/keys",
    "/experiments/{e}",
    "/resources/{file}",
    "/resources/{file}/download",
    "/resources/{file}/download?redirect=true",
]  # fmt: skip


@pytest.mark.parametrize("path", HIDDEN)
def test_a_share_of_an_iteration_shows_no_other(server: Server, lab: Lab, path: str) -> None:
    ids = {"e": lab.experiment, "f": lab.first, "s": lab.second, "x": lab.elsewhere, "file": lab.files[1]}
    reply = server.call("GET", path.format(**ids).replace(" ", "%20"), token=view(server, lab, lab.first))
    assert reply.status in (404, 422), reply
    assert lab.second not in str(reply.body.get("details", {})) or lab.second in path.format(**ids)


def test_a_share_of_an_iteration_shows_its_curves_and_files(server: Server, lab: Lab) -> None:
    token, named = view(server, lab, lab.first), f"iteration_id={lab.first}"
    above = f"/experiments/{lab.experiment}"
    chart = found(server.call("GET", f"{above}/metrics/curves?key=loss&{named}", token=token))
    assert chart["data"]["loss"].keys() == {lab.first}
    series = found(server.call("GET", f"{above}/metrics/series?key=loss&{named}", token=token))
    assert series["data"].keys() == {lab.first}
    summary = found(server.call("GET", f"{above}/metrics/summary?{named}", token=token))
    assert summary["data"].keys() == {lab.first}
    listed = found(server.call("GET", f"{above}/resources?{named}", token=token))["data"]
    assert [each["id"] for each in listed] == [lab.files[0]]
    assert found(server.call("GET", f"/resources/{lab.files[0]}/download", token=token))["url"]


def test_a_cursor_of_another_list_leads_nowhere(server: Server, lab: Lab) -> None:
    above = f"/experiments/{lab.experiment}"
    token, named = view(server, lab, lab.first), f"iteration_id={lab.first}"
    for path in (f"{above}/resources?limit=1", f"{above}/metrics/curves?key=loss", f"{above}/iterations?limit=1"):
        cursor = found(server.call("GET", path))["next_cursor"] or "AAAA"
        for own in (f"{above}/resources?{named}", f"{above}/metrics/curves?key=loss&{named}"):
            reply = server.call("GET", f"{own}&cursor={cursor}", token=token)
            assert (reply.status, reply.field) == (422, "cursor"), (path, own, reply)


def test_a_share_of_an_experiment_shows_later_iterations_too(server: Server, lab: Lab) -> None:
    token = view(server, lab, experiment_id=lab.experiment)
    later = new_iteration(server, lab.experiment)
    listed = found(server.call("GET", f"/experiments/{lab.experiment}/iterations?include=metrics", token=token))
    assert {each["id"] for each in listed["data"]} == {lab.first, lab.second, later}
    assert server.call("GET", f"/iterations/{lab.elsewhere}", token=token).error == GONE


def test_a_share_expires_at_its_second(server: Server, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = share(server, lab, lab.first, expires_in_days=1)
    expires = parse_time(shared["expires_at"])
    monkeypatch.setattr(clock, "now", lambda: expires - timedelta(milliseconds=1500))
    token = token_of(server, shared)
    monkeypatch.setattr(clock, "now", lambda: expires - timedelta(milliseconds=1))
    assert server.call("GET", f"/iterations/{lab.first}", token=token).status == 200
    monkeypatch.setattr(clock, "now", lambda: expires)
    assert server.call("GET", f"/iterations/{lab.first}", token=token).error == (401, "TOKEN_EXPIRED")
    assert open_link(server, shared).error == GONE
    assert found(server.call("GET", f"/projects/{lab.project}/shares"))["data"] == []


def _revoke(server: Server, lab: Lab, shared: Any) -> None:
    path = f"/projects/{lab.project}/shares/{shared['id']}"
    assert server.call("DELETE", path, token=lab.owner.token).status == 204
    assert server.call("DELETE", path, token=lab.owner.token).error == GONE


def _new_password(server: Server, lab: Lab, _shared: Any) -> None:
    found(server.call("PATCH", f"/users/{lab.owner.id}", {"password": f"{PASSWORD} too"}))


def _delete_creator(server: Server, lab: Lab, _shared: Any) -> None:
    assert server.call("DELETE", f"/users/{lab.owner.id}").status == 204


def _take_read(server: Server, lab: Lab, _shared: Any) -> None:
    path = f"/projects/{lab.project}/permissions/{lab.owner.id}"
    found(server.call("PATCH", path, {"read_permission": False}))


def _take_membership(server: Server, lab: Lab, _shared: Any) -> None:
    assert server.call("DELETE", f"/projects/{lab.project}/permissions/{lab.owner.id}").status == 204


def _trash(kind: str, name: str, query: str = "") -> Callable[[Server, Lab, Any], None]:
    def delete(server: Server, lab: Lab, _shared: Any) -> None:
        assert server.call("DELETE", f"/{kind}/{getattr(lab, name)}{query}").status == 204

    return delete


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        pytest.param(_revoke, ENDED, id="revoked"),
        pytest.param(_new_password, ENDED, id="new password"),
        pytest.param(_delete_creator, ENDED, id="creator deleted"),
        pytest.param(_take_read, GONE, id="creator may not read"),
        pytest.param(_take_membership, GONE, id="creator is no member"),
        pytest.param(_trash("iterations", "first"), GONE, id="iteration in the trash"),
        pytest.param(_trash("experiments", "experiment"), GONE, id="experiment in the trash"),
        pytest.param(_trash("projects", "project"), GONE, id="project in the trash"),
        pytest.param(_trash("iterations", "first", "?purge=true"), None, id="iteration purged"),
        pytest.param(_trash("experiments", "experiment", "?purge=true"), None, id="experiment purged"),
        pytest.param(_trash("projects", "project", "?purge=true"), None, id="project purged"),
    ],
)
def test_a_share_ends_at_once(
    server: Server, lab: Lab, act: Callable[[Server, Lab, Any], None], outcome: tuple[int, str] | None
) -> None:
    shared = share(server, lab, lab.first)
    token = token_of(server, shared)
    first = server.call("GET", f"/iterations/{lab.first}", token=token)
    assert first.status == 200
    act(server, lab, shared)
    known = {"If-None-Match": first.headers.get("etag", "*")}
    for path in (f"/iterations/{lab.first}", f"/resources/{lab.files[0]}/download"):
        reply = server.call("GET", path, token=token, headers=known)
        assert reply.error == (outcome or ENDED), reply
        # Its viewer does not learn of the trash, or of permissions.
        assert "trash" not in str(reply.body)
        assert "permission" not in str(reply.body)
    assert open_link(server, shared).error == GONE
    if outcome is None:
        assert not any("SHARE#" in sk for _, sk in rows())


def test_a_share_comes_back_with_what_it_shows(server: Server, lab: Lab) -> None:
    shared = share(server, lab, lab.first)
    assert server.call("DELETE", f"/iterations/{lab.first}").status == 204
    assert open_link(server, shared).error == GONE
    found(server.call("POST", f"/trash/{lab.first}"))
    assert found(server.call("GET", f"/iterations/{lab.first}", token=token_of(server, shared)))["id"] == lab.first


def test_a_comparison_goes_on_without_a_deleted_iteration(server: Server, lab: Lab) -> None:
    shared = share(server, lab, lab.first, lab.elsewhere)
    assert server.call("DELETE", f"/iterations/{lab.first}?purge=true").status == 204
    opened = found(open_link(server, shared))
    assert opened["iteration_ids"] == [lab.elsewhere]
    assert found(server.call("GET", f"/iterations/{lab.elsewhere}", token=opened["access_token"]))


def test_guesses_are_limited_by_address_and_openings_are_not(
    server: Server, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(sign_in_attempt, "PER_SOURCE", 3)
    shared = share(server, lab, lab.first)
    for _ in range(5):
        token_of(server, shared)
    good = secret_of(shared)
    wrong = [good[:-64] + "0" * 64, f"{lab.project}_{'0' * 24}_{'0' * 64}", "no link"]
    replies = [server.call("POST", "/auth/share", {"secret": each}, token=None) for each in wrong]
    assert [reply.error for reply in replies] == [GONE] * 3
    assert len({reply.body["message"] for reply in replies}) == 1
    assert open_link(server, shared).error == (429, "TOO_MANY_REQUESTS")
    # Sign-ins have counters of their own.
    assert (
        server.call("POST", "/auth", {"username": lab.owner.username, "password": PASSWORD}, token=None).status == 200
    )


@pytest.mark.parametrize("text", ["", "_", "__", "a_b", "a_b_c_d", "#_#_#", "ä_ä_ä", "x" * 65 + "_a_b"])
def test_a_text_that_is_no_secret_is_not_found(server: Server, text: str) -> None:
    assert server.call("POST", "/auth/share", {"secret": text}, token=None).error == GONE


def test_a_secret_is_no_session_and_no_ticket_is_another(server: Server, lab: Lab) -> None:
    shared = share(server, lab, lab.first)
    session, path = token_of(server, shared), f"/iterations/{lab.first}"
    ticket = Ticket(
        method="GET", backend="inline", project_id=lab.project, sha256="0" * 64, size_bytes=1, name="x",
        part_bytes=1, part_sha256="0" * 64,
    )  # fmt: skip
    of_bytes = url_of(ticket, "").rpartition("=")[2]
    for forged in (secret_of(shared), f"dds_{secret_of(shared)}", session.removeprefix("dds_"), f"dds_{of_bytes}",
                   f"dds_{lab.owner.token}", "dds_", session[:-2]):  # fmt: skip
        assert server.call("GET", path, token=forged).error[0] == 401, forged
    assert server.call("GET", f"/artifacts?ticket={session.removeprefix('dds_')}", token=None).status in (401, 422)


def test_the_table_holds_a_hash_of_the_secret(server: Server, lab: Lab) -> None:
    secret = secret_of(share(server, lab, lab.first)).rpartition("_")[2]
    stored = str(rows())
    assert security.fingerprint(secret) in stored
    assert secret not in stored


def test_a_share_names_no_user_and_no_project(server: Server, lab: Lab) -> None:
    """The id of an author is all that it says of a person."""
    token = view(server, lab, experiment_id=lab.experiment)
    for path in ("/auth/me", "/users", f"/projects/{lab.project}", f"/projects/{lab.project}/permissions", "/activity"):
        assert server.call("GET", path, token=token).error == (403, "PROJECT_PERMISSION_REQUIRED")


def test_a_share_confirms_no_username(server: Server, lab: Lab) -> None:
    """A filter that finds the iterations of a user would tell who created them."""
    token = view(server, lab, experiment_id=lab.experiment)
    for text in ('created_by = "admin"', 'not (notes = "x" or created_by in ("admin", "someone"))'):
        path = f"/experiments/{lab.experiment}/iterations?filter={quote(text)}"
        assert found(server.call("GET", path))
        check_invalid(server.call("GET", path, token=token), "filter")
    known = f"/experiments/{lab.experiment}/iterations?filter=created_by%20is%20not%20null&order_by=created_by"
    assert len(found(server.call("GET", known, token=token))["data"]) == 2


def test_a_share_of_an_admin_shows_nothing_else(server: Server, lab: Lab) -> None:
    shared = made(server.call("POST", f"/projects/{lab.project}/shares", {"iteration_ids": [lab.first]}))
    token = token_of(server, shared)
    assert server.call("GET", f"/iterations/{lab.second}", token=token).error == GONE
    assert server.call("GET", "/users", token=token).error == (403, "PROJECT_PERMISSION_REQUIRED")


def test_a_finished_experiment_is_shown_as_it_is(server: Server, lab: Lab) -> None:
    end(server, lab.first)
    assert found(server.call("GET", f"/iterations/{lab.first}", token=view(server, lab, lab.first)))["status_id"] == 2


def test_a_server_without_sign_in_shows_only_what_was_shared() -> None:
    """There every other request is one of the admin."""
    with server_on_moto(DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN="127.0.0.1") as local:
        host = {"Host": "127.0.0.1:9000"}

        def call(method: str, path: str, body: Any = None, token: str | None = None) -> Reply:
            return local.call(method, path, body, token=token, headers=host)

        project = made(call("POST", "/projects", {"name": "p"}))["id"]
        experiment = made(call("POST", f"/projects/{project}/experiments", {"name": "e"}))["id"]
        first, second = (made(call("POST", f"/experiments/{experiment}/iterations", {}))["id"] for _ in range(2))
        shared = made(call("POST", f"/projects/{project}/shares", {"iteration_ids": [first]}))
        assert shared["url"].startswith("http://127.0.0.1:9000/ui#/s/")
        token = found(call("POST", "/auth/share", {"secret": secret_of(shared)}))["access_token"]
        assert found(call("GET", f"/iterations/{first}", token=token))["id"] == first
        assert call("GET", f"/iterations/{second}", token=token).error == GONE
        assert call("GET", f"/iterations/{second}").status == 200
