"""Past its deadline a request is answered 503 and writes nothing more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from chalicelib import deadline, retry
from chalicelib.aws.threads import in_threads
from chalicelib.routes import upkeep
from chalicelib.services.lifecycle import budget, deletion
from chalicelib.services.points.merging import STALE_AFTER
from chalicelib.storage import blob
from chalicelib.storage.table import item
from chalicelib.storage.table.keys import Key
from tests.support.api import new_experiment, new_project, new_ready_resource, new_resource, objects, rows
from tests.support.faults import failed_500, inject
from tests.support.server import Server
from tests.support.suspension import Clocks, suspended

# Read before the fixtures of the session lengthen them.
DEADLINE, RETRIES, DELETION = deadline.SECONDS, retry.SECONDS, deletion.REQUEST_SECONDS
LAMBDA_SECONDS, ARRIVAL_SECONDS = 29, 25


def nothing() -> None:
    """The other process does nothing meanwhile."""


def test_the_limits_leave_room_for_each_other() -> None:
    """A loop of retries in a deletion ends within the request, and a late write before others take over."""
    assert DELETION + 2 * RETRIES < LAMBDA_SECONDS < DEADLINE
    taken_over = min(STALE_AFTER / 1e6, blob.CLAIM_MS / 1000)
    assert taken_over >= DEADLINE + ARRIVAL_SECONDS


@pytest.mark.parametrize("advancing", [0, 1, 2], ids=["monotonic", "sleep-proof", "wall clock"])
def test_each_clock_alone_ends_the_time(monkeypatch: pytest.MonkeyPatch, advancing: int) -> None:
    readings = [10.0, 20.0, 30.0]
    monkeypatch.setattr(deadline, "_clocks", lambda: tuple(readings))
    with deadline.begun():
        readings[advancing] += deadline.SECONDS
        deadline.check()
        readings[advancing] += 0.1
        # A wall clock set back meanwhile does not hide the other clocks.
        readings[(advancing + 1) % 3] -= 3600
        with pytest.raises(deadline.DeadlinePassed):
            deadline.check()
    deadline.check()


def test_a_late_request_is_answered_503_and_writes_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, clocks = new_experiment(server), Clocks(monkeypatch)
    path, before = f"/experiments/{experiment}/iterations", rows()
    with suspended(1, nothing, clocks):
        assert server.call("POST", path, {"notes": "late"}).error == (503, "UNAVAILABLE")
    assert rows() == before
    assert server.call("POST", path, {"notes": "in time"}).status == 201


def test_a_deletion_that_is_late_half_way_is_accepted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first write hides the resource; the upkeep does the rest."""
    server.token()  # its sign-in leaves a row
    before, clocks = rows(), Clocks(monkeypatch)
    project = new_project(server)
    resource = new_ready_resource(server, new_experiment(server, project), b"x")
    with suspended(2, nothing, clocks):
        assert server.call("DELETE", f"/resources/{resource['id']}?purge=true").status == 202
    assert server.call("GET", f"/resources/{resource['id']}").error == (404, "NOT_FOUND")
    assert server.call("DELETE", f"/projects/{project}?purge=true").status == 204
    assert upkeep.run(60)
    assert (rows(), objects()) == (before, set())


def test_a_retry_of_the_sdk_is_late_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    project, clocks = new_project(server), Clocks(monkeypatch)
    path, before = f"/projects/{project}/tags", rows()
    # The first attempt fails below the check, and is not counted.
    with inject(failed_500, {"TransactWriteItems"}) as hit, suspended(1, nothing, clocks) as suspension:
        assert server.call("POST", path, {"value": "late"}).error == (503, "UNAVAILABLE")
    assert (hit, suspension.happened, rows()) == (["TransactWriteItems"], True, before)


def test_a_late_request_may_still_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    project, clocks, get_many = new_project(server), Clocks(monkeypatch), item.get_many

    def get_late(*given: Any) -> Any:
        clocks.ahead += deadline.SECONDS + 1
        return get_many(*given)

    monkeypatch.setattr(item, "get_many", get_late)
    assert server.call("GET", f"/projects/{project}").status == 200
    assert clocks.ahead


def test_no_url_is_signed_late(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resource may be deleted meanwhile, and its URLs be counted as dead."""
    resource = new_resource(server, new_experiment(server), b"x")
    clocks, find_blob = Clocks(monkeypatch), blob.find_blob

    def find_late(*given: Any) -> Any:
        clocks.ahead += deadline.SECONDS + 1
        return find_blob(*given)

    monkeypatch.setattr(blob, "find_blob", find_late)
    assert server.call("POST", f"/resources/{resource['id']}/upload").error == (503, "UNAVAILABLE")


def test_threads_have_the_deadline_of_their_request(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    with deadline.begun():
        clocks.ahead += deadline.SECONDS + 1
        for late in (lambda: in_threads(_delete, range(2)), lambda: _delete(0)):
            with pytest.raises(deadline.DeadlinePassed):
                late()


def _delete(number: int) -> None:
    item.delete_items([Key("nothing", str(number))])


def test_each_step_of_the_upkeep_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)

    def step() -> bool:
        deadline.check()
        clocks.ahead += deadline.SECONDS + 1
        return True

    assert budget.all_done([step, step], budget.Budget(60))
    # A late step is left for the next run.
    assert not budget.all_done([lambda: step() and step(), step], budget.Budget(60))


_STOPPED = """
import os, signal, sys
from chalicelib import deadline, retry
from chalicelib.aws import clients
from chalicelib.storage.table import item
from chalicelib.storage.table.keys import Key

deadline.SECONDS = 0.3
clients.session().register("before-send.dynamodb.BatchWriteItem", lambda **_: os.kill(os.getpid(), signal.SIGSTOP))
with deadline.begun():
    item.delete_items([Key("nothing", "1")])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_process_that_was_stopped_is_late(real_server: Server) -> None:
    """With real clocks: it is stopped directly before the check."""
    stopped = subprocess.Popen([sys.executable, "-c", _STOPPED], stderr=subprocess.PIPE, text=True)  # noqa: S603
    os.waitpid(stopped.pid, os.WUNTRACED)
    time.sleep(0.4)
    stopped.send_signal(signal.SIGCONT)
    assert "DeadlinePassed" in stopped.communicate(timeout=60)[1].splitlines()[-1]
