"""The start of a run, from arguments and wandb's environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from deardiary import settings
from deardiary.tracking.iteration import ActiveIteration, silent_iteration
from deardiary.tracking.start import start
from deardiary.values import as_texts
from deardiary.wandb import state
from deardiary.wandb.active import Run
from deardiary.wandb.configuration import named

PROJECT, EXPERIMENT = "uncategorized", "runs"
_VARIABLES = {
    "project": "WANDB_PROJECT",
    "entity": "WANDB_ENTITY",
    "name": "WANDB_NAME",
    "notes": "WANDB_NOTES",
    "group": "WANDB_RUN_GROUP",
    "job_type": "WANDB_JOB_TYPE",
    "id": "WANDB_RUN_ID",
    "mode": "WANDB_MODE",
}


class Settings:
    """What wandb's settings may hold; `init` uses those that it has as arguments too."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def login(**_left_out: Any) -> bool:
    """Do nothing: the client signs in as docs/install.md says, with the first request."""
    return True


def setup(*_: Any, **_left_out: Any) -> None:
    """Do nothing."""


def init(
    *,
    project: str | None = None,
    entity: str | None = None,
    config: Any = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] | None = None,
    group: str | None = None,
    job_type: str | None = None,
    id: str | None = None,
    mode: str | None = None,
    resume: bool | str | None = None,
    reinit: bool | str | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    **_left_out: Any,
) -> Run:
    """Start an iteration as the current run, which `finish`, the end of a ``with`` block or of the process ends.

    ``project`` is the project, by default that of the settings, or "uncategorized". The experiment is that of the
    settings (``DEARDIARY_EXPERIMENT``), or "runs". ``group``, ``job_type`` and ``entity`` become labels. An ``id``
    names the run, and resumes it. With ``mode="disabled"`` nothing is recorded. A second call returns the current run,
    or with ``reinit`` ends it.
    """
    current: Run | None = state.run
    if current is not None and not current.iteration.is_over:
        if not reinit:
            return current
        current.finish()
    given = {"project": project, "entity": entity, "name": name, "notes": notes, "group": group}
    if config is not None:
        as_texts(named(config))  # refuse it before a run begins
    chosen = _chosen(given | {"job_type": job_type, "id": id, "mode": mode}, settings)
    words = tags if tags is not None else [each for each in os.environ.get("WANDB_TAGS", "").split(",") if each]
    run = _begun(chosen, tuple(words))
    state.set_run(run)
    if config is not None:
        run.config.update(config, allow_val_change=bool(resume))
    return run


def _chosen(given: Mapping[str, str | None], more: Any) -> dict[str, str]:
    known = more if isinstance(more, dict) else vars(more) if more is not None else {}
    found = {
        key: value or known.get(key) or known.get(f"run_{key}") or os.environ.get(_VARIABLES[key]) or ""
        for key, value in given.items()
    }
    return {key: str(value) for key, value in found.items()}


def _begun(chosen: Mapping[str, str], tags: tuple[str, ...]) -> Run:
    names: dict[str, Any] = {key: chosen[key] for key in ("entity", "group", "job_type", "notes")}
    if chosen["mode"] == "disabled":
        return Run(silent_iteration(), **names, project=chosen["project"], tags=tags)
    project = chosen["project"] or settings.default_project() or PROJECT
    labels = {key: names[key] for key in ("entity", "group", "job_type") if names[key]}
    iteration = start(
        project,
        settings.default_experiment() or EXPERIMENT,
        name=chosen["name"],
        notes=names["notes"],
        tags=tags,
        labels=labels,
        resume=chosen["id"] or None,
    )
    step = _next_step(iteration) if chosen["id"] else 0
    return Run(iteration, step=step, resumed=step > 0, **names, project=project, tags=tags)


def _next_step(iteration: ActiveIteration) -> int:
    """One after the last step that the server has; 0 if it cannot be asked."""
    if iteration.is_offline or not iteration.experiment_id:
        return 0
    summaries = iteration.client.metrics.summary(iteration.id)
    return max((each.last_step for each in summaries.values()), default=-1) + 1
