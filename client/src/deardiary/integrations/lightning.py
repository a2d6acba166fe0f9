"""A logger for Lightning: ``Trainer(logger=DearDiaryLogger("Iris", "sweep"))``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deardiary.integrations._run import Run

# Lightning is published under two names, each with classes of its own.
if "lightning" in sys.modules or "pytorch_lightning" not in sys.modules:
    from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
    from lightning.pytorch.utilities.rank_zero import rank_zero_only
else:
    from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment
    from pytorch_lightning.utilities.rank_zero import rank_zero_only

from collections.abc import Iterator, Mapping

from deardiary.tracking.iteration import ActiveIteration

if TYPE_CHECKING:
    from argparse import Namespace


class DearDiaryLogger(Logger):
    """Log hyperparameters, metrics at Lightning's global step and, with ``log_checkpoints``, the checkpoints.

    A fit that fails ends its iteration FAILED with the traceback. A test after a fit resumes the iteration of the fit.
    """

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        log_checkpoints: bool = False,
        prefix: str = "",
        **options: Any,
    ) -> None:
        """``log_checkpoints`` stores the checkpoints that exist at the end of a fit.

        ``prefix`` begins each metric's key. ``options`` are those of `deardiary.start`.
        """
        super().__init__()
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_checkpoints = log_checkpoints
        self._prefix = prefix
        self._checkpoints: dict[int, Any] = {}
        self._stored: dict[str, float] = {}

    @property
    @rank_zero_experiment
    def experiment(self) -> ActiveIteration:
        """The iteration."""
        return self._run.active

    @property
    def name(self) -> str:
        return "deardiary"

    @property
    def version(self) -> str:
        """The iteration's id; it names the folder of the checkpoints."""
        return str(self.experiment.id) if rank_zero_only.rank == 0 else ""

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_args: Any, **_kwargs: Any) -> None:
        self._run.parameters(params if isinstance(params, dict) else vars(params))

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._run.log({f"{self._prefix}{key}": value for key, value in metrics.items()}, step)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        self._checkpoints[id(checkpoint_callback)] = checkpoint_callback

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Store checkpoints and end the iteration; Lightning calls this while it handles a failure's exception."""
        if not self._run.is_running:
            return
        if self._log_checkpoints:
            self._store_checkpoints()
        self._run.finish(sys.exc_info()[1] if status != "success" else None)

    def _store_checkpoints(self) -> None:
        for path in {*self._paths()}:
            changed = path.stat().st_mtime
            if self._stored.get(str(path)) != changed:
                self._run.save(path, f"checkpoints/{path.name}", wait=True)
                self._stored[str(path)] = changed

    def _paths(self) -> Iterator[Path]:
        for each in self._checkpoints.values():
            named = (each.best_model_path, each.last_model_path, *each.best_k_models)
            yield from (Path(name) for name in named if name and Path(name).exists())
