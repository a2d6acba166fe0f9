"""The callback of LightGBM, by wandb's names."""

from __future__ import annotations

from typing import Any

from deardiary.wandb import state


def wandb_callback(log_params: bool = True, **_left_out: Any) -> Any:
    """Record the parameters, and log the metrics of each round."""
    run = state.current("wandb_callback()")

    def call(environment: Any) -> None:
        if log_params and environment.iteration == environment.begin_iteration:
            run.config.setdefaults(environment.params)
        run.log({f"{name}_{metric}": value for name, metric, value, *_ in environment.evaluation_result_list or ()})

    return call


def log_summary(model: Any, feature_importance: bool = True, save_model_checkpoint: bool = False) -> None:
    """Record the best round and scores, the importance of the features and, if asked, the model."""
    run = state.current("log_summary()")
    best = {f"best_{name}_{metric}": score for name, of in model.best_score.items() for metric, score in of.items()}
    run.summary.update({"best_iteration": model.best_iteration, **best})
    if feature_importance:
        names, scores = model.feature_name(), model.feature_importance()
        rows = [{"feature": name, "importance": int(score)} for name, score in zip(names, scores, strict=True)]
        run.iteration.log_table("feature_importance", rows)
    if save_model_checkpoint:
        model.save_model(f"{run.dir}/model.txt")
