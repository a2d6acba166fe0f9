"""A callback for Stable-Baselines3: ``model.learn(10_000, callback=DearDiaryCallback("CartPole", "ppo"))``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import KVWriter
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from deardiary.integrations._run import Run, ends_with
from deardiary.tracking.iteration import ActiveIteration

for _algorithm in (OnPolicyAlgorithm, OffPolicyAlgorithm):
    ends_with(_algorithm, "learn")


class DearDiaryCallback(BaseCallback):
    """Log the algorithm's settings, and all that the model's logger records, at the number of timesteps."""

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        log_model: bool = False,
        verbose: int = 0,
        **options: Any,
    ) -> None:
        """``log_model`` stores the trained model as model.zip. ``options`` are those of `deardiary.start`."""
        super().__init__(verbose)
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_model = log_model
        self._writer = _Writer(self._run)

    def _on_training_start(self) -> None:
        self._run.begin()
        self._run.parameters({"algorithm": type(self.model).__name__, "policy": type(self.model.policy).__name__})
        self._run.parameters(_settings(self.model))
        # A training that failed leaves its writer in a logger of the user.
        if self._writer not in self.logger.output_formats:
            self.logger.output_formats.append(self._writer)

    def _on_step(self) -> bool:
        return True

    def _on_training_end(self) -> None:
        self.logger.output_formats.remove(self._writer)
        if self._log_model:
            self._run.save_written("model.zip", self.model.save)
        self._run.finish()


class _Writer(KVWriter):
    def __init__(self, run: Run) -> None:
        self._run = run

    def write(self, key_values: Mapping[str, Any], key_excluded: Mapping[str, tuple[str, ...]], step: int = 0) -> None:
        # The values for people to read, such as the number of timesteps, are excluded from TensorBoard.
        shown = {key: value for key, value in key_values.items() if "tensorboard" not in (key_excluded.get(key) or ())}
        self._run.log(shown, step)

    def close(self) -> None: ...


def _settings(model: Any) -> dict[str, Any]:
    names = inspect.signature(type(model)).parameters
    return {key: value for key, value in vars(model).items() if key in names and isinstance(value, int | float | str)}
