"""A spool whose folder vanishes, is not writable, or is used by another process while its writer runs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ActiveIteration, ClientError, files
from deardiary.sending import sender
from tests.support import transports
from tests.support.transports import FakeServer, body_of, client_of, experiment, iteration, page, project

if TYPE_CHECKING:
    from collections.abc import Callable

    from deardiary import Request

LOG = "POST /iterations/i1/log"
GONE = ClientError(0, "CONNECTION_FAILED", "gone")


class Points:
    """A server that accepts each batch once, like the real one, and can be unreachable."""

    def __init__(self) -> None:
        self.batches: dict[str, list[float]] = {}
        self.is_away = False
        self.is_away_for: str | None = None  # the name of a thread
        self.fake = FakeServer()
        self.fake.answers = {
            "GET /projects": (200, page(project())),
            "GET /projects/p1/experiments": (200, page(experiment())),
            "POST /experiments/e1/iterations": (201, iteration()),
            LOG: self._take,
            "GET /iterations/i1": (200, iteration()),
            "PATCH /iterations/i1": (200, iteration()),
        }

    def _take(self, request: Request) -> transports.Answer:
        if self.is_away or threading.current_thread().name == self.is_away_for:
            return GONE
        body = json.loads(body_of(request))
        values = body.get("metrics", {}).get("loss", {}).get("value", [])
        taken = self.batches.setdefault(body["batch_id"], values)
        return 201, transports.receipt(accepted=len(taken))

    @property
    def values(self) -> list[float]:
        return sorted(value for batch in self.batches.values() for value in batch)

    def client(self) -> deardiary.Client:
        return client_of(self.fake)

    def sync(self) -> list[deardiary.Synced]:
        return deardiary.sync(client=self.client(), tell=lambda _: None)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Points:
    for name in ("FLUSH_SECONDS", "FIRST_BACKOFF", "LONGEST_BACKOFF", "HURRIED_BACKOFF"):
        monkeypatch.setattr(sender, name, 0.01)
    monkeypatch.setenv("DEARDIARY_FINISH_SECONDS", "10")
    return Points()


def begin(server: Points) -> ActiveIteration:
    active = deardiary.start("Iris", "sweep", client=server.client())
    assert active.id  # the sender's thread writes it into the folder
    return active


def spool_of(active: ActiveIteration) -> Path:
    folder = active.journal.folder
    assert folder is not None
    return folder


def until(reached: Callable[[], object]) -> None:
    for _ in range(12000):
        if reached():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come to that")


def log(active: ActiveIteration, first: int, last: int) -> None:
    for value in range(first, last):
        active.log({"loss": value})


def deleted(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # the sender may remove a segment meanwhile


def renamed(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def root_deleted(folder: Path) -> None:
    deleted(folder.parent.parent)


def replaced(folder: Path) -> None:
    """Replace the folder, as when another volume is mounted there."""
    renamed(folder)
    folder.mkdir()


def cleaned(folder: Path) -> None:
    """Remove files by their age, as a cleaner of temporary files does."""
    for path in folder.iterdir():
        path.unlink()


def unmounted(folder: Path) -> None:
    """Make the folder's parent not writable."""
    deleted(folder.parent)
    folder.parent.write_text("")


def at_once(active: ActiveIteration, lose: Callable[[Path], None]) -> None:
    """Keep the writer from creating the folder again halfway."""
    with active.journal._looking:
        lose(spool_of(active))


LOSSES = [deleted, renamed, root_deleted, replaced, cleaned, unmounted]


@pytest.mark.parametrize("away", [False, True], ids=["server there", "server away"])
@pytest.mark.parametrize("lose", LOSSES)
def test_a_folder_that_vanishes_costs_no_record(
    server: Points, caplog: pytest.LogCaptureFixture, lose: Callable[[Path], None], away: bool
) -> None:
    with begin(server) as active:
        log(active, 0, 100)
        assert active.flush(10)
        server.is_away = away
        log(active, 100, 200)
        at_once(active, lose)
        log(active, 200, 300)
        until(lambda: "is gone" in caplog.text)
        log(active, 300, 400)
        server.is_away = False
    assert server.values == list(range(400))
    assert caplog.text.count("is gone") == 1
    assert "No record is lost" in caplog.text
    assert server.fake.names().count("PATCH /iterations/i1") == 1


@pytest.mark.parametrize("lose", [deleted, renamed, cleaned, replaced])
def test_records_logged_after_the_loss_are_in_a_folder_that_sync_finds(
    server: Points, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("DEARDIARY_FINISH_SECONDS", "0.05")
    with begin(server) as active:
        server.is_away = True
        log(active, 0, 100)
        at_once(active, lose)
        until(lambda: "is gone" in caplog.text)
        log(active, 100, 200)
    assert server.values == []
    server.is_away = False
    server.sync()
    assert server.values == list(range(200))
    assert server.sync() == []


def test_a_warning_says_how_many_records_are_lost_with_a_folder(
    server: Points, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deardiary.spool.writer.KEPT_OPEN", 2)
    server.is_away = True
    with begin(server) as active:
        writer = active.journal._writer
        for number in range(6):
            log(active, 10 * number, 10 * number + 10)
            writer.cut()
        writer.settle()
        at_once(active, deleted)
        until(lambda: "is gone" in caplog.text)
        server.is_away = False
        log(active, 60, 70)
        assert active.flush(10)
    lost = 70 - len(server.values)
    assert 0 < lost <= 40
    assert f"{lost} records that were not sent are lost" in caplog.text


@pytest.mark.parametrize("error", [None, ZeroDivisionError("mine")])
@pytest.mark.parametrize("offline", ["0", "1"])
@pytest.mark.parametrize("lose", LOSSES)
def test_the_end_of_the_block_raises_nothing_but_the_users_own_exception(
    server: Points,
    monkeypatch: pytest.MonkeyPatch,
    lose: Callable[[Path], None],
    offline: str,
    error: Exception | None,
) -> None:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 60.0)  # only the end notices it
    monkeypatch.setenv("DEARDIARY_OFFLINE", offline)

    def train() -> None:
        with begin(server) as active:
            log(active, 0, 10)
            at_once(active, lose)
            if error:
                raise error

    try:
        train()
    except ZeroDivisionError as caught:
        assert caught is error  # noqa: PT017
    monkeypatch.setenv("DEARDIARY_OFFLINE", "0")
    server.sync()
    assert server.values == ([] if offline == "1" and lose is unmounted else list(range(10)))


def test_a_fault_at_the_end_is_logged_and_not_raised(
    server: Points, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with begin(server) as active:
        monkeypatch.setattr(active.journal, "close", fail)
    assert "Input/output error" in caplog.text


DENIED = [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO, errno.ESTALE]


@pytest.mark.parametrize("number", DENIED, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("call", ["open", "write", "unlink", "fsync", "close", "mkdir", "rename"])
def test_a_folder_that_fails_in_any_call_costs_no_record(
    server: Points, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """Every call fails from some moment on; earlier records stay, and are sent."""
    with begin(server) as active:
        folder = str(spool_of(active))
        log(active, 0, 100)
        _fail(monkeypatch, call, number, folder)
        log(active, 100, 200)
        assert active.flush(10)
        log(active, 200, 300)
    assert server.values == list(range(300))


def _fail(monkeypatch: pytest.MonkeyPatch, call: str, number: int, folder: str) -> None:
    """Make a call of the operating system fail for files in the folder."""
    real = getattr(os, call)

    def fail(what: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(Path(f"/proc/self/fd/{what}").readlink()) if isinstance(what, int) else os.fspath(what)
        result = real(what, *args, **kwargs) if call == "close" else None
        if name.startswith(folder):
            raise OSError(number, os.strerror(number), name)
        return result if call == "close" else real(what, *args, **kwargs)

    monkeypatch.setattr(os, call, fail)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate several machines: locks hold on one only, and each process believes that it is alone."""
    monkeypatch.setattr(files, "lock", lambda _fd: True)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("same_boot", [True, False])
def test_two_machines_that_share_a_folder_lose_and_double_nothing(
    server: Points, monkeypatch: pytest.MonkeyPatch, same_boot: bool
) -> None:
    with begin(server) as active:
        if not same_boot:
            monkeypatch.setattr("deardiary.spool.run.this_boot", lambda: "another machine of the same name")
        stop = threading.Event()

        def sync() -> None:
            while not stop.is_set():
                server.sync()

        other = threading.Thread(target=sync)
        other.start()
        for first in range(0, 3000, 100):
            log(active, first, first + 100)
            time.sleep(0.003)
        stop.set()
        other.join()
    assert server.values == list(range(3000))


@pytest.mark.usefixtures("no_locks")
def test_another_machine_removes_nothing_while_the_writer_gives_signs_of_life(
    server: Points, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLUSH_SECONDS", "FIRST_BACKOFF", "LONGEST_BACKOFF"):
        monkeypatch.setattr(sender, name, 60.0)
    monkeypatch.setattr("deardiary.spool.store.UNTOUCHED_SECONDS", 0.0)
    server.is_away_for = "deardiary-sender"
    with begin(server) as active:
        log(active, 0, 10)
        active.journal._sender.send_soon()
        until(lambda: active.journal._sender.is_away)  # it waits for its next try, and does nothing until then
        log(active, 10, 20)
        folder = spool_of(active)
        before = sorted(folder.iterdir())
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("deardiary.spool.run.this_boot", lambda: "another")
            (result,) = server.sync()
            assert (result.points, result.may_still_write) == (20, True)
            assert sorted(folder.iterdir()) == before
            for path in folder.iterdir():
                os.utime(path, (0, 0))
            server.sync()
            assert not folder.exists()
        log(active, 20, 30)
        server.is_away_for = None
    assert server.values == list(range(30))


def test_a_quiet_writer_keeps_its_lock_young(server: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.01)
    active = begin(server)
    path = spool_of(active) / "lock"
    os.utime(path, (0, 0))
    until(lambda: path.stat().st_mtime > 0)
    active.finish()


def test_after_a_reboot_an_old_spool_is_sent(server: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_FINISH_SECONDS", "0")
    server.is_away = True
    with begin(server) as active:
        log(active, 0, 10)
        folder = spool_of(active)
    server.is_away = False
    monkeypatch.setattr("deardiary.spool.run.this_boot", lambda: "after the reboot")
    (early,) = server.sync()
    assert (early.points, early.may_still_write, folder.exists()) == (10, True, True)
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    (late,) = server.sync()
    assert (late.is_done, late.may_still_write, folder.exists()) == (True, False, False)
    assert server.values == list(range(10))
