"""A callback for Keras, with any backend: ``model.fit(…, callbacks=[DearDiaryCallback("Iris", "sweep")])``."""

from __future__ import annotations

import struct
from typing import Any

import keras

from deardiary.integrations._run import Callback, ends_with

ends_with(keras.Model, "fit")


class DearDiaryCallback(Callback, keras.callbacks.Callback):
    """Log the optimizer's settings, and the metrics and the learning rate at each epoch; the model as model.keras."""

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
            self._run.save_written("model.keras", self.model.save)
        self._run.finish()


def _settings(optimizer: Any) -> dict[str, object]:
    """Return the numbers and names of an optimizer's configuration; a schedule of the learning rate is nested."""
    config = keras.saving.serialize_keras_object(optimizer)["config"]
    return {key: _shortest(value) for key, value in config.items() if value is not None}


def _shortest(value: Any) -> Any:
    """Return a float that Keras has kept in 32 bits as it was given: 0.05, not 0.05000000074505806."""
    if not isinstance(value, float) or abs(value) > 1e38:
        return value
    short = float(f"{value:.7g}")
    return short if struct.unpack("f", struct.pack("f", short)) == (value,) else value


def _named(loss: Any) -> str:
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or loss)
