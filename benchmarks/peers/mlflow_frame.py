"""A metric's whole history by MLflow's client as a data frame: URL, run, key, points; prints the seconds it took."""

from __future__ import annotations

import sys
import time

import mlflow
import pandas


def main(url: str, run_id: str, key: str, points: int) -> None:
    client = mlflow.MlflowClient(url)
    # Connect, and let the worker read once.
    client.get_run(run_id)
    begin = time.perf_counter()
    history = client.get_metric_history(run_id, key)
    frame = pandas.DataFrame(
        {
            "step": [each.step for each in history],
            "value": [each.value for each in history],
            "recorded_at": pandas.to_datetime([each.timestamp for each in history], unit="ms", utc=True),
        }
    )
    seconds = time.perf_counter() - begin
    if len(frame) != points:
        raise ValueError(f"{len(frame)} points in place of {points}")
    print(seconds)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
