"""A callback for Ray Tune: an experiment is an iteration, its trials are children.

``tune.RunConfig(callbacks=[DearDiaryLoggerCallback("Iris", "sweep")])``
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.logger import LoggerCallback

from deardiary.integrations._run import Run, ends_with
from deardiary.nested import flat
from deardiary.tracking.iteration import ActiveIteration
from deardiary.wire.shapes import IterationStatus

# Each result repeats these about the trial and its machine.
_ABOUT = {"config", "pid", "timestamp", "done", "should_checkpoint"}

ends_with(tune.Tuner, "fit")


class DearDiaryLoggerCallback(LoggerCallback):
    """Log each trial's configuration and results, at its training iteration; its errors end it FAILED.

    The experiment's iteration ends FAILED if every trial did.
    """

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        log_checkpoints: bool = False,
        **options: Any,
    ) -> None:
        """``log_checkpoints`` stores each trial's latest checkpoint at its end. ``options`` go to `deardiary.start`."""
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_checkpoints = log_checkpoints
        self._children: dict[str, Run] = {}

    def setup(self, **info: Any) -> None:
        self._run.begin()

    def log_trial_start(self, trial: Trial) -> None:
        if trial.trial_id not in self._children:
            child = Run(parent=self._run.active, name=str(trial), labels={"trial": trial.trial_id})
            child.begin()
            child.parameters(trial.config)
            self._children[trial.trial_id] = child

    def log_trial_result(self, iteration: int, trial: Trial, result: dict[str, Any]) -> None:
        self.log_trial_start(trial)
        values = flat({key: value for key, value in result.items() if key not in _ABOUT})
        self._children[trial.trial_id].log(values, step=result.get("training_iteration"))

    def log_trial_end(self, trial: Trial, failed: bool = False) -> None:
        self.log_trial_start(trial)
        child = self._children[trial.trial_id]
        checkpoint = trial.checkpoint
        if self._log_checkpoints and checkpoint is not None:
            with checkpoint.as_directory() as folder:
                child.save(folder, "checkpoint", wait=True)
        if failed:
            child.active.finish(IterationStatus.FAILED, _error_of(trial))
        child.finish()

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        error = sys.exc_info()[1]  # Tune calls this also while it handles an exception of its own
        if error is None and trials and all(each.status == Trial.ERROR for each in trials):
            error = RuntimeError("All trials failed: see the children")
        self._run.finish(error)


def _error_of(trial: Trial) -> str:
    if trial.error_file and Path(trial.error_file).exists():
        return Path(trial.error_file).read_text("utf-8", "replace")
    return "The trial failed"
