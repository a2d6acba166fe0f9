"""A parent and its children, moved, created and deleted concurrently: no row names a child that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from chalicelib.services import access
from chalicelib.storage.table.transaction import Transaction
from tests.support.api import found, new_experiment, new_iteration
from tests.support.consistency import check_consistency
from tests.support.server import Server
from tests.support.table import read_table

ROUNDS = 6


class Family:
    """Two parents, A and B, and a child of A."""

    def __init__(self, server: Server) -> None:
        self.server, self.experiment = server, new_experiment(server)
        self.a, self.b = new_iteration(server, self.experiment), new_iteration(server, self.experiment)
        self.child = new_iteration(server, self.experiment, parent_iteration_id=self.a)

    def move(self, parent: str | None) -> int:
        return self.server.call("PATCH", f"/iterations/{self.child}", {"parent_iteration_id": parent}).status

    def delete(self, iteration: str) -> int:
        return self.server.call("DELETE", f"/iterations/{iteration}?purge=true").status

    def create(self, parent: str) -> int:
        body = {"parent_iteration_id": parent}
        return self.server.call("POST", f"/experiments/{self.experiment}/iterations", body).status

    def links(self) -> set[tuple[str, str]]:
        """Parent and child of each CHILD row."""
        keys = [key for key in read_table() if key.sk.startswith("CHILD#")]
        return {(key.pk.removeprefix("ITERATION#"), key.sk.removeprefix("CHILD#")) for key in keys}

    def check(self) -> None:
        """Check that the CHILD rows, the children's own rows and the lists of children agree."""
        rows = found(self.server.call("GET", f"/experiments/{self.experiment}/iterations"))["data"]
        named = {(row["parent_iteration_id"], row["id"]) for row in rows if row["parent_iteration_id"]}
        mine = {row["id"] for row in rows} | {self.a, self.b, self.child}
        assert {link for link in self.links() if mine & set(link)} == named
        listed = set()
        for parent in {row["id"] for row in rows}:
            children = found(self.server.call("GET", f"/iterations/{parent}/children"))["data"]
            listed |= {(parent, child["id"]) for child in children}
        assert listed == named
        check_consistency()


AT_ONCE: dict[str, Callable[[Family], list[Any]]] = {
    "child deleted, moved": lambda f: [partial(f.delete, f.child), partial(f.move, f.b), partial(f.move, f.a)],
    "child deleted, freed": lambda f: [partial(f.delete, f.child), partial(f.move, None), partial(f.move, f.b)],
    "parent deleted, child created": lambda f: [partial(f.delete, f.a), *[partial(f.create, f.a)] * 3],
    "parent deleted, child moved": lambda f: [partial(f.delete, f.a), partial(f.move, f.b), partial(f.move, f.a)],
    "target deleted, child moved": lambda f: [partial(f.delete, f.b), *[partial(f.move, f.b)] * 2],
    "moved by two": lambda f: [partial(f.move, f.b), partial(f.move, f.a), partial(f.move, None), partial(f.move, f.b)],
    "all deleted, moved": lambda f: [partial(f.delete, each) for each in (f.a, f.b, f.child)] + [partial(f.move, f.b)],
}


@pytest.mark.parametrize("calls", AT_ONCE.values(), ids=AT_ONCE.keys())
def test_at_once(real_server: Server, calls: Callable[[Family], list[Any]]) -> None:
    families = [Family(real_server) for _ in range(ROUNDS)]
    for family in families:
        work = calls(family)
        with ThreadPoolExecutor(len(work)) as pool:
            statuses = [each.result() for each in [pool.submit(call) for call in work]]
        assert set(statuses) <= {200, 201, 204, 404, 422}, statuses
    for family in families:
        family.check()


BETWEEN: dict[str, tuple[Callable[[Family], int], Callable[[Family], int], int]] = {
    "child moved while it is deleted": (lambda f: f.delete(f.child), lambda f: f.move(f.b), 204),
    "child freed while it is deleted": (lambda f: f.delete(f.child), lambda f: f.move(None), 204),
    "child deleted while it is deleted": (lambda f: f.delete(f.child), lambda f: f.delete(f.child), 404),
    "child deleted while it is moved": (lambda f: f.move(f.b), lambda f: f.delete(f.child), 404),
    "child moved elsewhere while it is moved": (lambda f: f.move(f.b), lambda f: f.move(None), 200),
    "parent deleted while its child is deleted": (lambda f: f.delete(f.child), lambda f: f.delete(f.a), 204),
    "parent deleted while its child is moved": (lambda f: f.move(f.b), lambda f: f.delete(f.a), 200),
    "target deleted while a child is moved to it": (lambda f: f.move(f.b), lambda f: f.delete(f.b), 422),
    "parent deleted while a child is created": (lambda f: f.create(f.a), lambda f: f.delete(f.a), 422),
    "child moved in while its parent is deleted": (lambda f: f.delete(f.b), lambda f: f.move(f.b), 204),
    "child created while its parent is deleted": (lambda f: f.delete(f.a), lambda f: f.create(f.a), 204),
}


@pytest.mark.parametrize("moment", ["after the look", "before the write"])
@pytest.mark.parametrize(("first", "second", "status"), BETWEEN.values(), ids=BETWEEN.keys())
def test_one_request_between_the_read_and_the_write_of_the_other(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    first: Callable[[Family], int],
    second: Callable[[Family], int],
    status: int,
    moment: str,
) -> None:
    family = Family(server)
    looks = moment == "after the look"

    def interrupted(whole: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any) -> Any:
            monkeypatch.undo()
            answer = whole(*given) if looks else None
            second(family)
            return answer if looks else whole(*given)

        return act

    for owner, name in ((access, "iteration"), (access, "experiment")) if looks else ((Transaction, "commit"),):
        monkeypatch.setattr(owner, name, interrupted(getattr(owner, name)))
    assert first(family) == status
    family.check()
