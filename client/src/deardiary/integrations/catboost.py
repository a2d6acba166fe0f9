"""A callback for CatBoost: ``model.fit(…, callbacks=[DearDiaryCallback("Iris", "sweep")])``, on the CPU."""

from __future__ import annotations

import functools
from typing import Any

import catboost

from deardiary.integrations._run import Callback, ends_with


class DearDiaryCallback(Callback):
    """Log all parameters, and the metrics of each data set at each iteration of CatBoost, which counts from 1.

    ``log_model`` stores the model as model.cbm.
    """

    def begin(self, model: catboost.CatBoost) -> None:
        self._run.begin()
        self._run.parameters({key: value for key, value in model.get_params().items() if key != "callbacks"})
        self._run.at_end = functools.partial(self._log_model_of, model)

    def after_iteration(self, info: Any) -> bool:
        values = {
            f"{data}-{metric}": history[-1]
            for data, metrics in (info.metrics or {}).items()
            for metric, history in metrics.items()
            if history
        }
        self._run.log(values, step=info.iteration)
        return True  # continue

    def _log_model_of(self, model: catboost.CatBoost) -> None:
        given = model.get_params()
        self._run.parameters({key: value for key, value in model.get_all_params().items() if key not in given})
        best = {"best_iteration": model.get_best_iteration(), "tree_count": model.tree_count_}
        self._run.parameters({key: value for key, value in best.items() if value is not None})
        if self._log_model:
            self._run.save_written("model.cbm", lambda path: model.save_model(str(path)))


def _begin(arguments: dict[str, Any]) -> None:
    for each in arguments.get("callbacks") or ():
        if isinstance(each, DearDiaryCallback):
            each.begin(arguments["self"])


# All classes fit by this method.
ends_with(catboost.CatBoost, "_fit", _begin)
