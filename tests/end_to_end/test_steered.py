"""A program in a process of its own, steered from the command line, killed and started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary import IterationStatus
from deardiary.cli.main import main
from tests.support.live import exit_code, line_of, run

if TYPE_CHECKING:
    import pytest

    from deardiary import Client

TRAINING = """
import itertools, os, signal, sys, time
import deardiary
from deardiary.sending import sender

sender.FASTEST_SECONDS = sender.SLOWEST_SECONDS = 0.05
iteration = deardiary.start("Steered", "restart", id_key="job")

def save(command):
    print("saved", command.text, flush=True)
    if command.text == "last words":
        os.kill(os.getpid(), signal.SIGKILL)

iteration.on_command("checkpoint", save)
print(iteration.id, flush=True)
for step in itertools.count():
    iteration.log({"loss": 1.0}, step)
    time.sleep(0.01)
"""


def test_a_command_is_carried_out_once_over_a_restart_and_a_stop_ends_the_program(
    settings: dict[str, str], client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(TRAINING, settings=settings)
    iteration_id = line_of(first)
    assert main(["iterations", "command", iteration_id, "checkpoint", "last words"]) == 0
    assert line_of(first) == "saved last words"
    assert exit_code(first) == -9
    (command,) = client.commands.list(iteration_id)
    assert command.state in ("seen", "acknowledged")  # the process died at once

    second = run(TRAINING, settings=settings)
    assert line_of(second) == iteration_id
    assert main(["iterations", "command", iteration_id, "checkpoint", "once more"]) == 0
    assert line_of(second) == "saved once more"
    assert main(["iterations", "stop", iteration_id, "--wait"]) == 0
    assert exit_code(second) != 0
    assert "has ended KILLED" in capsys.readouterr().out
    ended = client.iterations.get(iteration_id)
    assert ended.status_id == IterationStatus.KILLED
    assert ended.error_message.startswith("Stopped by ")
    commands = list(client.commands.list(iteration_id))
    assert [each.state for each in commands] == ["acknowledged"] * 3
    assert all(each.step is not None for each in commands)
