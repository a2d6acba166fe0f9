"""The callback of XGBoost, by wandb's names."""

from __future__ import annotations

from typing import Any

from xgboost.callback import TrainingCallback

from deardiary.wandb import state


class WandbCallback(TrainingCallback):  # type: ignore[misc]
    """Log the metrics of each round, and the importance of the features at the end."""

    def __init__(self, log_model: bool = False, log_feature_importance: bool = True, **_left_out: Any) -> None:
        self._run = state.current("WandbCallback()")
        self._log_model, self._log_importance = log_model, log_feature_importance

    def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, dict[str, Any]]) -> bool:
        latest = {f"{data}-{name}": values[-1] for data, found in evals_log.items() for name, values in found.items()}
        self._run.log({"epoch": epoch, **{key: _first(value) for key, value in latest.items()}})
        return False

    def after_training(self, model: Any) -> Any:
        if self._log_importance:
            scores = model.get_score(importance_type="gain")
            rows = [{"feature": name, "gain": score} for name, score in scores.items()]
            self._run.iteration.log_table("feature_importance", rows)
        if self._log_model:
            model.save_model(f"{self._run.dir}/model.ubj")
        return model


def wandb_callback(**options: Any) -> WandbCallback:
    return WandbCallback(**options)


def _first(value: Any) -> float:
    """Cross-validation gives pairs of mean and deviation."""
    return float(value[0] if isinstance(value, tuple) else value)
