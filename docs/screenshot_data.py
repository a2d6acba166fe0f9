"""The projects, iterations, files and people that the pictures of the dashboard show."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import deardiary
from tests.support.server import Server

ITERATIONS, RUNNING, FAILED = 12, 2, 5
STEPS = 60
TRACEBACK = """Traceback (most recent call last):
  File "/home/ada/digits/train.py", line 88, in <module>
    main(parse_arguments())
  File "/home/ada/digits/train.py", line 71, in main
    loss = step(model, batch, optimizer)
RuntimeError: loss is NaN after step 5: lower the learning rate
"""
LOCK = "\n".join(f'[[package]]\nname = "{name}"\nversion = "1.{at}.0"\n' for at, name in enumerate(["numpy", "torch"]))
DIFF = """diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -12,3 +12,3 @@
 def step(model, batch, optimizer):
-    loss = model(batch)
+    loss = model(batch).mean()
     loss.backward()
"""
DIGEST = "sha256:9f86d081884c7d65"
FILES = {
    "report.md": "# Digits\n\nThe best of five learning rates is **0.001**.\n\n- Adam beats SGD\n- 60 epochs suffice\n",
    "confusion.csv": "digit,0,1,2\n0,980,3,1\n1,2,1131,4\n2,5,8,1010\n",
    "config.json": '{"optimizer": "sgd", "layers": [128, 64, 10]}',
}
SAMPLE = """<svg xmlns="http://www.w3.org/2000/svg" width="420" height="300">
<rect width="420" height="300" fill="#fff"/><path d="M40 260V30M40 260H400" stroke="#555" fill="none"/>
<path d="M40 {start} C120 200 200 90 400 60" stroke="#1d5fbf" stroke-width="3" fill="none"/></svg>"""


@dataclass(frozen=True, slots=True)
class Example:
    """Ids by what they are, and the name of a user without a project."""

    ids: dict[str, str]
    newcomer: str


def log_example(server: Server) -> Example:
    """Create a project with a sweep, two iterations of which are running, a model, members and deleted objects."""
    client, chance = server.client(), random.Random(7)  # noqa: S311 - the same pictures each time
    empty = client.projects.create("Churn", description="Who leaves within a month").id
    project = client.projects.create("Digits", description="Handwritten digits: which optimizer, and how long?").id
    bare = client.experiments.create(project, "augmentation").id
    unbegun = client.experiments.create(project, "distillation").id
    about = "Adam and SGD, five learning rates"
    experiment = client.experiments.create(project, "optimizer sweep", description=about).id
    ids = [_iteration(client, experiment, number, chance) for number in range(ITERATIONS)]
    best, running = ids[3], ids[-1]
    resource = _files(client, experiment, best)
    _environment(server, best)
    _output(server, running)
    models = _models(client, server, project, best, resource)
    _people(server, project)
    _delete_some(client, project, experiment)
    named = {"project": project, "experiment": experiment, "iteration": best, "running": running, "failed": ids[FAILED]}
    others = {"resource": resource, "compared": ",".join(ids[3:6]), "empty": empty, "bare": bare, "unbegun": unbegun}
    fresh = client.iterations.create(bare, name="just begun").id
    server.newcomer("grace")
    return Example({**named, **others, **models, "fresh": fresh}, "grace")


def _iteration(client: deardiary.Client, experiment_id: str, number: int, chance: random.Random) -> str:
    rate = 10 ** -(1 + number % 5)
    begun = datetime.now(timezone.utc) - timedelta(hours=9) + timedelta(minutes=45 * number)
    iteration = client.iterations.create(experiment_id, created_date=begun)
    parameters = {"optimizer": ("adam", "sgd")[number % 2], "learning_rate": f"{rate:g}", "batch_size": "64"}
    for key, value in parameters.items():
        client.parameters.create(iteration.id, key, value)
    client.metrics.batch(iteration.id, _curves(chance, rate))
    client.inputs.create(iteration.id, "dataset", "mnist", digest=DIGEST, source="s3://data/mnist")
    if number < ITERATIONS - RUNNING:
        ended = begun + timedelta(minutes=chance.randint(20, 44))
        failed = number == FAILED
        status = deardiary.IterationStatus.FAILED if failed else deardiary.IterationStatus.SUCCEEDED
        said = TRACEBACK if failed else None
        client.iterations.update(iteration.id, status_id=status, end_date=ended, error_message=said)
    return iteration.id


def _curves(chance: random.Random, rate: float) -> list[deardiary.Point]:
    speed = 0.4 / (1 + abs(math.log10(rate) + 3))
    return [
        deardiary.Point(key, value * (1 + chance.gauss(0, 0.02)), step=step)
        for step in range(STEPS)
        for key, value in (
            ("train/loss", 2.2 * math.exp(-speed * step) + 0.08),
            ("valid/loss", 2.2 * math.exp(-speed * step) + 0.15 + step * 0.001),
            ("valid/accuracy", 0.97 - 0.85 * math.exp(-speed * step)),
        )
    ]


def _files(client: deardiary.Client, experiment: str, iteration: str) -> str:
    """Upload them. The id of the last, which is the model's file."""
    samples = {f"media/samples/{step}.svg": SAMPLE.format(start=40 + 4 * step) for step in (0, 20, 40)}
    resource = ""
    with TemporaryDirectory() as root:
        for name, text in {**FILES, **samples, "weights.bin": "\0" * 5000}.items():
            path = Path(root) / Path(name).name
            path.write_text(text, "utf-8")
            about = "What the sweep has shown" if name == "report.md" else ""
            made = client.resources.upload(experiment, path, name=name, iteration_id=iteration, description=about)
            resource = made.id if name == "report.md" else resource
    return resource


def _environment(server: Server, iteration: str) -> None:
    versions = {"python_version": "3.13.1", "git_sha": "4f0c2a9d1e8b7c6a5f4e3d2c1b0a99887766554a", "git_dirty": True}
    texts = {"manifest_toml": LOCK, "git_diff": DIFF, "entrypoint": "train.py --optimizer sgd"}
    _call(server, "PUT", f"/iterations/{iteration}/snapshot", {**versions, **texts})
    about = {"notes": "Converges at once.\nRepeat with a larger batch.", "labels": {"team": "vision", "owner": "ada"}}
    _call(server, "PATCH", f"/iterations/{iteration}", about)
    _call(server, "POST", f"/iterations/{iteration}/tags", {"value": "best"})


def _output(server: Server, iteration: str) -> None:
    said = [
        f"epoch {epoch:2d}  loss {2.2 * math.exp(-0.1 * epoch):.4f}  {1.8 + epoch % 3 / 10:.1f} s"
        for epoch in range(60)
    ]
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    lines = [{"stream": "stdout", "text": text, "recorded_at": now} for text in said]
    warning = {"stream": "stderr", "text": "UserWarning: the loader has one worker", "recorded_at": now}
    _call(server, "POST", f"/iterations/{iteration}/log", {"batch_id": "output", "output": [warning, *lines]})
    _call(server, "POST", f"/iterations/{iteration}/commands", {"kind": "stop"})


def _models(client: deardiary.Client, server: Server, project: str, iteration: str, resource: str) -> dict[str, str]:
    model = client.models.create(project, "digits-classifier", description="Reads one digit of 28 by 28 pixels")
    unused = client.models.create(project, "digits-detector")
    versions = [
        client.modelversions.create(model.id, iteration_id=iteration, resource_id=each, description=said)
        for each, said in ((resource, "the first that converged"), (resource, "with augmentation"), (None, ""))
    ]
    for stage, version in ((4, versions[0]), (3, versions[1])):
        _call(server, "PATCH", f"/modelversions/{version.id}", {"stage_id": stage})
    client.models.set_alias(model.id, "champion", 2)
    _call(server, "PATCH", f"/models/{model.id}", {"labels": {"owner": "ada"}})
    reader = client.iterations.create(client.experiments.create(project, "evaluation").id, name="evaluates-it")
    read = {"kind": "model", "modelversion_id": versions[0].id}
    _call(server, "POST", f"/iterations/{reader.id}/inputs", read)
    _call(server, "POST", f"/iterations/{reader.id}/inputs", {"kind": "dataset", "resource_id": resource})
    return {"model": model.id, "unused": unused.id, "version": versions[0].id}


def _people(server: Server, project: str) -> None:
    names = {"ada": ("Ada", "Lovelace"), "emmy": ("Emmy", "Noether")}
    for username, (first, last) in names.items():
        body = {"username": username, "password": "correct horse battery", "first_name": first, "last_name": last}
        user = _call(server, "POST", "/users", body)["id"]
        rights = {"read_permission": True, "create_permission": username == "ada"}
        _call(server, "PUT", f"/projects/{project}/permissions/{user}", rights)
    for name, limits in (
        ("nightly job", {"expires_in_days": 90}),
        ("plots", {"read_only": True, "project_id": project}),
    ):
        _call(server, "POST", "/auth/tokens", {"name": name, **limits})


def _delete_some(client: deardiary.Client, project: str, experiment: str) -> None:
    client.iterations.delete(client.iterations.create(experiment, name="wrong data").id)
    client.experiments.delete(client.experiments.create(project, "first tries").id)
    client.projects.delete(client.projects.create("Scratch").id)


def _call(server: Server, method: str, path: str, body: dict[str, Any]) -> Any:
    reply = server.call(method, path, body)
    if reply.status >= 400:
        raise RuntimeError(f"{method} {path}: {reply.body}")
    return reply.body
