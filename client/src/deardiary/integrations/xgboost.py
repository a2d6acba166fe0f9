"""A callback for XGBoost: ``xgboost.train(…, callbacks=[DearDiaryCallback("Iris", "sweep")])``."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import xgboost
from xgboost import collective

from deardiary.integrations._run import Callback, ends_with

# In the configuration, but not set by users; it has no trees yet.
_NOT_SET = {"name", "disable_default_eval_metric", "num_trees"}


class DearDiaryCallback(Callback, xgboost.callback.TrainingCallback):
    """Log the booster's parameters, the metrics of each data set at each round, and the model as model.json.

    It also serves the scikit-learn classes and `xgboost.cv`. Of a distributed training the first process logs.
    """

    rounds: int | None = None  # asked for

    def before_training(self, model: Any) -> Any:
        if collective.get_rank() == 0:
            self._run.begin()
            booster = model.cvfolds[0].bst if hasattr(model, "cvfolds") else model
            self._run.parameters(dict(_settings(json.loads(booster.save_config())["learner"])))
            self._run.parameters({"num_boost_round": self.rounds} if self.rounds else {})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if collective.get_rank() == 0:
            self._run.log(dict(_latest(evals_log)), step=epoch)
        return False

    def after_training(self, model: Any) -> Any:
        if collective.get_rank() == 0:
            if hasattr(model, "attributes"):
                best = {"best_iteration", "best_score"}
                self._run.parameters({key: text for key, text in model.attributes().items() if key in best})
            if self._log_model and hasattr(model, "save_model"):
                self._run.save_written("model.json", model.save_model)
            self._run.finish()
        return model


def _settings(config: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield the effective parameters by the names that users give them; the configuration nests them by component."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _settings(value)
        elif isinstance(value, str) and key not in _NOT_SET:
            yield key, value


def _latest(evals_log: Any) -> Iterator[tuple[str, float]]:
    for data, metrics in evals_log.items():
        for metric, history in metrics.items():
            # With xgboost.cv each entry is a pair of mean and standard deviation.
            value = history[-1]
            yield f"{data}-{metric}", value[0] if isinstance(value, tuple) else value


def _note_rounds(arguments: dict[str, Any]) -> None:
    for each in arguments.get("callbacks") or ():
        if isinstance(each, DearDiaryCallback):
            each.rounds = arguments.get("num_boost_round", 10)


for _owner, _name in itertools.product((xgboost, xgboost.training, xgboost.sklearn), ("train", "cv")):
    ends_with(_owner, _name, _note_rounds)
