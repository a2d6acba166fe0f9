"""Writes a table with the server of commit 3a2c7e2, through its HTTP API, and dumps it with that server's answers.

Check the commit out into a folder OLD and run this file there, with the packages of that commit:

    cd OLD && PYTHONPATH=.:client/src python {repository}/tests/storage/older/write_3a2c7e2.py TARGET.json.gz
"""
# mypy: ignore-errors
# ruff: noqa

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3

from benchmarks.world import make_world, points
from chalicelib import config, security
from chalicelib.services import deletion
from chalicelib.storage import digest
from moto.dynamodb.models import dynamodb_backends
from tests.server import PASSWORD, Server, server_on_moto

RUNNING, FAILED, KILLED, SUCCEEDED = 1, 3, 4, 2


class Writer:
    def __init__(self, server: Server, token: str) -> None:
        self.server, self.token = server, token

    def send(self, method, path, body=None):
        reply = self.server.call(method, path, body, token=self.token)
        assert reply.status < 300, (method, path, reply)
        return reply.body

    def post(self, path, **body) -> str:
        return self.send("POST", path, body)["id"]


def write(server: Server) -> dict:
    world = make_world(server)
    writer = Writer(server, world.token)
    experiment, project = world.ids["experiment_id"], world.ids["project_id"]
    ids = dict(world.ids)
    for name, status in (("failed", FAILED), ("killed", KILLED), ("succeeded", SUCCEEDED)):
        ids[name] = log_batches(writer, experiment, name, 3)
        writer.send("PATCH", f"/iterations/{ids[name]}", {"status_id": status})
    # So many batches that the server compacts them, and then some.
    ids["compacted"] = log_batches(writer, experiment, "compacted", 40)
    writer.send("PATCH", f"/iterations/{ids['compacted']}", {"status_id": SUCCEEDED})
    ids["compacted_and_on"] = log_batches(writer, experiment, "compacted_and_on", 40)
    writer.send("GET", f"/iterations/{ids['compacted_and_on']}/metrics/series?key=loss")
    writer.send("POST", f"/iterations/{ids['compacted_and_on']}/log", batch("later", 400))
    ids["edited"] = log_batches(writer, experiment, "edited", 3)
    found = writer.send("GET", f"/iterations/{ids['edited']}/metrics?limit=20")["data"]
    writer.send("PATCH", f"/metrics/{found[0]['id']}", {"value": 1000.5})
    writer.send("DELETE", f"/metrics/{found[1]['id']}")
    ids["plain_summary"] = with_plain_summaries(writer, experiment)
    inline(writer, experiment, ids)
    for kind, path in begin_deletions(writer, project, experiment).items():
        ids[kind] = path
    ids["secret"] = writer.send("POST", "/auth/tokens", {"name": "forever"})["token"]
    ids["username"] = world.username
    return ids


def batch(name: str, start: int) -> dict:
    dice = random.Random(name)
    columns = {
        key: {"step": [start + n for n in range(5)], "value": [round(dice.uniform(0, 1), 3) for _ in range(5)]}
        for key in ("loss", "accuracy")
    }
    return {"batch_id": name, "parameters": {}, "tags": [], "metrics": columns}


def log_batches(writer: Writer, experiment: str, name: str, number: int) -> str:
    iteration = writer.post(f"/experiments/{experiment}/iterations", notes=name, id_key=name)
    for n in range(number):
        body = batch(f"{name}-{n}", 5 * n)
        if n == 0:
            body |= {"parameters": {"lr": "0.1", "name": name}, "tags": ["old", name]}
        writer.send("POST", f"/iterations/{iteration}/log", body)
    return iteration


def with_plain_summaries(writer: Writer, experiment: str) -> str:
    """Summaries as the version before last of their format has them: not compressed."""
    version, compressor = digest.VERSION, digest.zlib
    digest.VERSION, digest.zlib = digest.PLAIN, SimpleNamespace(compress=bytes, decompress=bytes, error=ValueError)
    try:
        return log_batches(writer, experiment, "plain_summary", 2)
    finally:
        digest.VERSION, digest.zlib = version, compressor


def inline(writer: Writer, experiment: str, ids: dict) -> None:
    """A small file in the request, which the table keeps when the server is told so."""
    config.settings.cache_clear()
    data = b"kept in the table"
    import os

    os.environ["DEARDIARY_ARTIFACT_BACKEND"] = "inline"
    given = {"name": "note.txt", "size_bytes": len(data), "content_hash": hashlib.sha256(data).hexdigest()}
    given["data"] = base64.b64encode(data).decode()
    ids["inline"] = writer.post(f"/experiments/{experiment}/resources", **given)
    del os.environ["DEARDIARY_ARTIFACT_BACKEND"]
    config.settings.cache_clear()


def begin_deletions(writer: Writer, project: str, experiment: str) -> dict:
    """Of a project, an experiment, an iteration and a model: with no time to remove what hangs below."""
    doomed = writer.post("/projects", name="doomed")
    below = writer.post(f"/projects/{doomed}/experiments", name="below")
    log_batches(writer, below, "doomed", 2)
    other = writer.post(f"/projects/{project}/experiments", name="doomed too")
    log_batches(writer, other, "doomed too", 2)
    iteration = log_batches(writer, experiment, "doomed three", 2)
    gone = {
        "gone_project": f"/projects/{doomed}",
        "gone_experiment": f"/experiments/{other}",
        "gone_iteration": f"/iterations/{iteration}",
    }
    deletion.REQUEST_SECONDS = -1.0
    for path in gone.values():
        reply = writer.server.call("DELETE", path, token=writer.token)
        assert reply.status == 202, (path, reply)
    return gone


def reads(ids: dict) -> list[str]:
    """The paths whose answers the new server must give as this one did."""
    iterations = [
        ids[name]
        for name in (
            "iteration_id",
            "failed",
            "killed",
            "succeeded",
            "compacted",
            "compacted_and_on",
            "edited",
            "plain_summary",
        )
    ]
    paths = [
        f"/projects/{ids['project_id']}",
        "/projects",
        f"/users/{ids['user_id']}",
        f"/users/{ids['user_id']}/permissions",
    ]
    paths += [f"/projects/{ids['project_id']}/{name}" for name in ("permissions", "experiments", "tags", "models")]
    paths += [
        f"/experiments/{ids['experiment_id']}",
        *(f"/experiments/{ids['experiment_id']}/{name}" for name in ("iterations", "tags", "resources")),
    ]
    for each in iterations:
        paths += [
            f"/iterations/{each}",
            *(
                f"/iterations/{each}/{name}"
                for name in ("parameters", "tags", "metrics/summary", "metrics?limit=100", "metrics/series?key=loss")
            ),
        ]
    paths += [
        f"/iterations/{ids['iteration_id']}/snapshot",
        f"/parameters/{ids['parameter_id']}",
        f"/metrics/{ids['metric_id']}",
    ]
    paths += [
        f"/models/{ids['model_id']}",
        f"/models/{ids['model_id']}/versions",
        f"/modelversions/{ids['version_id']}",
    ]
    return [*paths, f"/resources/{ids['resource_id']}", f"/resources/{ids['inline']}"]


def dump(server: Server, ids: dict) -> dict:
    writer = Writer(server, server.token(ids["username"]))
    answers = {path: writer.send("GET", path) for path in reads(ids)}
    settings = config.settings()
    table = dynamodb_backends["123456789012"]["us-east-1"].get_table(settings.table)
    store, objects = boto3.client("s3"), {}
    for each in store.list_objects_v2(Bucket=settings.artifact_bucket).get("Contents", []):
        body = store.get_object(Bucket=settings.artifact_bucket, Key=each["Key"])["Body"].read()
        objects[each["Key"]] = base64.b64encode(body).decode()
    rows = [row.to_json()["Attributes"] for row in table.all_items()]
    rows = json.loads(json.dumps(rows, default=lambda value: base64.b64encode(value).decode()))
    return {"ids": ids, "password": PASSWORD, "answers": answers, "rows": rows, "objects": objects}


def main(target: str) -> None:
    security.BCRYPT_COST = 4
    with server_on_moto() as server:
        dumped = dump(server, write(server))
    text = json.dumps(dumped, separators=(",", ":"), sort_keys=True).encode()
    Path(target).write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
