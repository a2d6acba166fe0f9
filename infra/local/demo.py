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
PROJECT, EXPERIMENT = "Digits", "sgd sweep"


def log_demo(url: str) -> None:
    """Run the example against the server at ``url`` and print what is there then. CalledProcessError when it fails."""
    print(f"\nTraining: {EXAMPLE}", flush=True)
    others = {name: value for name, value in os.environ.items() if not name.startswith("DEARDIARY_")}
    environment = others | {"DEARDIARY_URL": url, "NO_PROXY": "127.0.0.1"}
    subprocess.run([sys.executable, EXAMPLE], cwd=REPOSITORY, env=environment, check=True)  # noqa: S603 - our own file
    with deardiary.connect(url) as client:
        print("\n".join(_report(client)), flush=True)


def _report(client: deardiary.Client) -> Iterator[str]:
    """What the newest sweep holds, and the commands that show it."""
    project = next(each for each in client.projects.list() if each.name == PROJECT)
    experiment = next(each for each in client.experiments.list(project.id) if each.name == EXPERIMENT)
    # Ids sort by creation.
    sweep = max(each.id for each in client.iterations.list(experiment.id) if each.parent_iteration_id is None)
    trials = [each.id for each in client.iterations.children(sweep)]
    yield f"\nLogged, and read back from {client.url}:"
    yield f"{PROJECT} > {EXPERIMENT} > {sweep}"
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
