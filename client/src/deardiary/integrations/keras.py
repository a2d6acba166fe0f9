"""A callback for Keras, with any backend: ``model.fit(…, callbacks=[DearDiaryCallback("Iris", "sweep")])``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from deardiary.integrations._run import Run, ends_with

if TYPE_CHECKING:
    from deardiary.tracking.iteration import ActiveIteration

ends_with(keras.Model, "fit")


class DearDiaryCallback(keras.callbacks.Callback):
    """Log the optimizer's settings, and the metrics and the learning rate at each epoch."""

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        log_model: bool = False,
        **options: Any,
    ) -> None:
        """``log_model`` stores the trained model as model.keras. ``options`` are those of `deardiary.start`."""
        super().__init__()
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_model = log_model

    def on_train_begin(self, logs: Any = None) -> None:
        self._run.begin()
        model = self.model
        self._run.parameters(self.params or {})
        self._run.parameters({"loss": _named(model.loss), "weights": model.count_params()})
        self._run.parameters({"optimizer": type(model.optimizer).__name__})
        self._run.parameters(_settings(model.optimizer), "optimizer.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self._run.log({"learning_rate": rate, **(logs or {})}, step=epoch)

    def on_train_end(self, logs: Any = None) -> None:
        if self._log_model:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "model.keras")
                self.model.save(path)
                self._run.save(path, path.name, wait=True)
        self._run.finish()


def _settings(optimizer: Any) -> dict[str, object]:
    """Return the numbers and names of an optimizer's configuration; a schedule of the learning rate is nested."""
    config = keras.saving.serialize_keras_object(optimizer)["config"]
    return {key: value for key, value in config.items() if value is not None}


def _named(loss: Any) -> str:
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or loss)
