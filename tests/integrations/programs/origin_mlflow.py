"""Log runs with an unmodified MLflow into the store that MLFLOW_TRACKING_URI names, for `deardiary import mlflow`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mlflow
import mlflow.data.http_dataset_source
import mlflow.data.meta_dataset
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

START = 1_700_000_000_000  # 2023-11-14T22:13:20Z
client = MlflowClient()


def run_of(experiment: str, name: str, start: int, tags: dict[str, str]) -> str:
    return client.create_run(experiment, start_time=start, run_name=name, tags=tags).info.run_id


def main() -> None:
    experiment = client.create_experiment(
        "digits", tags={"team": "vision", "mlflow.note.content": "of the post office"}
    )
    other = client.create_experiment("empty")
    parent = run_of(experiment, "sweep", START, {"mlflow.user": "ada", "mlflow.note.content": "three rates"})
    children = []
    for index, rate in enumerate((0.1, 0.01)):
        start = START + 1000 * (index + 1)
        child = run_of(experiment, f"rate {rate}", start, {"mlflow.parentRunId": parent, "mlflow.user": "grace"})
        points = [Metric("loss", 1.5 / (step + 1), start + step, step) for step in (0, 1, 2, 5, 7)]
        points += [
            Metric("odd", value, start + 9, step)
            for step, value in ((-3, 1.0), (0, math.nan), (1, math.inf), (2, -math.inf), (2, 0.1 + 0.2))
        ]
        client.log_batch(
            child,
            points,
            [Param("rate", str(rate)), Param("layers", "[3, 4]")],
            [
                RunTag("stage", "first"),
                RunTag("mlflow.source.name", "train.py"),
                RunTag("mlflow.source.git.commit", "a" * 40),
            ],
        )
        client.set_terminated(child, "FINISHED", start + 500)
        children.append(child)
    client.set_terminated(parent, "FINISHED", START + 5000)
    failed = run_of(experiment, "failed", START + 6000, {})
    client.log_metric(failed, "loss", 3.0, START + 6001, 0)
    client.set_terminated(failed, "FAILED", START + 6100)
    killed = run_of(experiment, "killed", START + 7000, {})
    client.set_terminated(killed, "KILLED", START + 7100)
    run_of(experiment, "left running", START + 8000, {})
    deleted = run_of(experiment, "deleted", START + 9000, {})
    client.delete_run(deleted)

    folder = Path("files")
    folder.mkdir(exist_ok=True)
    (folder / "notes.txt").write_text("seven\n")
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "weights.bin").write_bytes(bytes(range(256)))
    client.log_artifact(children[0], "files/notes.txt")
    client.log_artifacts(children[0], "files/model", "model")
    client.log_dict(children[1], {"seen": 7}, "tables/seen.json")

    client.create_registered_model("digits", {"owner": "ada"}, "reads digits")
    client.create_registered_model("readers")
    client.create_registered_model("without a version")
    for child in children:
        source = f"{client.get_run(child).info.artifact_uri}/model"
        client.create_model_version("digits", source, child, {"checked": "yes"}, description=f"of {child[:4]}")
    client.set_registered_model_alias("digits", "champion", "1")
    client.transition_model_version_stage("digits", "2", "Production")

    data = mlflow.data.meta_dataset.MetaDataset(
        mlflow.data.http_dataset_source.HTTPDatasetSource("http://127.0.0.1/digits.csv"), name="mnist", digest="9f3c"
    )
    with mlflow.start_run(run_id=children[1]):
        mlflow.log_input(data, context="training", tags={"rows": "60000"})
    client.set_terminated(children[1], "FINISHED", START + 2500)
    if hasattr(client, "create_logged_model"):  # since MLflow 3
        logged = client.create_logged_model(experiment, "reader", children[0])
        client.log_model_artifacts(logged.model_id, "files/model")
        client.finalize_logged_model(logged.model_id, "READY")
        client.create_model_version("readers", f"models:/{logged.model_id}", children[0], model_id=logged.model_id)
    print(json.dumps({"other": other}))


main()
