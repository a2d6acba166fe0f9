"""Commands, while several flushes, acknowledgements and withdrawals of them meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests.support.api import found, made, new_iteration
from tests.support.consistency import check_consistency
from tests.support.interleaving import stage
from tests.support.server import Reply, Server

_number = count()


@pytest.fixture(autouse=True)
def _consistent_at_the_end(real_server: Server) -> Iterator[None]:
    real_server.token()
    yield
    check_consistency()


class Steered:
    """An iteration with one command."""

    def __init__(self, server: Server) -> None:
        self.server, self.id = server, new_iteration(server)
        self.path = f"/iterations/{self.id}/commands"
        self.command = made(server.call("POST", self.path, {"kind": "checkpoint"}))["id"]

    def flush(self, **body: Any) -> Reply:
        return self.server.call("POST", f"/iterations/{self.id}/log", {"batch_id": f"b{next(_number)}", **body})

    def acknowledge(self, step: int) -> Reply:
        return self.flush(acknowledged=[{"command_id": self.command, "step": step}])

    def withdraw(self) -> Reply:
        return self.server.call("DELETE", f"{self.path}/{self.command}")

    def end(self) -> Reply:
        return self.server.call("PATCH", f"/iterations/{self.id}", {"status_id": 2})

    def states(self) -> list[str]:
        return [each["state"] for each in found(self.server.call("GET", self.path))["data"]]


def at_once(*calls: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_flushes_at_once_all_get_the_command(real_server: Server) -> None:
    steered = Steered(real_server)
    answers = at_once(*[steered.flush] * 4)
    assert [[each["id"] for each in made(answer)["commands"]] for answer in answers] == [[steered.command]] * 4
    assert steered.states() == ["seen"]


def test_one_of_several_acknowledgements_counts(real_server: Server) -> None:
    steered = Steered(real_server)
    answers = at_once(*(partial(steered.acknowledge, step) for step in range(4)))
    assert not any("commands" in made(answer) for answer in answers)
    (listed,) = found(real_server.call("GET", steered.path))["data"]
    assert listed["state"] == "acknowledged"
    assert listed["step"] in range(4)
    assert "commands" not in made(steered.flush())


def test_commands_sent_at_once_are_all_delivered(real_server: Server) -> None:
    steered = Steered(real_server)
    send = partial(real_server.call, "POST", steered.path)
    sent = at_once(*(partial(send, {"kind": f"k{number}", "id_key": f"{number // 2}"}) for number in range(6)))
    ids = {answer.body["id"] for answer in sent} | {steered.command}
    assert sorted(answer.status for answer in sent) == [200] * 3 + [201] * 3
    assert {each["id"] for each in made(steered.flush())["commands"]} == ids


@pytest.mark.parametrize("steps", range(8))
def test_a_command_is_withdrawn_or_delivered_and_never_both(real_server: Server, steps: int) -> None:
    steered = Steered(real_server)
    with stage() as actors:
        flush, withdrawal = actors.add(steered.flush), actors.add(steered.withdraw)
        flush.step(steps)
        withdrawal.finish()
        delivered = made(flush.finish()).get("commands") is not None
    assert (withdrawal.result.status, steered.states()) == ((409, ["seen"]) if delivered else (204, []))


@pytest.mark.parametrize("steps", range(8))
def test_an_end_during_an_acknowledgement_leaves_no_open_command(real_server: Server, steps: int) -> None:
    steered = Steered(real_server)
    with stage() as actors:
        flush, end = actors.add(partial(steered.acknowledge, 3)), actors.add(steered.end)
        flush.step(steps)
        end.finish()
        made(flush.finish())
    assert steered.states() == ["acknowledged"]
    assert found(real_server.call("PATCH", f"/iterations/{steered.id}", {"status_id": 1}))["end_date"] is None
    assert "commands" not in made(steered.flush())
