"""The end of a process, by a signal, an error or its last line, becomes the end of its iteration."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from deardiary import Client, IterationStatus
from tests.support.live import exit_code, line_of, run, steps_of, sync

if TYPE_CHECKING:
    from pathlib import Path

_TERMINATED = """
import signal, sys, time, deardiary
{before}
with deardiary.start("Durable", "terminated {name}") as iteration:
    iteration.log({{"loss": 1}})
    print(iteration.id)
    {wait}
"""
_HANDLERS = {
    "nobody": ("", "sys.stdin.read()", -signal.SIGTERM),
    "exits": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))", "sys.stdin.read()", 3),
    "goes on": (
        "asked = []; signal.signal(signal.SIGTERM, lambda *_: asked.append(1))",
        "any(asked or time.sleep(0.01) for _ in range(6000)); iteration.log({'saved': 1})",
        0,
    ),
}


@pytest.mark.parametrize("name", _HANDLERS)
def test_sigterm_kills_the_iteration_and_then_does_what_it_did(
    client: Client, settings: dict[str, str], name: str
) -> None:
    before, wait, code = _HANDLERS[name]
    process = run(_TERMINATED.format(before=before, wait=wait, name=name), stdin=True)
    iteration_id = line_of(process)
    process.send_signal(signal.SIGTERM)
    assert exit_code(process) == code
    iteration = client.iterations.get(iteration_id)
    assert iteration.status_id == IterationStatus.KILLED
    assert steps_of(client, iteration) == [0]
    assert steps_of(client, iteration, "saved") == ([0] if name == "goes on" else [])
    assert sync() == []


@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("", IterationStatus.SUCCEEDED),
        ("1 / 0", IterationStatus.FAILED),
        ("iteration.finish(4)", IterationStatus.KILLED),
        ("sys.exit(1)", IterationStatus.FAILED),
        ("sys.exit('no data')", IterationStatus.FAILED),
        ("sys.exit(0)", IterationStatus.SUCCEEDED),
        ("threading.Thread(target=sys.exit, args=[1]).start()", IterationStatus.SUCCEEDED),
        ("exec('try: sys.exit(1)\\nexcept SystemExit: 1 / 0')", IterationStatus.FAILED),
        ("import code; code.InteractiveInterpreter().runsource('undefined')", IterationStatus.SUCCEEDED),
    ],
)
def test_an_iteration_without_a_finish_ends_with_the_process(
    client: Client, settings: dict[str, str], last: str, status: IterationStatus
) -> None:
    process = run(
        "import sys, threading, deardiary\n"
        'iteration = deardiary.start("Durable", "unended"); print(iteration.id)\n'
        f'iteration.log({{"loss": 1}})\n{last}\n',
        quiet=True,
    )
    iteration_id = line_of(process)
    assert exit_code(process) in (0, 1)
    iteration = client.iterations.get(iteration_id)
    assert iteration.status_id == status
    assert ("Traceback" in iteration.error_message) == (status == IterationStatus.FAILED)
    assert ("ZeroDivisionError" in iteration.error_message) == ("1 / 0" in last)
    assert steps_of(client, iteration) == [0]


@pytest.mark.parametrize(
    ("script", "typed", "status"),
    [
        ("", "1 / 0", IterationStatus.SUCCEEDED),
        ("", "import sys; sys.exit(1)", IterationStatus.FAILED),
        ("1 / 0", "2", IterationStatus.FAILED),
    ],
)
def test_at_pythons_prompt_the_error_of_a_line_is_not_the_iterations(
    client: Client, settings: dict[str, str], tmp_path: Path, script: str, typed: str, status: IterationStatus
) -> None:
    begin = 'import deardiary; iteration = deardiary.start("Durable", "prompt"); print(iteration.id, flush=True)\n'
    (tmp_path / "script.py").write_text(begin + script + "\n")
    command = [sys.executable, "-i", str(tmp_path / "script.py")]
    done = subprocess.run(  # noqa: S603
        command, input=typed + "\n", capture_output=True, text=True, check=False, timeout=60
    )
    assert client.iterations.get(done.stdout.split()[0]).status_id == status
