"""MLflow, to its server, which MLFLOW_TRACKING_URI names; MLFLOW_ENABLE_ASYNC_LOGGING makes it asynchronous."""

from __future__ import annotations

from pathlib import Path

import mlflow

from benchmarks.kit.pace import KEYS, Log, main


def begin(folder: Path) -> Log:
    mlflow.set_experiment(folder.name)
    run = mlflow.start_run(log_system_metrics=False)
    (folder / "id").write_text(run.info.run_id)
    return lambda values, step: mlflow.log_metrics(values, step=step)


def count(folder: Path) -> int:
    client, run = mlflow.MlflowClient(), (folder / "id").read_text()
    return sum(len(client.get_metric_history(run, key)) for key in KEYS)


if __name__ == "__main__":
    main(begin, count)
