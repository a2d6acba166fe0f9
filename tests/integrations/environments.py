"""Environments with unmodified MLflow clients and with the frameworks that log here.

They are installed once, outside the repository, like the peers of the benchmarks. What pip cannot install is skipped.
"""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.kit.environments import Environment, Peer, PeerFailed, environment_of

# 3.18.0 replaces 3.17.2 alone, for not every index has all of its parts.
NEWEST = Peer("mlflow-newest", ("mlflow==3.17.2", "requests"), alone=("mlflow==3.18.0",))
OLDER_3 = Peer("mlflow-3.5", ("mlflow-skinny==3.5.1", "requests"))
OLDER_2 = Peer("mlflow-2.22", ("mlflow-skinny==2.22.5", "requests"))
CLIENTS = {"3.18": NEWEST, "3.5": OLDER_3, "2.22": OLDER_2}

# The frameworks that log here, by our own integrations and by MLflow. Without CUDA where there is a choice: these
# trainings take seconds on a CPU.
FRAMEWORKS = Peer(
    "frameworks",
    (
        *("mlflow==3.17.2", "scikit-learn", "xgboost-cpu", "lightgbm", "optuna", "torch", "keras", "lightning"),
        *("transformers", "accelerate", "trl", "sentence-transformers", "catboost", "hydra-core", "stable-baselines3"),
        *("ray[tune]", "tensorboard", "tensorboardX", "torchvision", "ultralytics", "fastai"),
    ),
    alone=("mlflow==3.18.0",),
)


# The trackers that `deardiary import` reads; they log the data of its tests.
ORIGINS = Peer(
    "origins", ("wandb==0.31.0", "trackio==0.43.0", "goodseed==0.4.0", "tensorboardX", "numpy", "pillow", "pyarrow")
)

# Apart from the others: it is as large as all of them.
AIM = Peer("aim", ("aim==3.29.1",))

# With Optuna's own tests of storages.
OPTUNA = Peer("optuna", ("optuna", "pytest"))


@cache
def _install(peer: Peer) -> Environment | PeerFailed:
    """The environment, or why it cannot be installed: pip tries once, not for each test."""
    try:
        return environment_of(peer)
    except PeerFailed as error:
        return error


def installed(peer: Peer) -> Environment:
    """The environment; skip the test if it cannot be installed here."""
    environment = _install(peer)
    if isinstance(environment, PeerFailed):
        pytest.skip(f"No environment {peer.name}: {environment}")
    return environment
