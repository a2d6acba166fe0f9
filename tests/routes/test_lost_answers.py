"""Every write of the server during faults of AWS: the answer and all stored data are as without the fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from chalicelib import retry
from tests.support.consistency import check_consistency
from tests.support.faults import (
    S3_WRITES,
    SINGLE_WRITES,
    WRITES,
    Fault,
    conflict,
    first_attempt,
    in_progress,
    inject,
    lost_500,
    lost_connection,
)
from tests.support.rewind import Outcome, Rewind
from tests.support.server import Reply, Server, server_on_moto
from tests.support.world import World, make_world
from tests.support.writes import CASES, LARGE, ROUTES


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    world = make_world(server)
    declared = {"name": "large", "size_bytes": LARGE, "content_hash": "3" * 64}
    path = f"/experiments/{world.ids['experiment_id']}/resources"
    world.ids["large_id"] = server.call("POST", path, declared, token=world.token).body["id"]
    return world


@pytest.fixture(scope="module")
def rewind(world: World) -> Rewind:
    return Rewind()


@pytest.fixture(scope="module")
def undisturbed(server: Server, world: World, rewind: Rewind) -> Callable[[str], Outcome]:
    known: dict[str, Outcome] = {}

    def outcome(case: str) -> Outcome:
        if case not in known:
            known[case] = rewind.run(partial(CASES[case], server, world))
        return known[case]

    return outcome


@pytest.mark.parametrize("case", CASES)
def test_the_undisturbed_request_succeeds(undisturbed: Callable[[str], Outcome], case: str) -> None:
    """The other tests compare with this answer."""
    assert undisturbed(case).status == 401 if case == "a wrong password" else undisturbed(case).status < 300


@pytest.mark.parametrize("fault", [lost_500, lost_connection])
@pytest.mark.parametrize("case", CASES)
def test_a_first_answer_that_is_lost_changes_nothing(
    server: Server, world: World, rewind: Rewind, undisturbed: Callable[[str], Outcome], case: str, fault: Fault
) -> None:
    """For each write, to the table and to the bucket: the SDK sends it again."""
    with inject(fault, WRITES | S3_WRITES, when=first_attempt, first=None):
        outcome = rewind.run(partial(CASES[case], server, world))
    assert outcome == undisturbed(case)
    check_consistency()


@pytest.mark.parametrize("case", CASES)
def test_a_transaction_that_holds_the_item_is_waited_for(
    server: Server, world: World, rewind: Rewind, undisturbed: Callable[[str], Outcome], case: str
) -> None:
    """DynamoDB refuses a single write meanwhile, and the SDK does not send it again."""
    with inject(conflict, SINGLE_WRITES, when=first_attempt, first=None):
        outcome = rewind.run(partial(CASES[case], server, world))
    assert outcome == undisturbed(case)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SECONDS", 0.02)
    monkeypatch.setattr(retry, "_LONGEST_PAUSE", 0.01)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("fault", [conflict, lost_connection])
@pytest.mark.parametrize("case", ROUTES)
def test_a_fault_that_does_not_pass_is_503(
    server: Server, world: World, rewind: Rewind, undisturbed: Callable[[str], Outcome], case: str, fault: Fault
) -> None:
    """Or 202, if the rest of a deletion can wait. No write is left half done."""
    with inject(fault, SINGLE_WRITES, first=None) as hit:
        outcome = rewind.run(partial(CASES[case], server, world))
    is_mlflow = "/mlflow" in case
    # MLflow's clients know no 202.
    waiting = {200 if is_mlflow else 202} if case.startswith("DELETE") else set()
    wanted = {503} | waiting if hit else {undisturbed(case).status}
    assert outcome.status in wanted, outcome.reply
    if outcome.status == 503:
        code = outcome.reply[1]["error_code" if is_mlflow else "code"]
        assert code == ("TEMPORARILY_UNAVAILABLE" if is_mlflow else "UNAVAILABLE")
    check_consistency()


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("case", ROUTES)
def test_a_request_that_met_a_transaction_can_be_sent_again(
    server: Server, world: World, rewind: Rewind, undisturbed: Callable[[str], Outcome], case: str
) -> None:
    """It then has the answer that it would have had."""

    def twice() -> Reply:
        with inject(conflict, SINGLE_WRITES, first=None):
            first: Reply = CASES[case](server, world)
        again: Reply = CASES[case](server, world) if first.status == 503 else first
        return again

    again = rewind.run(twice)
    assert again.status in {undisturbed(case).status, 202}
    check_consistency()


def test_a_transaction_whose_outcome_is_not_known_is_carried_out_once(
    server: Server, world: World, rewind: Rewind, undisturbed: Callable[[str], Outcome]
) -> None:
    """Each retry of the SDK gets the answer that the first is in progress; then the server sends the call once more."""
    case = "POST /projects/{project_id}/models"
    with inject(in_progress, {"TransactWriteItems"}, first=4) as hit:
        outcome = rewind.run(partial(CASES[case], server, world))
    assert len(hit) == 4
    assert outcome == undisturbed(case)
