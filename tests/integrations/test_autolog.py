"""Trainings of some seconds that MLflow logs by itself, found in our own client as if it had logged them."""

from __future__ import annotations

from pathlib import Path

import pytest

import deardiary
from tests.integrations.conftest import Diary
from tests.integrations.environments import FRAMEWORKS

# By library: a parameter and a metric that its training logs, and the least number of that metric's points.
LOGGED = {
    "sklearn": ("C", "training_score", 1),
    "xgboost": ("max_depth", "train-logloss", 5),
    "lightgbm": ("num_leaves", "train-binary_logloss", 5),
    "keras": ("epochs", "loss", 2),
    "lightning": ("optimizer_name", "train_loss", 2),
    "transformers": ("num_train_epochs", "loss", 4),
    "optuna": ("x", "best", 1),
}


@pytest.mark.parametrize("library", LOGGED)
def test_a_training_is_logged_whole(diary: Diary, tmp_path: Path, library: str) -> None:
    said = diary.run(FRAMEWORKS, f"autolog_{library}", tmp_path)
    parameter, metric, points = LOGGED[library]
    client = diary.client()
    iteration = client.iterations.get(said["run_id"])
    assert iteration.status_id == deardiary.IterationStatus.SUCCEEDED
    parameters = {each.key: each.value for each in client.parameters.list(iteration.id)}
    assert parameters == said["params"]
    assert parameter in parameters
    summaries = client.metrics.summary(iteration.id)
    assert {key: each.last for key, each in summaries.items()} == pytest.approx(said["metrics"])
    assert summaries[metric].count >= points
