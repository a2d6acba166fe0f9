"""`deardiary iterations output`: what was printed, in a pipe, on a terminal, and live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from chalicelib.services.points import trimming
from chalicelib.storage import output as storage
from deardiary import IterationStatus
from deardiary.wire import limits

if TYPE_CHECKING:
    from collections.abc import Callable

    import deardiary
    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]

RED = "\x1b[31mred\x1b[0m"


@pytest.fixture
def iteration(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    project = client.projects.create(f"output {request.node.name}"[:200])
    return client.iterations.create(client.experiments.create(project.id, "e").id).id


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 40 columns that has colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("deardiary.cli.output.Output.room", lambda _: 40)
    monkeypatch.setattr("deardiary.cli.printed.has_colours", lambda: True)


def send(client: deardiary.Client, iteration: str, batch_id: str, *texts: str, stream: str = "stdout") -> None:
    lines = [{"stream": stream, "text": text} for text in texts]
    client.iterations.log_columns(iteration, {}, batch_id=batch_id, output=lines)


def test_a_pipe_gets_plain_lines(run: Run, client: deardiary.Client, iteration: str) -> None:
    send(client, iteration, "1", f"a {RED} one", "50%", "\r100%", "\x1b]0;title\x07b\x1b[2J\tc\x9b\x00", "")
    send(client, iteration, "2", "careful", stream="stderr")
    assert run("iterations", "output", iteration).out == "a red one\n100%\nb       c??\n\ncareful\n"
    assert run("iterations", "output", iteration, "--stream", "stderr").out == "careful\n"
    assert run("iterations", "output", iteration, "--tail", "2").out == "\ncareful\n"
    found = run("iterations", "output", iteration, "--json").json
    assert [(each["stream"], each["text"]) for each in found][:1] == [("stdout", f"a {RED} one")]
    assert len(found) == 6


def test_an_iteration_without_output_says_so(run: Run, iteration: str) -> None:
    assert run("iterations", "output", iteration).out == "This iteration has no captured output\n"
    assert run("iterations", "output", iteration, "--json").json == []


@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_colours_and_nothing_else(run: Run, client: deardiary.Client, iteration: str) -> None:
    send(client, iteration, "1", f"a\t{RED}\tb\x1b[2J\x1b[1;1H", "\x1bc\x1b[38;2;1;2;3mx", "\x1b[?25lplain\x1b(B")
    lines = run("iterations", "output", iteration).out.splitlines()
    assert lines == [f"a       {RED}     b\x1b[0m", "\x1b[38;2;1;2;3mx\x1b[0m", "plain"]


def training(client: deardiary.Client, iteration: str, *batches: list[str]) -> Callable[[float], None]:
    """A `sleep` in which the training prints one of these batches, and ends after the last."""
    left = list(enumerate(batches, 1))

    def sleep(_seconds: float) -> None:
        if not left:
            client.iterations.update(iteration, status_id=IterationStatus.SUCCEEDED)
            return
        number, texts = left.pop(0)
        send(client, iteration, str(number), *texts)

    return sleep


@pytest.mark.parametrize("as_json", [False, True])
def test_follow_prints_lines_as_they_come_until_the_end(
    run: Run, client: deardiary.Client, iteration: str, monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    send(client, iteration, "0", "unseen", "first")
    batches = ["one a", "one b"], ["two a", "two b"]
    monkeypatch.setattr("deardiary.cli.printed.time.sleep", training(client, iteration, *batches))
    said = run("iterations", "output", iteration, "--follow", "--tail", "1", *(["--json"] if as_json else []))
    lines = said.out.splitlines()
    texts = [json.loads(line)["text"] for line in lines] if as_json else lines
    assert texts == ["first", "one a", "one b", "two a", "two b"]


@pytest.mark.usefixtures("terminal")
def test_a_bar_that_goes_on_replaces_its_line_on_a_terminal(
    run: Run, client: deardiary.Client, iteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, iteration, "0", "epoch 1", "x" * 50)
    batches = ["\r60%"], ["\r70%", "\r99%", "done", "1%", "\r2%"]
    monkeypatch.setattr("deardiary.cli.printed.time.sleep", training(client, iteration, *batches))
    out = run("iterations", "output", iteration, "--follow").out
    assert out == f"epoch 1\n{'x' * 50}\n\x1b[2A\r\x1b[J60%\n\x1b[1A\r\x1b[J99%\ndone\n2%\n"


def test_the_gap_is_said(run: Run, client: deardiary.Client, iteration: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OUTPUT_BYTES", 100)
    monkeypatch.setattr(storage, "FIRST_BYTES", 20)
    monkeypatch.setattr(trimming, "SLACK_BYTES", 20)
    for number in range(20):
        send(client, iteration, str(number), f"line {number:04}")
    lines = run("iterations", "output", iteration).out.splitlines()
    gone = 20 - (len(lines) - 1)
    assert lines[:3] == ["line 0000", "line 0001", f"[{gone} lines of {gone * 10} bytes were not kept]"]
    assert lines[3:] == [f"line {number:04}" for number in range(gone + 2, 20)]
