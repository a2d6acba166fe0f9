"""Log a run with the calls of every training script, read it back, and print what our client must find."""

import hashlib
import json
import math
import os
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient

NAMES = ["plain.txt", "with space.txt", "a+b&c=d.txt", "ünïcödé.txt", "deep/er/x.bin", "empty", "large.bin"]
LARGE = 12_000_000


def content(name: str) -> bytes:
    if name == "large.bin":
        return os.urandom(LARGE)
    return b"" if name == "empty" else os.urandom(100)


def write_files(folder: Path) -> dict[str, str]:
    hashes = {}
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content(name)
        path.write_bytes(data)
        hashes[name] = hashlib.sha256(data).hexdigest()
    return hashes


def walk(client: MlflowClient, run_id: str, path=None) -> dict:
    found = {}
    for each in client.list_artifacts(run_id, path):
        found.update(walk(client, run_id, each.path) if each.is_dir else {each.path: each.file_size})
    return found


def check_files(client: MlflowClient, run_id: str, source: Path, hashes: dict[str, str]) -> None:
    sizes = {name: (source / name).stat().st_size for name in hashes}
    assert walk(client, run_id, "files") == {f"files/{name}": size for name, size in sizes.items()}
    with tempfile.TemporaryDirectory() as target:
        local = Path(client.download_artifacts(run_id, "files", target))
        assert {name: hashlib.sha256((local / name).read_bytes()).hexdigest() for name in hashes} == hashes
    assert client.list_artifacts(run_id, "files/plain.txt") == []


def main() -> None:
    mlflow.set_experiment(f"clients of {mlflow.__version__}")
    source = Path("source")
    hashes = write_files(source)
    with mlflow.start_run(run_name="by hand", tags={"team": "vision"}) as run:
        mlflow.log_params({"lr": 0.1, "layers": [1, 2], "empty": ""})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"nan": math.nan, "accuracy": 0.5}, step=1)
        mlflow.log_artifacts(str(source), "files")
        mlflow.log_text("first", "notes.txt")
        mlflow.log_text("second", "notes.txt")
        mlflow.set_tag("mlflow.note.content", "A note")
    run_id, client = run.info.run_id, MlflowClient()
    read = client.get_run(run_id)
    assert read.info.status == "FINISHED"
    assert read.data.params == {"lr": "0.1", "layers": "[1, 2]", "empty": ""}
    assert read.data.metrics["loss"] == 0.2
    assert [each.value for each in client.get_metric_history(run_id, "loss")] == [1 / (step + 1) for step in range(5)]
    found = client.search_runs([run.info.experiment_id], "metrics.loss < 0.3 and params.lr = '0.1'")
    assert [each.info.run_id for each in found] == [run_id]
    check_files(client, run_id, source, hashes)
    client.delete_run(run_id)
    assert client.search_runs([run.info.experiment_id]) == []
    client.restore_run(run_id)
    print(json.dumps({"run_id": run_id, "version": mlflow.__version__, "files": hashes}))


sys.exit(main())
