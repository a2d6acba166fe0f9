"""A running iteration carries out each command once, in the right thread, and acknowledges it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from deardiary import ClientError, IterationStatus
from deardiary.sending import sender
from deardiary.tracking import interactive, process_hooks
from deardiary.tracking.iteration import silent_iteration
from tests.support import transports
from tests.support.active import END, LOG, begin
from tests.support.transports import body_of, receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deardiary import ActiveIteration, PendingCommand, Request
    from tests.support.transports import FakeServer


class Steering:
    """Answers flushes as the server does: each command in every answer, until a flush acknowledges it."""

    def __init__(self, server: FakeServer) -> None:
        self.open: dict[str, dict[str, Any]] = {}
        self.acknowledged: list[tuple[str, int | None]] = []
        self.pace: float | None = None
        self.lost = 0  # answers to lose
        server.answers[LOG] = self

    def send(self, kind: str, text: str = "", **fields: Any) -> None:
        number = f"c{len(self.open) + len(self.acknowledged)}"
        self.open[number] = {"id": number, "kind": kind, "text": text, **fields}

    def __call__(self, request: Request) -> transports.Answer:
        body = json.loads(body_of(request))
        for each in body.get("acknowledged", ()):
            self.acknowledged.append((each["command_id"], each["step"]))
            self.open.pop(each["command_id"], None)
        if self.lost:
            self.lost -= 1
            return ClientError(0, "CONNECTION_FAILED", "gone")
        accepted = sum(len(columns["value"]) for columns in body.get("metrics", {}).values())
        sent = {"commands": list(self.open.values())} if self.open else {}
        return 201, receipt(
            accepted=accepted, **sent, **({} if self.pace is None else {"flush_after_seconds": self.pace})
        )


@pytest.fixture
def steering(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Steering:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(sender, "FIRST_BACKOFF", 0.01)
    return Steering(server)


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also in a worker of pytest."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def train(active: ActiveIteration, *, seconds: float = 60.0) -> None:
    """Log until something stops it."""
    until = time.monotonic() + seconds
    for step in itertools.count():
        if time.monotonic() > until:
            return
        active.log({"loss": 1.0}, step)
        time.sleep(0.002)


def train_and_stop(server: FakeServer, steering: Steering, text: str = "", **fields: Any) -> None:
    with begin(server) as active:
        steering.send("stop", text, **fields)
        train(active)


def is_stopped(active: ActiveIteration) -> bool:
    return active.stop_requested


def end_of(server: FakeServer) -> tuple[int, str]:
    (body,) = server.bodies(END)
    return body["status_id"], body.get("error_message", "")


@pytest.mark.usefixtures("_ctrl_c")
def test_a_stop_ends_the_training_as_ctrl_c_would(server: FakeServer, steering: Steering) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_and_stop(server, steering, "diverged", requested_by="ada")
    status, message = end_of(server)
    assert status == IterationStatus.KILLED
    assert message.startswith("Stopped by ada: diverged\n\nTraceback")
    ((command, step),) = steering.acknowledged
    assert command == "c0"
    assert step is not None


@pytest.mark.usefixtures("_ctrl_c")
def test_a_stop_wakes_a_main_thread_that_waits(
    server: FakeServer, steering: Steering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "BEAT_SECONDS", 0.01)

    monkeypatch.setattr("tests.client.active.test_commands.train", lambda *_: time.sleep(600))
    with pytest.raises(KeyboardInterrupt):
        train_and_stop(server, steering)
    assert end_of(server)[1].startswith("Stopped by a command\n")


def test_a_handler_of_the_program_for_sigint_is_called(server: FakeServer, steering: Steering) -> None:
    called: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: called.append(number))
    try:
        with begin(server) as active:
            steering.send("stop")
            while not called:
                active.log({"loss": 1.0})
                time.sleep(0.002)
    finally:
        signal.signal(signal.SIGINT, before)
    assert end_of(server) == (IterationStatus.KILLED, "Stopped by a command")


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_where_sigint_does_not_interrupt_the_next_log_raises(
    server: FakeServer, steering: Steering, handler: signal.Handlers
) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="Stopped by ada"):
            train_and_stop(server, steering, requested_by="ada")
    finally:
        signal.signal(signal.SIGINT, before)
    assert end_of(server)[0] == IterationStatus.KILLED


def test_the_text_of_a_stop_does_not_control_the_terminal(
    server: FakeServer, steering: Steering, caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt) as raised:
            train_and_stop(server, steering, "\x1b[2Jdiverged\nTraceback", requested_by="ada")
    finally:
        signal.signal(signal.SIGINT, before)
    for said in (str(raised.value), caplog.text, end_of(server)[1]):
        assert "Stopped by ada: ?[2Jdiverged?Traceback" in said


@pytest.mark.parametrize("in_block", [True, False])
def test_an_iteration_of_another_thread_raises_in_its_log(
    server: FakeServer, steering: Steering, *, in_block: bool
) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        active = begin(server)
        try:
            if in_block:
                with active:
                    train(active)
            else:
                train(active)
        except KeyboardInterrupt as error:
            raised.append(error)

    steering.send("stop")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(raised) == 1
    status, message = end_of(server)
    assert (status, message.splitlines()[0]) == (IterationStatus.KILLED, "Stopped by a command")


def test_a_program_that_asks_is_not_interrupted(server: FakeServer, steering: Steering) -> None:
    with begin(server) as active:
        assert not is_stopped(active)
        steering.send("stop", requested_by="ada")
        for step in itertools.count():
            active.log({"loss": 1.0}, step)
            if is_stopped(active):
                break
            time.sleep(0.002)
        assert is_stopped(active)
    assert end_of(server) == (IterationStatus.KILLED, "Stopped by ada")
    assert steering.acknowledged == [("c0", step)]


def test_a_function_is_called_once_in_the_thread_that_logs_at_its_step(server: FakeServer, steering: Steering) -> None:
    calls: list[tuple[str, str, threading.Thread]] = []
    steering.lost = 3

    def save(command: PendingCommand) -> None:
        calls.append((command.kind, command.text, threading.current_thread()))
        active.log({"saved": 1.0}, step)

    with begin(server) as active:
        active.on_command("checkpoint", save)
        steering.send("checkpoint", "first")
        for step in itertools.count():
            active.log({"loss": 1.0}, step)
            if steering.acknowledged:
                break
            time.sleep(0.002)
        active.flush()
    assert calls == [("checkpoint", "first", threading.current_thread())]
    ((command, at),) = set(steering.acknowledged)
    assert command == "c0"
    assert at is not None
    assert at <= step
    assert end_of(server)[0] == IterationStatus.SUCCEEDED


def test_a_command_waits_for_its_function(server: FakeServer, steering: Steering) -> None:
    calls: list[str] = []
    with begin(server) as active:
        for text in ("0.1", "0.2"):
            steering.send("lower", text)
        active.log({"loss": 1.0}, 1)
        active.flush()
        assert steering.acknowledged == []
        active.on_command("lower", lambda command: calls.append(command.text))
        active.log({"loss": 1.0}, 2)
        active.log({"loss": 1.0}, 3)
    assert calls == ["0.1", "0.2"]
    assert steering.acknowledged == [("c0", 2), ("c1", 2)]


def test_a_function_that_fails_does_not_end_the_training(
    server: FakeServer, steering: Steering, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(command: PendingCommand) -> None:
        raise OSError("disk full")

    with begin(server) as active:
        active.on_command("checkpoint", fail)
        steering.send("checkpoint")
        active.log({"loss": 1.0})
        active.flush()
        active.log({"loss": 1.0})
    assert end_of(server)[0] == IterationStatus.SUCCEEDED
    assert "The function for the command 'checkpoint' failed" in caplog.text
    assert "disk full" in caplog.text


def test_a_function_for_stop_ends_the_program_in_its_own_way(server: FakeServer, steering: Steering) -> None:
    stopping = threading.Event()
    with begin(server) as active:
        active.on_command("stop", lambda _command: stopping.set())
        steering.send("stop")
        while not stopping.is_set():
            active.log({"loss": 1.0})
            time.sleep(0.002)
    assert end_of(server) == (IterationStatus.KILLED, "Stopped by a command")


def test_a_stop_in_the_answer_to_the_last_flush_interrupts_nothing(server: FakeServer, steering: Steering) -> None:
    steering.pace = 60.0
    active = begin(server)
    active.log({"loss": 1.0})
    active.flush()
    active.log({"loss": 1.0})
    steering.send("stop")
    active.finish()
    assert steering.acknowledged == []
    assert end_of(server) == (IterationStatus.SUCCEEDED, "")


def test_a_function_must_be_callable(server: FakeServer, steering: Steering) -> None:
    with begin(server) as active, pytest.raises(TypeError, match="on_command takes a function, not str"):
        active.on_command("checkpoint", "save")  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_carries_out_nothing(server: FakeServer, steering: Steering) -> None:
    active = begin(server)
    steering.send("lower")
    active.log({"loss": 1.0})
    active.flush()  # the command waits for its function
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            calls: list[object] = []
            active.on_command("checkpoint", calls.append)
            active.on_command("lower", calls.append)
            steering.send("checkpoint")
            steering.send("stop")
            for _ in range(3):
                active.log({"loss": 1.0})
                active.flush()
            answered = bool(server.bodies(LOG))
            os.write(write, f"{len(calls)} {active.stop_requested} {answered}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"0 False True"
    active.finish()


def test_a_silent_iteration_gets_no_command() -> None:
    with silent_iteration() as active:
        active.on_command("checkpoint", print)
        active.log({"loss": 1.0})
        assert not active.stop_requested


def leave(server: FakeServer, steering: Steering) -> None:
    """Carry out a command in a process that dies before it has sent the acknowledgement."""
    active = begin(server, id_key="k")
    done: list[str] = []
    active.on_command("checkpoint", lambda command: done.append(command.id))
    steering.send("checkpoint")
    active.log({"loss": 1.0}, 1)
    active.flush()
    server.answers[LOG] = ClientError(0, "CONNECTION_FAILED", "gone")
    active.log({"loss": 1.0}, 2)
    assert done == ["c0"]
    active.journal._sender.stop()
    active.journal.abandon()
    process_hooks.unregister(active)
    server.answers[LOG] = steering


@pytest.mark.parametrize("sent_first", [True, False])
def test_a_resumed_iteration_repeats_no_command_that_was_carried_out(
    server: FakeServer, steering: Steering, monkeypatch: pytest.MonkeyPatch, *, sent_first: bool
) -> None:
    leave(server, steering)
    assert steering.acknowledged == []
    again: list[str] = []
    if not sent_first:
        # The earlier spool cannot be sent now, and the server still repeats the command.
        monkeypatch.setattr("deardiary.sending.recovery.send_left_of", lambda *_, **__: [OSError("no")])
    with begin(server, id_key="k") as active:
        active.on_command("checkpoint", lambda command: again.append(command.id))
        for step in range(10, 13):
            active.log({"loss": 1.0}, step)
            active.flush(5)
    assert again == []
    assert steering.acknowledged == ([("c0", 2)] if sent_first else [])


def test_a_resumed_iteration_carries_out_what_was_seen_and_not_acknowledged(
    server: FakeServer, steering: Steering
) -> None:
    first = begin(server, id_key="k")
    steering.send("checkpoint")
    first.log({"loss": 1.0})
    first.flush()  # seen: no function is registered
    first.journal._sender.stop()
    first.journal.abandon()
    process_hooks.unregister(first)
    done: list[str] = []
    with begin(server, id_key="k") as active:
        active.on_command("checkpoint", lambda command: done.append(command.id))
        for step in range(2):
            active.log({"loss": 1.0}, step)
            active.flush()
    assert done == ["c0"]


class TestPace:
    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """How long the sender means to wait with each flush."""
        waits: list[float] = []
        interval = sender.Sender._interval

        def noted(self: sender.Sender) -> float:
            waits.append(interval(self))
            return waits[-1]

        monkeypatch.setattr(sender.Sender, "_interval", noted)
        return waits

    @pytest.mark.parametrize(("pace", "used"), [(2.0, 2.0), (30.0, 30.0), (0.0, 0.5), (1e9, 59.0), (None, 0.01)])
    def test_the_sender_waits_as_the_server_says(
        self, server: FakeServer, steering: Steering, waits: list[float], pace: float | None, used: float
    ) -> None:
        steering.pace = pace
        with begin(server) as active:
            active.log({"loss": 1.0})
            active.flush()
            active.journal._sender.wake()
            while not any(abs(each - used) <= 1 for each in waits[1:]):
                time.sleep(0.002)

    def test_at_a_long_pace_the_folder_and_the_disk_are_not_forgotten(
        self, server: FakeServer, steering: Steering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steering.pace = 60.0
        synced = threading.Event()
        with begin(server, parameters={"lr": 1}) as active:
            active.flush()
            monkeypatch.setattr(active.journal._writer, "sync", synced.set)
            assert synced.wait(60)

    @pytest.mark.parametrize(("pace", "seconds"), [(2.0, 15.0), (30.0, 60.0), (None, 60.0)])
    def test_heartbeats_are_closer_while_a_reader_watches(
        self,
        server: FakeServer,
        steering: Steering,
        monkeypatch: pytest.MonkeyPatch,
        pace: float | None,
        seconds: float,
    ) -> None:
        monkeypatch.setattr(sender, "FLUSH_SECONDS", 5.0)
        steering.pace = pace
        with begin(server, parameters={"lr": 1}) as active:
            active.flush()
            assert active.journal._sender._beat_seconds() == seconds

    def test_after_a_failure_the_last_pace_does_not_count(self, server: FakeServer, steering: Steering) -> None:
        steering.pace = 60.0
        with begin(server, parameters={"lr": 1}) as active:
            active.flush()
            server.answers[LOG] = ClientError(0, "CONNECTION_FAILED", "gone")
            active.log({"loss": 1.0})
            assert not active.flush(0.1)
            assert active.journal.flush_seconds == sender.FLUSH_SECONDS
            server.answers[LOG] = steering

    def test_a_long_pace_delays_neither_parameters_nor_an_acknowledgement_nor_the_end(
        self, server: FakeServer, steering: Steering
    ) -> None:
        steering.pace = 600.0
        began = time.monotonic()
        with begin(server) as active:
            active.on_command("checkpoint", print)
            active.log({"loss": 1.0})
            active.flush()
            steering.send("checkpoint")
            active.log_parameters({"lr": 1})
            while not steering.acknowledged:
                active.log({"loss": 1.0})
                time.sleep(0.002)
        assert time.monotonic() - began < 300


class TestShell:
    """In a notebook or at a prompt, where a KeyboardInterrupt does not end the process."""

    @pytest.fixture(autouse=True)
    def _cell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(interactive, "cell", lambda: 1)

    @pytest.mark.usefixtures("_ctrl_c")
    def test_a_stop_interrupts_the_cell_and_ends_the_iteration(self, server: FakeServer, steering: Steering) -> None:
        active = begin(server)
        steering.send("stop", requested_by="ada")
        with pytest.raises((KeyboardInterrupt, RuntimeError)):
            train(active)
        self.wait_for_end()
        assert end_of(server) == (IterationStatus.KILLED, "Stopped by ada")

    def test_a_stop_between_two_cells_ends_the_iteration(
        self, server: FakeServer, steering: Steering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sender, "BEAT_SECONDS", 0.01)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as an idle kernel does
        try:
            active = begin(server)
            steering.send("stop")
            self.wait_for_end()
        finally:
            signal.signal(signal.SIGINT, before)
        assert end_of(server) == (IterationStatus.KILLED, "Stopped by a command")
        with pytest.raises(RuntimeError, match="has ended"):
            active.log({"loss": 1.0})

    def wait_for_end(self) -> None:
        while process_hooks._running:
            time.sleep(0.002)


@pytest.mark.usefixtures("_ctrl_c")
def test_a_stop_cancels_a_coroutine(server: FakeServer, steering: Steering) -> None:
    async def train_slowly() -> None:
        with begin(server) as active:
            steering.send("stop")
            while True:
                active.log({"loss": 1.0})
                await asyncio.sleep(0.002)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(train_slowly())
    assert end_of(server)[0] == IterationStatus.KILLED
