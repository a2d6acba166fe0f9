"""Fit a line with settings of Hydra: `python examples/integrations/train_hydra.py --multirun lr=0.1,0.01`."""

import sys
from dataclasses import dataclass, field
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore

from deardiary.integrations import active

CALLBACK = {
    "_target_": "deardiary.integrations.hydra.DearDiaryCallback",
    "project": "Examples",
    "experiment": "hydra",
    "log_config": True,
    "tags": ["demo"],
}


@dataclass
class Optimizer:
    name: str = "sgd"
    momentum: float = 0.9


@dataclass
class Config:
    lr: float = 0.1
    epochs: int = 3
    optimizer: Optimizer = field(default_factory=Optimizer)
    # A configuration of YAML files says the same in its primary file, below `hydra:`.
    hydra: Any = field(default_factory=lambda: {"callbacks": {"deardiary": CALLBACK}})


ConfigStore.instance().store("config", Config)


def train(config: Config) -> float:
    weight = 0.0
    for epoch in range(config.epochs):
        weight -= config.lr * 2 * (weight - 1.0)
        active().log({"loss": (weight - 1.0) ** 2}, step=epoch)
    return (weight - 1.0) ** 2


@hydra.main(version_base=None, config_name="config")
def main(config: Config) -> float:
    return train(config)


if __name__ == "__main__":
    sys.argv += sys.argv[1:] or ["--multirun", "lr=0.1,0.01"]
    main()
