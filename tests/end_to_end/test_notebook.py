"""Iterations in a notebook: events that end them, and events that do not, with a real kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from deardiary import IterationStatus
from tests.support.kernel import Kernel, kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary import Client, Iteration
    from tests.support.live import LiveServer

RUNNING, SUCCEEDED, KILLED = IterationStatus.RUNNING, IterationStatus.SUCCEEDED, IterationStatus.KILLED


@pytest.fixture(scope="module")
def notebook(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEARDIARY_URL", live.url)
        patch.setenv("DEARDIARY_DIR", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        patch.setenv("IPYTHONDIR", str(folder))
        with kernel() as running:
            yield running


def begin(notebook: Kernel, experiment: str, variable: str = "iteration") -> str:
    """Start an iteration in a cell of its own; return its id."""
    cell = f"{variable} = deardiary.start('Notebook', {experiment!r}); {variable}.log({{'loss': 1}})"
    own_id: str = notebook.evaluate(cell, f"{variable}.id")
    return own_id


def ends(client: Client, *ids: str) -> list[tuple[IterationStatus, str]]:
    found: list[Iteration] = [client.iterations.get(each) for each in ids]
    return [(each.status_id, each.error_message) for each in found]


def test_a_cell_that_raised_earlier_leaves_a_good_iteration_alone(notebook: Kernel, client: Client) -> None:
    assert notebook.fail("1 / 0") == "ZeroDivisionError"
    notebook.run("import deardiary, time")
    before = begin(notebook, "error before")
    assert notebook.fail("undefined") == "NameError"
    assert notebook.fail("import sys; sys.exit(1)") == "SystemExit"
    notebook.interrupt("print('ready', flush=True); time.sleep(60)")
    between = begin(notebook, "error between")
    assert ends(client, before, between) == [(RUNNING, "")] * 2, "no error ends an iteration that is not in a block"
    notebook.run("iteration.log({'loss': 0.5})")
    notebook.restart()
    assert ends(client, before, between) == [(SUCCEEDED, "")] * 2


@pytest.mark.parametrize("last", ["error", "interrupt"])
def test_a_kernel_that_ends_after_a_cell_that_failed_kills_the_iteration(
    notebook: Kernel, client: Client, last: str
) -> None:
    notebook.run("import deardiary, time")
    after = begin(notebook, f"{last} after")
    if last == "error":
        notebook.fail("1 / 0")
    else:
        notebook.interrupt("print('ready', flush=True); time.sleep(60)")
    notebook.restart()
    assert ends(client, after) == [(KILLED, "")], "it neither succeeded nor has an error of its own"


@pytest.mark.parametrize(
    ("last", "end", "status"), [("1/0", "exit()", KILLED), ("1/0", "quit", KILLED), ("1/0\n2", "exit()", SUCCEEDED)]
)
def test_ipython_in_a_terminal_that_is_left_after_an_error_kills_the_iteration(
    live: LiveServer, client: Client, tmp_path: Path, last: str, end: str, status: IterationStatus
) -> None:
    start = f"import deardiary; it = deardiary.start('Notebook', {str(tmp_path)!r}); open('id', 'w').write(it.id)"
    shell(live, tmp_path, ["-m", "IPython", "--simple-prompt", "--no-banner"], f"{start}\n{last}\n{end}\n")
    assert ends(client, (tmp_path / "id").read_text()) == [(status, "")]


@pytest.mark.parametrize("script", [False, True])
def test_a_second_start_at_pythons_prompt_ends_the_first(
    live: LiveServer, client: Client, tmp_path: Path, *, script: bool
) -> None:
    start = f"it = deardiary.start('Notebook', {str(tmp_path)!r}); _ = open('ids', 'a').write(it.id + ' ')"
    (tmp_path / "train.py").write_text(f"import deardiary\nfor _ in range(2):\n    {start}\n")
    arguments = ["-i", "train.py"] if script else ["-i"]
    typed = start if script else f"import deardiary\nfor _ in range(2):\n    {start}\n\n{start}"
    said = shell(
        live, tmp_path, arguments, f"{typed}\nopen('before', 'w').write(str(it.client.iterations.get(it.id)))\n"
    )
    first, second, last = (tmp_path / "ids").read_text().split()
    for each in (first, second):
        assert f"Iteration {each}, started by an earlier input, was still running: it is ended SUCCEEDED" in said
    assert said.count("still running") == 2
    assert ends(client, last) == [(SUCCEEDED, "")]


def shell(live: LiveServer, folder: Path, arguments: list[str], typed: str) -> str:
    """Run Python with these arguments and this stdin; return its stderr."""
    given = {"DEARDIARY_URL": live.url, "DEARDIARY_DIR": str(folder), "IPYTHONDIR": str(folder), "HOME": str(folder)}
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        input=typed,
        cwd=folder,
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stderr


def test_a_block_in_a_cell_ends_with_the_cell(notebook: Kernel, client: Client) -> None:
    notebook.run("import deardiary")
    begin = "with deardiary.start('Notebook', 'block') as it:\n    iteration_id = it.id"
    assert notebook.fail(f"{begin}\n    1 / 0") == "ZeroDivisionError"
    failed = notebook.evaluate("pass", "iteration_id")
    notebook.run(begin)
    succeeded = notebook.evaluate("pass", "iteration_id")
    statuses = [status for status, _ in ends(client, failed, succeeded)]
    assert statuses == [IterationStatus.FAILED, SUCCEEDED]


def test_the_start_cell_run_again_ends_the_iteration_that_it_replaces(notebook: Kernel, client: Client) -> None:
    notebook.run("import deardiary")
    start = "iteration = deardiary.start('Notebook', 'twice')"
    other = begin(notebook, "another experiment", "other")
    assert "still running" not in notebook.stderr(start)
    first = notebook.evaluate("pass", "iteration.id")
    assert f"Iteration {first}, started by an earlier cell, was still running: it is ended SUCCEEDED" in (
        notebook.stderr(start)
    )
    second = notebook.evaluate("pass", "iteration.id")
    notebook.fail("1 / 0")
    assert "it is ended KILLED" in notebook.stderr(start)
    third = notebook.evaluate("pass", "iteration.id")
    assert ends(client, first, second, third, other) == [(SUCCEEDED, ""), (KILLED, ""), (RUNNING, ""), (RUNNING, "")]


def test_an_iteration_that_a_cell_starts_stays_open(notebook: Kernel, client: Client) -> None:
    notebook.run("import deardiary, contextlib")
    several = notebook.evaluate(
        "runs = [deardiary.start('Notebook', 'several') for _ in range(2)]; child = runs[0].child()\n"
        "entered = deardiary.start('Notebook', 'several').__enter__()",
        "[each.id for each in [*runs, child, entered]]",
    )
    assert ends(client, *several) == [(RUNNING, "")] * 4, "of one cell, all stay open"
    notebook.run("kept = [deardiary.start('Notebook', 'keyed', id_key='k')]")
    notebook.run("kept.append(deardiary.start('Notebook', 'keyed'))")
    keyed = notebook.evaluate("pass", "kept[0].id")
    begin(notebook, "several")
    assert ends(client, *several, keyed) == [(SUCCEEDED, "")] * 2 + [(RUNNING, "")] * 3


def test_what_cells_print_is_captured_until_the_iteration_ends(notebook: Kernel, client: Client) -> None:
    notebook.run("import deardiary, sys")
    captured = begin(notebook, "printing")
    notebook.run("print('from the next cell'); print('a warning', file=sys.stderr)")
    notebook.fail("1 / 0")
    notebook.run("for _ in [1, 2, 3]: print(f'\\r{_}/3', end='')")
    notebook.run("print(); iteration.finish(); print('after the end')")
    printed = [(line.stream, line.text) for line in client.iterations.output(captured)]
    assert printed == [("stdout", "from the next cell"), ("stderr", "a warning"), ("stdout", "3/3")]
