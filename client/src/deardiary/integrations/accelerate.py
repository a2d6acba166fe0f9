"""A tracker for Accelerate: ``Accelerator(log_with=DearDiaryTracker("Iris", "sweep"))``.

``Accelerator(log_with="deardiary")`` uses it after ``import deardiary.integrations.accelerate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accelerate import tracking
from accelerate.tracking import GeneralTracker, on_main_process

from deardiary.integrations._run import Run
from deardiary.tracking.iteration import ActiveIteration


class DearDiaryTracker(GeneralTracker):
    """Log the configuration of ``init_trackers`` and the values of ``accelerator.log``, of the main process.

    ``accelerator.end_training()`` ends the iteration. An exception that ends the program ends it FAILED.
    """

    name = "deardiary"
    requires_logging_directory = False

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        **options: Any,
    ) -> None:
        """``options`` are those of `deardiary.start`."""
        super().__init__()
        self._run = Run(project, experiment, iteration=iteration, **options)

    @property
    def tracker(self) -> ActiveIteration:
        """The iteration."""
        return self._run.active

    @on_main_process
    def start(self) -> None:
        self._run.begin()

    @on_main_process
    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        self._run.parameters(values)

    @on_main_process
    def log(self, values: Mapping[str, Any], step: int | None = None, **kwargs: Any) -> None:
        self._run.log(values, step)

    @on_main_process
    def finish(self) -> None:
        self._run.finish()


# Releases before 1.13 take only instances.
if hasattr(tracking, "register_tracker_class"):
    tracking.register_tracker_class(DearDiaryTracker)
