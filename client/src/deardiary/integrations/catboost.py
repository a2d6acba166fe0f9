"""A callback for CatBoost: ``model.fit(…, callbacks=[DearDiaryCallback("Iris", "sweep")])``, on the CPU."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import catboost

from deardiary.integrations._run import Run, ends_with

if TYPE_CHECKING:
    from deardiary.tracking.iteration import ActiveIteration


class DearDiaryCallback:
    """Log all parameters, and the metrics of each data set at each iteration of CatBoost, which counts from 1."""

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        log_model: bool = False,
        **options: Any,
    ) -> None:
        """``log_model`` stores the trained model as model.cbm. ``options`` are those of `deardiary.start`."""
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_model = log_model

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
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "model.cbm")
                model.save_model(str(path))
                self._run.save(path, path.name, wait=True)


def _begin(arguments: dict[str, Any]) -> None:
    for each in arguments.get("callbacks") or ():
        if isinstance(each, DearDiaryCallback):
            each.begin(arguments["self"])


# All classes fit by this method.
ends_with(catboost.CatBoost, "_fit", _begin)
