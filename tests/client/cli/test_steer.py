"""`iterations stop` and `command` steer a program that runs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import deardiary
from deardiary import IterationStatus
from deardiary.cli import steer
from deardiary.sending import sender

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sender, "SLOWEST_SECONDS", 0.01)
    monkeypatch.setattr(sender, "FASTEST_SECONDS", 0.01)
    monkeypatch.setattr(steer, "_WAIT_SECONDS", 0.01)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def iteration(client: deardiary.Client) -> deardiary.ActiveIteration:
    return deardiary.start("Steered", "sweep", client=client)


def train(iteration: deardiary.ActiveIteration) -> None:
    with iteration:
        while True:
            iteration.log({"loss": 1.0})
            time.sleep(0.002)


def test_a_stop_ends_the_training_and_waits_for_its_end(
    run: Run, client: deardiary.Client, iteration: deardiary.ActiveIteration
) -> None:
    said: list[Any] = []
    stopping = threading.Thread(target=lambda: said.append(run("iterations", "stop", iteration.id, "--wait")))
    stopping.start()
    with pytest.raises(KeyboardInterrupt):
        train(iteration)
    stopping.join()
    assert (said[0].status, said[0].out.splitlines()[-1]) == (0, f"Iteration {iteration.id} has ended KILLED")
    ended = client.iterations.get(iteration.id)
    assert ended.status_id == IterationStatus.KILLED
    assert ended.error_message.startswith("Stopped by admin\n\nTraceback")
    (command,) = client.commands.list(iteration.id)
    assert (command.kind, command.state) == ("stop", "acknowledged")


def test_a_command_is_shown_with_its_step(run: Run, iteration: deardiary.ActiveIteration) -> None:
    sent = run("iterations", "command", iteration.id, "lower", "0.1").out
    assert sent == f"Sent lower to iteration {iteration.id}\n"
    assert run("iterations", "show", iteration.id, "--json").json["commands"][0]["state"] in ("pending", "seen")
    texts: list[str] = []
    iteration.on_command("lower", lambda command: texts.append(command.text))
    iteration.log({"loss": 1.0}, 1)
    iteration.flush()
    iteration.log({"loss": 1.0}, 42)
    iteration.finish()
    assert texts == ["0.1"]
    assert run("iterations", "show", iteration.id, "--json").json["commands"][0]["step"] == 42
    shown = run("iterations", "show", iteration.id).out
    (line,) = [line for line in shown.splitlines() if line.startswith("lower")]
    assert line.split()[:4] == ["lower", "0.1", "acknowledged", "42"]


@pytest.mark.parametrize("words", [("stop",), ("command", "checkpoint")])
def test_an_ended_iteration_is_not_asked(
    run: Run, iteration: deardiary.ActiveIteration, words: tuple[str, ...]
) -> None:
    iteration.finish()
    said = run("iterations", words[0], iteration.id, *words[1:])
    assert said.status == 1
    assert f"Iteration {iteration.id} has ended already: SUCCEEDED at" in said.err


def test_a_stop_does_not_wait_unless_told(run: Run, client: deardiary.Client, iteration: Any) -> None:
    said = run("iterations", "stop", iteration.id)
    assert said.out.startswith(f"Asked iteration {iteration.id} to stop; its program")
    (command,) = client.commands.list(iteration.id)
    assert command.kind == "stop"
    with pytest.raises(KeyboardInterrupt):
        train(iteration)


def test_a_word_that_is_no_kind_is_refused(run: Run, iteration: deardiary.ActiveIteration) -> None:
    said = run("iterations", "command", iteration.id, "two words")
    assert said.status != 0
    assert "letters, digits" in said.err
    iteration.finish()
