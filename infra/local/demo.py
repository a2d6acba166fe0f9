"""The example training, logged into a running server with the client that users have, and read back."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby
from typing import TYPE_CHECKING

import deardiary
from infra.local.launcher import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = "examples/train_digits.py"


def log_demo(url: str) -> None:
    """Run the example against the server at ``url`` and print what is there then. CalledProcessError when it fails."""
    print(f"\nTraining: {EXAMPLE}", flush=True)
    others = {name: value for name, value in os.environ.items() if not name.startswith("DEARDIARY_")}
    # A pipe would hold back what the example prints.
    environment = others | {"DEARDIARY_URL": url, "NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    sweep = _run_example(environment)
    with deardiary.connect(url) as client:
        print("\n".join(_report(client, sweep)), flush=True)


def _run_example(environment: dict[str, str]) -> str:
    """Pass on what the example prints; the id of its sweep is the last word."""
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
    """What the sweep holds, and the commands that show it."""
    experiment = client.experiments.get(client.iterations.get(sweep).experiment_id)
    trials = [each.id for each in client.iterations.children(sweep)]
    yield f"\nLogged, and read back from {client.url}:"
    yield f"{client.projects.get(experiment.project_id).name} > {experiment.name} > {sweep}"
    for iteration_id in (sweep, *trials):
        yield from _iteration(client, experiment.id, iteration_id)
    resource = next(client.resources.list(experiment.id, iteration_id=trials[-1]))
    yield from _commands(client.url, sweep, trials[-1], resource.id)


def _iteration(client: deardiary.Client, experiment_id: str, iteration_id: str) -> Iterator[str]:
    iteration = client.iterations.get(iteration_id)
    parameters = ", ".join(f"{each.key}={each.value}" for each in client.parameters.list(iteration_id))
    yield f"\n  iteration {iteration_id}  {iteration.status_id.name}\n    {parameters}"
    points = sorted(client.metrics.list(iteration_id), key=lambda point: (point.key, point.step))
    for key, series in groupby(points, key=lambda point: point.key):
        values = [point.value for point in series]
        yield f"    {key:<20} {len(values):>3} points, last {values[-1]:.4f}"
    for resource in client.resources.list(experiment_id, iteration_id=iteration_id):
        yield f"    {resource.name:<20} {resource.size_bytes} bytes, {resource.state}"


def _commands(url: str, sweep: str, trial: str, resource: str) -> Iterator[str]:
    yield "\nLook at it:"
    yield f"  curl '{url}/iterations/{sweep}/children'"
    yield f"  curl '{url}/iterations/{trial}/metrics?key=valid_loss'"
    yield f"  curl -L -o model.joblib '{url}/resources/{resource}/download?redirect=1'"
    yield "  .venv/bin/python -c 'import deardiary"
    yield f'for point in deardiary.connect("{url}").metrics.list("{trial}"): print(point)\''
    yield "\nLog another one: make demo"
