"""``deardiary identities``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from deardiary import Client
    from tests.client.cli.conftest import Said
    from tests.support.server import Server

    Run = Callable[..., Said]

ROLE = "arn:aws:iam::123456789012:role/train-*"


def test_a_role_is_allowed_listed_and_taken_back(run: Run, client: Client) -> None:
    project = client.projects.create("Roles")
    assert run("identities", "ls", "Roles").out == "No role may sign in\n"
    said = run("identities", "create", ROLE, "Roles")
    (made,) = client.identities.list(project.id)
    assert said.out == f"{ROLE} may create, read, update in Roles ({made.id})\n"
    reader = run("identities", "create", f"{ROLE}-reader", "Roles", "--read-only", "--json").json
    assert (reader["read_only"], reader["update_permission"]) == (True, False)
    assert ROLE in run("identities", "ls").out
    assert "identities have ids that begin" in run("identities", "rm", made.id[:13], "--yes").err
    assert run("identities", "rm", made.id[:-1], "--yes").out == f"Deleted {made.id}\n"
    assert [each["id"] for each in run("identities", "ls", "Roles", "--json").json] == [reader["id"]]


def test_allowing_a_role_takes_a_password(
    run: Run, server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.projects.create("Guarded")
    monkeypatch.setenv("DEARDIARY_TOKEN", str(client.tokens.create("program").token))
    refused = run("identities", "create", ROLE, "Guarded")
    assert (refused.status, "needs a password" in refused.err) == (2, True)
    assert run("identities", "ls", "Guarded").status == 0


def test_a_wrong_pattern_is_refused(run: Run, client: Client) -> None:
    client.projects.create("Strict")
    refused = run("identities", "create", "arn:aws:iam::*:role/x", "Strict")
    assert (refused.status, "the account may not" in refused.err) == (1, True)
