"""Callbacks of Keras, by wandb's names."""

from __future__ import annotations

from typing import Any

from keras.callbacks import Callback, ModelCheckpoint

from deardiary.wandb import state


class WandbMetricsLogger(Callback):  # type: ignore[misc]
    """Log the metrics of each epoch as ``epoch/…``, and of every ``log_freq``-th batch as ``batch/…`` if given."""

    def __init__(self, log_freq: str | int = "epoch", initial_global_step: int = 0, **_left_out: Any) -> None:
        super().__init__()
        self._run = state.current("WandbMetricsLogger()")
        self._every = {"epoch": 0, "batch": 1}.get(log_freq, log_freq) if isinstance(log_freq, str) else log_freq
        self._step = initial_global_step
        if self._every:
            self._run.define_metric("batch/*", step_metric="batch/batch_step")
        self._run.define_metric("epoch/*", step_metric="epoch/epoch")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        found = {f"epoch/{key}": value for key, value in (logs or {}).items()}
        with_rate = {} if rate is None or callable(rate) else {"epoch/learning_rate": float(rate)}
        self._run.log({"epoch/epoch": epoch, **found, **with_rate})

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._every and self._step % int(self._every) == 0:
            found = {f"batch/{key}": value for key, value in (logs or {}).items()}
            self._run.log({"batch/batch_step": self._step, **found})
        self._step += 1


class WandbModelCheckpoint(ModelCheckpoint):  # type: ignore[misc]
    """Keras' checkpoint, whose files are stored when the run ends, and as they are saved."""

    def __init__(self, filepath: str, *args: Any, **options: Any) -> None:
        super().__init__(filepath, *args, **options)
        self._run = state.current("WandbModelCheckpoint()")
        self._pattern = str(filepath)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        self._run.save(_glob_of(self._pattern))


class WandbCallback(Callback):  # type: ignore[misc]
    """Log the metrics of each epoch by their names, and the best model as ``model-best.keras`` when it gets better."""

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        save_model: bool = True,
        **_left_out: Any,
    ) -> None:
        super().__init__()
        self._run = state.current("WandbCallback()")
        self._monitor, self._saves = monitor, save_model
        is_gain = mode == "max" or (mode == "auto" and ("acc" in monitor or monitor.startswith("fmeasure")))
        self._sign = -1.0 if is_gain else 1.0
        self._best: float | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        found = dict(logs or {})
        self._run.log({"epoch": epoch, **found}, step=epoch)
        value = found.get(self._monitor)
        if value is None or (self._best is not None and self._sign * value >= self._best):
            return
        self._best = self._sign * float(value)
        self._run.summary.update({f"best_{self._monitor}": float(value), "best_epoch": epoch})
        if self._saves:
            self.model.save(f"{self._run.dir}/model-best.keras")


def _glob_of(pattern: str) -> str:
    """A pattern for the files of a name like ``model-{epoch:02d}.keras``."""
    parts = pattern.split("{")
    return parts[0] + "".join("*" + part.partition("}")[2] for part in parts[1:])
