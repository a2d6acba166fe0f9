"""A callback for the Trainer of Transformers, and so for those of TRL and Sentence-Transformers.

``TrainingArguments(report_to="deardiary")`` uses it after ``import deardiary.integrations.transformers``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback
from transformers.integrations import integration_utils

from deardiary.integrations._run import Run, ends_with
from deardiary.tracking.iteration import ActiveIteration

ends_with(Trainer, "train")


class DearDiaryCallback(TrainerCallback):
    """Log the arguments, the model's configuration and the Trainer's metrics at its global step.

    Only the first process logs. Evaluations after the training resume its iteration.
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
        """``log_checkpoints`` stores every checkpoint that the Trainer saves. ``options`` go to `deardiary.start`."""
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_checkpoints = log_checkpoints
        self._evaluates = False  # outside of a training

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        self._run.begin()
        self._evaluates = False
        self._run.parameters(args.to_dict())
        config = getattr(model, "config", None)
        if config is not None and hasattr(config, "to_dict"):
            self._run.parameters(config.to_dict(), "model.")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            self._evaluates = self._evaluates or not self._run.is_running
            self._run.log(logs or {}, state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        name = f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and self._log_checkpoints:
            self._run.save(Path(args.output_dir, name), name)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._run.finish()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._evaluates:
            self._run.finish()

    def on_predict(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.on_evaluate(args, state, control)


integration_utils.INTEGRATION_TO_CALLBACK["deardiary"] = DearDiaryCallback
