"""The benchmark of the MLflow face with a small load: its figures are there, and what it reads is counted."""

from __future__ import annotations

from benchmarks import mlflow_face
from benchmarks.mlflow_face import Load


def test_the_face_is_measured() -> None:
    figures = mlflow_face.measure(Load(points=100, runs=3, history=1500, fits=1, rounds=1), peer=False)
    assert set(figures) == {"log_batch_points_per_s", "search_1000_s", "history_100k_s"}
    assert all(value > 0 for value in figures.values())
