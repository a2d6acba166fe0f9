"""Log the example training into a running server with the users' client, and read it back."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby
from typing import TYPE_CHECKING

import deardiary
from deardiary.settings import DEFAULT_URL
from deardiary.terminal import number
from infra.emulator.launcher import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = "examples/train_digits.py"


def log_demo(url: str) -> None:
    """Run the example against the server at ``url``, and print its result. CalledProcessError if it fails."""
    print(f"\nTraining: {EXAMPLE}", flush=True)
    others = {name: value for name, value in os.environ.items() if not name.startswith("DEARDIARY_")}
    # A pipe would delay the output of the example.
    environment = others | {"DEARDIARY_URL": url, "NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    sweep = _run_example(environment)
    with deardiary.connect(url) as client:
        print("\n".join(_report(client, sweep)), flush=True)


def _run_example(environment: dict[str, str]) -> str:
    """Print the example's output; the id of its sweep is the last word."""
    command, last = [sys.executable, EXAMPLE], ""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=pipe, text=True) as example:  # noqa: S603
        assert example.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
        for last in example.stdout:
            print(last, end="", flush=True)
    if example.returncode:
        raise subprocess.CalledProcessError(example.returncode, command)
    return last.split()[-1]


def _report(client: deardiary.Client, sweep: str) -> Iterator[str]:
    """The content of the sweep, and the commands that show it."""
    experiment = client.experiments.get(client.iterations.get(sweep).experiment_id)
    trials = [each.id for each in client.iterations.children(sweep)]
    yield f"\nLogged, and read back from {client.url}:"
    yield f"{client.projects.get(experiment.project_id).name} > {experiment.name} > {sweep}"
    for iteration_id in (sweep, *trials):
        yield from _iteration(client, experiment.id, iteration_id)
    resource = next(client.resources.list(experiment.id, iteration_id=trials[-1]))
    path = f"{client.projects.get(experiment.project_id).name}/{experiment.name}"
    yield from _commands(client.url, path, trials[-1], resource.id)


def _iteration(client: deardiary.Client, experiment_id: str, iteration_id: str) -> Iterator[str]:
    iteration = client.iterations.get(iteration_id)
    parameters = ", ".join(f"{each.key}={each.value}" for each in client.parameters.list(iteration_id))
    yield f"\n  iteration {iteration_id}  {iteration.status_id.name}\n    {parameters}"
    points = sorted(client.metrics.list(iteration_id), key=lambda point: (point.key, point.step))
    for key, series in groupby(points, key=lambda point: point.key):
        values = [point.value for point in series]
        yield f"    {key:<20} {number(len(values), 'point'):>10}, last {values[-1]:.4f}"
    for resource in client.resources.list(experiment_id, iteration_id=iteration_id):
        yield f"    {resource.name:<20} {resource.size_bytes} bytes, {resource.state}"


def _commands(url: str, experiment: str, trial: str, resource: str) -> Iterator[str]:
    """Commands to paste. They name the server only if it is not the client's default."""
    command = ".venv/bin/deardiary" if url == DEFAULT_URL else f"DEARDIARY_URL={url} .venv/bin/deardiary"
    yield "\nLook at it, in another terminal:"
    yield f"  {command} iterations ls '{experiment}'"
    yield f"  {command} iterations show {trial}"
    yield f"  {command} resources download {resource} /tmp"
    yield "\nLog another one: make demo"
