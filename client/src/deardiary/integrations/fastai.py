"""A callback for fastai: ``Learner(…, cbs=DearDiaryCallback("Iris", "sweep"))``."""

from __future__ import annotations

from fastai.callback.core import Callback as FastaiCallback
from fastai.learner import Learner, Recorder
from fastai.torch_core import rank_distrib

from deardiary.integrations._run import Callback, ends_with

ends_with(Learner, "fit")


class DearDiaryCallback(Callback, FastaiCallback):
    """Log the settings, the smoothed loss and the learning rate of each batch, and the metrics of each epoch.

    The step counts training batches. All fits with one callback are one iteration, such as the two of ``fine_tune``.
    ``log_model`` stores the model's weights as model.pth.
    """

    order = Recorder.order + 1

    _before = 0  # batches of earlier fits
    _logs = False

    def before_fit(self) -> None:
        learn = self.learn
        # The learning-rate finder and predictions fit nothing.
        self._logs = not hasattr(learn, "lr_finder") and not hasattr(self, "gather_preds") and rank_distrib() == 0
        if self._logs and not self._before:
            self._run.parameters(
                {
                    "epochs": learn.n_epoch,
                    "batch_size": learn.dls.bs,
                    "model": type(learn.model).__name__,
                    "loss": getattr(learn.loss_func, "__name__", type(learn.loss_func).__name__),
                    "wd": learn.opt.hypers[-1].get("wd"),
                    "lr": learn.opt.hypers[-1]["lr"],
                }
            )

    def after_batch(self) -> None:
        learn = self.learn
        if self._logs and learn.training:
            values = {"train_loss": learn.smooth_loss, **learn.opt.hypers[-1]}
            self._run.log(values, step=self._before + learn.train_iter)

    def after_epoch(self) -> None:
        if self._logs:
            recorder = self.learn.recorder
            names = recorder.metric_names[1:]  # after the epoch's number
            values = dict(zip(names, recorder.log[1:], strict=False))
            values.pop("train_loss", None)  # the smoothed loss again
            self._run.log({"epoch": self.learn.epoch, **values}, step=self._before + self.learn.train_iter)

    def after_fit(self) -> None:
        if not self._logs:
            return
        self._before += self.learn.train_iter
        if self._log_model:
            # fastai adds the suffix.
            self._run.save_written("model.pth", lambda path: self.learn.save(path.with_suffix(""), with_opt=False))
        self._run.finish()
