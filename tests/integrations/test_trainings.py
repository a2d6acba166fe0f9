"""The examples of our integrations train the real frameworks; our client finds what they logged.

Each program runs an example twice: as a user does, and with a function of the framework that fails in the middle.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import deardiary
from benchmarks.kit.environments import PeerFailed
from deardiary import IterationStatus
from tests.integrations.conftest import PROGRAMS, Diary
from tests.integrations.environments import FRAMEWORKS

EXAMPLES = Path(__file__).parents[2] / "examples" / "integrations"


@dataclass(frozen=True)
class Training:
    """What an example logs: some parameters, steps of some metrics, all files (as patterns), its children's statuses.

    `breaks` is a function of the framework, by its module and its path in there; its call number `at` fails. The
    failure ends the iteration, unless only the end of the `program` does.
    """

    breaks: str
    parameters: dict[str, str] = field(default_factory=dict)
    steps: dict[str, Sequence[int]] = field(default_factory=dict)
    resources: Sequence[str] = ()
    children: Sequence[str] = ()
    failed_children: Sequence[str] = ()
    at: int = 2
    program: bool = False


TRAININGS = {
    "lightning": Training(
        "torch.optim SGD.step",
        {"lr": "0.05"},
        {"train_loss": range(12), "test_loss": [12]},
        ["checkpoints/epoch=2-step=12.ckpt"],
    ),
    "transformers": Training(
        "torch.optim AdamW.step",
        {"num_train_epochs": "2", "model.hidden_size": "16"},
        {"loss": range(1, 9), "eval_loss": [4, 8], "final_loss": [8]},
    ),
    "trl": Training(
        "torch.optim AdamW.step",
        {"max_steps": "3", "model.n_embd": "16"},
        {"loss": [1, 2, 3], "mean_token_accuracy": [1, 2, 3]},
        ["checkpoint-3/model.safetensors", "checkpoint-3/*"],
    ),
    "sentence_transformers": Training(
        "torch.optim AdamW.step",
        {"max_steps": "3"},
        {"loss": [1, 2, 3]},
    ),
    "keras": Training(
        "keras Model.compute_loss",
        {"epochs": "3", "optimizer": "SGD", "optimizer.learning_rate": "0.05", "loss": "mse"},
        {"loss": range(3), "val_loss": range(3), "learning_rate": range(3)},
        ["model.keras"],
    ),
    "sklearn": Training(
        "sklearn.linear_model LogisticRegression._validate_params",
        {"cv": "3", "error_score": "nan", "best.logisticregression__C": "100.0"},
        {"training_score": [0], "best_score": [0]},
        ["model.joblib"],
        ["SUCCEEDED"] * 3,
    ),
    "xgboost": Training(
        "xgboost Booster.update",
        {"max_depth": "2", "eta": "0.5", "num_boost_round": "10", "objective": "binary:logistic"},
        {"train-logloss": range(10), "valid-logloss": range(10)},
        ["model.json"],
    ),
    "lightgbm": Training(
        "lightgbm Booster.update",
        {"num_leaves": "4", "learning_rate": "0.5", "num_iterations": "10"},
        {"train-binary_logloss": range(10), "valid-binary_logloss": range(10)},
        ["model.txt"],
    ),
    "optuna": Training(
        "optuna Trial.suggest_float",
        {"sampler": "RandomSampler", "pruner": "MedianPruner"},
        {"value": range(6), "best_value": range(6)},
        children=["KILLED", *["SUCCEEDED"] * 5],
        failed_children=["FAILED", "SUCCEEDED"],
    ),
    "tensorboard": Training(
        "torch.utils.tensorboard SummaryWriter._get_file_writer",
        {"lr": "0.1", "layers": "2"},
        {"loss": range(10), "accuracy/train": range(10), "accuracy/valid": range(10), "final/loss": [0]},
        ["media/noise/00000009.png", "media/values/00000009.json"],
    ),
    "tensorboardx": Training(
        "tensorboardX SummaryWriter._get_file_writer",
        {"lr": "0.1", "layers": "2"},
        {"loss": range(10), "accuracy/train": range(10), "accuracy/valid": range(10), "final/loss": [0]},
        ["media/noise/00000009.png", "media/values/00000009.json"],
    ),
    "catboost": Training(
        "catboost CatBoost._set_trained_model_attributes",
        {"iterations": "10", "depth": "2", "l2_leaf_reg": "3"},
        {"learn-Logloss": range(1, 11), "validation-Logloss": range(1, 11)},
        ["model.cbm"],
        at=1,
    ),
    "stable_baselines3": Training(
        "stable_baselines3 PPO.train",
        {"algorithm": "PPO", "n_steps": "128", "gamma": "0.99"},
        {"rollout/ep_rew_mean": [128, 256, 384, 512], "train/loss": [256, 384, 512]},
        ["model.zip"],
    ),
    "accelerate": Training(
        "torch.optim SGD.step",
        {"lr": "0.05", "epochs": "3"},
        {"loss": range(12)},
        program=True,
    ),
    "hydra": Training(
        "deardiary.tracking.iteration ActiveIteration.log",
        {"overrides": "['lr=0.1,0.01']"},
        children=["SUCCEEDED"] * 2,
        failed_children=["FAILED"] * 2,
    ),
    "ray": Training(
        "ray.tune.execution.tune_controller TuneController.step",
        children=["FAILED", "SUCCEEDED", "SUCCEEDED"],
    ),
    "fastai": Training(
        "torch.nn Linear.forward",
        {"epochs": "3", "batch_size": "16", "model": "Linear", "lr": "0.05", "wd": "0.01"},
        {"train_loss": range(1, 13), "valid_loss": [4, 8, 12], "mse": [4, 8, 12]},
        ["model.pth"],
    ),
    "ultralytics": Training(
        "ultralytics.engine.trainer BaseTrainer.save_model",
        {"epochs": "2", "imgsz": "32"},
        {"train/loss": [0, 1], "metrics/accuracy_top1": [0, 1, 2]},
        ["weights/best.pt", "weights/last.pt"],
    ),
}


@pytest.mark.parametrize("framework", TRAININGS)
def test_an_example_is_logged_and_a_failure_ends_failed(diary: Diary, tmp_path: Path, framework: str) -> None:
    training = TRAININGS[framework]
    example = str(EXAMPLES / f"train_{framework}.py")
    given = (*training.breaks.split(), str(training.at), "exit" if training.program else "continue")
    with pytest.raises(PeerFailed, match="in the middle") if training.program else nullcontext():
        printed = diary.run_ours(FRAMEWORKS, PROGRAMS / "example.py", example, *given, folder=tmp_path)
        assert "caught it failed in the middle" in printed
    client = diary.client()
    succeeded, failed = iterations_of(client, framework)
    check_success(client, succeeded, training)
    assert failed.status_id == IterationStatus.FAILED
    assert "RuntimeError: it failed in the middle" in failed.error_message
    assert "Traceback" in failed.error_message
    assert statuses(client, failed) == list(training.failed_children)


def test_fastai_needs_no_accelerate(diary: Diary, tmp_path: Path) -> None:
    example = str(EXAMPLES / "train_fastai.py")
    assert "trained" in diary.run_ours(FRAMEWORKS, PROGRAMS / "fastai_alone.py", example, folder=tmp_path)


def iterations_of(client: deardiary.Client, experiment: str) -> list[deardiary.Iteration]:
    """The iterations without a parent, oldest first."""
    (project,) = client.projects.list(name="Examples")
    (found,) = client.experiments.list(project.id, name=experiment)
    iterations = [each for each in client.iterations.list(found.id) if each.parent_iteration_id is None]
    return sorted(iterations, key=lambda each: each.created_date)


def check_success(client: deardiary.Client, iteration: deardiary.Iteration, training: Training) -> None:
    assert iteration.status_id == IterationStatus.SUCCEEDED, iteration.error_message
    parameters = {each.key: each.value for each in client.parameters.list(iteration.id)}
    assert parameters.items() >= training.parameters.items(), parameters
    steps: dict[str, list[int]] = {}
    for each in client.metrics.list(iteration.id):
        steps.setdefault(each.key, []).append(each.step)
    assert {key: steps.get(key) for key in training.steps} == {key: list(of) for key, of in training.steps.items()}
    names = {each.name for each in client.resources.list(iteration.experiment_id, iteration_id=iteration.id)}
    assert all(fnmatch.filter(names, pattern) for pattern in training.resources), names
    assert {name for name in names if not any(fnmatch.fnmatch(name, each) for each in training.resources)} == set()
    assert statuses(client, iteration) == list(training.children)


def statuses(client: deardiary.Client, iteration: deardiary.Iteration) -> list[str]:
    return sorted(IterationStatus(each.status_id).name for each in client.iterations.children(iteration.id))
