"""Callbacks for Ultralytics: ``add_callbacks(model, "Birds", "yolo")`` before ``model.train(…)``."""

from __future__ import annotations

from typing import Any

from ultralytics.engine.trainer import BaseTrainer
from ultralytics.utils import RANK

from deardiary.integrations._run import Run, ends_with
from deardiary.tracking.iteration import ActiveIteration

ends_with(BaseTrainer, "train")


def add_callbacks(
    model: Any,
    project: str | None = None,
    experiment: str | None = None,
    *,
    iteration: ActiveIteration | None = None,
    log_checkpoints: bool = False,
    **options: Any,
) -> None:
    """Log the model's trainings: arguments, and the losses, learning rates and metrics at each epoch.

    ``log_checkpoints`` stores best.pt and last.pt at the end. ``options`` are those of `deardiary.start`. Ultralytics
    itself passes no callbacks to the processes of a training on several GPUs.
    """
    run = Run(project, experiment, iteration=iteration, **options)

    def begin(trainer: Any) -> None:
        run.begin()
        run.parameters(vars(trainer.args))

    def log_training(trainer: Any) -> None:
        run.log({**trainer.lr, **trainer.label_loss_items(trainer.tloss, prefix="train")}, step=trainer.epoch)

    def log_metrics(trainer: Any) -> None:
        run.log(trainer.metrics, step=trainer.epoch)

    def end(trainer: Any) -> None:
        for path in (trainer.best, trainer.last) if log_checkpoints else ():
            run.save(path, f"weights/{path.name}", wait=True)
        run.finish()

    if RANK in {-1, 0}:
        model.add_callback("on_pretrain_routine_end", begin)
        model.add_callback("on_train_epoch_end", log_training)
        model.add_callback("on_fit_epoch_end", log_metrics)
        model.add_callback("on_train_end", end)
