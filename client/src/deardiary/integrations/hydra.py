"""A callback for Hydra: each job is an iteration, the jobs of a multirun are children of one.

In the configuration: ``hydra.callbacks.deardiary._target_: deardiary.integrations.hydra.DearDiaryCallback``, with
``project`` and ``experiment`` beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra._internal.hydra import Hydra
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from deardiary.integrations._run import Run, ends_with, set_current

# A multirun raises the exception of a failed job, and then calls no hook.
ends_with(Hydra, "multirun")


class DearDiaryCallback(Callback):
    """Log the configuration as parameters. Trainings inside the job join its iteration, and so does `active`.

    Children are for launchers in the same process; a job elsewhere is an iteration of its own.
    """

    def __init__(
        self, project: str | None = None, experiment: str | None = None, log_config: bool = False, **options: Any
    ) -> None:
        """``log_config`` stores the files of the job's ``.hydra`` folder. ``options`` go to `deardiary.start`."""
        self._arguments = (project, experiment)
        self._options = options
        self._log_config = log_config
        self._sweep: Run | None = None
        self._job: Run | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._sweep = Run(*self._arguments, **self._options)
        self._sweep.begin()
        self._sweep.parameters({"overrides": OmegaConf.to_container(config.hydra.overrides.task)})

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if self._sweep is not None:
            self._sweep.finish()

    def on_job_start(self, config: DictConfig, *, task_function: Any = None, **kwargs: Any) -> None:
        self._job = self._begin(",".join(config.hydra.overrides.task)[:255])
        values = {key: value for key, value in _plain(config).items() if key != "hydra"}
        self._job.parameters(values)
        set_current(self._job.active)
        if self._log_config and config.hydra.output_subdir:
            folder = Path(config.hydra.runtime.output_dir, config.hydra.output_subdir)
            self._job.save(folder, "hydra")

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        set_current(None)
        if self._job is not None:
            failed = job_return.status == JobStatus.FAILED
            self._job.finish(job_return._return_value if failed else None)  # noqa: SLF001 - the property raises it

    def _begin(self, name: str) -> Run:
        run = Run(*self._arguments, **self._options)
        if self._sweep is not None:
            run = Run(parent=self._sweep.active, name=name)
        run.begin()
        return run


def _plain(config: DictConfig) -> dict[Any, Any]:
    """Return the job's configuration with resolved references; one that cannot be resolved stays as it is written."""
    job = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    try:
        return dict(OmegaConf.to_container(job, resolve=True))
    except Exception:  # noqa: BLE001 - a resolver of the user may raise anything, and the job will show it
        return dict(OmegaConf.to_container(job))
