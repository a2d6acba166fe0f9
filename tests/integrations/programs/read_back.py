"""Read with MLflow what our client logged."""

import json
import os
from pathlib import Path

import mlflow
from mlflow import MlflowClient

client, run_id = MlflowClient(), os.environ["RUN_ID"]
run = client.get_run(run_id)
local = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path="target"))
print(
    json.dumps(
        {
            "params": run.data.params,
            "loss": [[each.step, each.value] for each in client.get_metric_history(run_id, "loss")],
            "files": {str(each.relative_to(local)): each.read_text() for each in local.rglob("*") if each.is_file()},
            "name": run.info.run_name,
        }
    )
)
