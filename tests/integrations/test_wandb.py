"""Scripts in the manner of W&B's examples train real frameworks through `deardiary.wandb`."""

from __future__ import annotations

from pathlib import Path

from deardiary import IterationStatus
from tests.integrations.conftest import PROGRAMS, Diary
from tests.integrations.environments import FRAMEWORKS

# Some metrics and files of each run.
EXPECTED = {
    "pytorch": ({"loss", "epoch"}, {"model.pt", "media/gradients/weight/00000002.json", "media/images/00000002-1.png"}),
    "keras": ({"val_accuracy", "epoch/loss", "batch/loss"}, {"model-03.keras", "model-best.keras"}),
    "sklearn": ({"f1_score"}, {"media/confusion_matrix/00000000.csv", "media/roc/00000000.csv"}),
    "regression": ({"r2_score"}, {"media/residuals/00000000.csv"}),
    "xgboost": ({"test-mlogloss", "Error Rate"}, {"media/feature_importance/00000000.csv"}),
    "lightgbm": ({"train_multi_logloss", "best_iteration"}, {"model.txt"}),
}


def test_scripts_of_wandb_log_here(diary: Diary, tmp_path: Path) -> None:
    diary.run_ours(FRAMEWORKS, PROGRAMS / "wandb_scripts.py", folder=tmp_path)
    client = diary.client()
    project = next(client.projects.list(name="W&B"))
    experiment = next(client.experiments.list(project.id, name="runs"))
    found = {each.name: each for each in client.iterations.list(experiment.id)}
    assert found.keys() == EXPECTED.keys()
    for name, (metrics, files) in EXPECTED.items():
        each = found[name]
        assert each.status_id == IterationStatus.SUCCEEDED
        assert metrics <= client.metrics.summary(each.id).keys()
        stored = {file.name for file in client.resources.list(experiment.id, iteration_id=each.id)}
        assert files <= stored
