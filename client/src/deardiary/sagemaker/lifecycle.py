"""Start the iteration of a training job."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal

from deardiary import settings
from deardiary.client import Client
from deardiary.errors import ClientError
from deardiary.sagemaker.failure import explain, explaining
from deardiary.sagemaker.job import Job, find_job
from deardiary.spool.run import RunRef
from deardiary.tracking import capture as captures
from deardiary.tracking import ranks as ranking
from deardiary.tracking import start as lifecycle
from deardiary.tracking.iteration import ActiveIteration
from deardiary.tracking.ranks import Place, Ranks
from deardiary.wire.shapes import IterationStatus


def start(
    project: str | None = None,
    experiment: str | None = None,
    *,
    parameters: Mapping[str, object] | None = None,
    tags: Iterable[str] | None = None,
    labels: Mapping[str, object] | None = None,
    name: str = "",
    notes: str = "",
    ranks: Ranks | None = None,
    other_ranks: Literal["silent", "children"] | None = None,
    capture: Iterable[str] | None = None,
    client: Client | None = None,
    strict: bool = False,
) -> ActiveIteration:
    """Start an iteration as `deardiary.start` does, with additions in a SageMaker training job.

    In a job, its name, ARN, hosts, input channels and hyperparameters become parameters, and its name a tag. If a
    hyperparameter and one of ``parameters`` share a name but not the value, the hyperparameter is recorded as
    ``sagemaker_hyperparameter_NAME``. A job that restarts after a spot interruption resumes its iteration. The jobs of
    a tuning job are children of one iteration. In a job of several processes ``ranks`` says which ones log, as for
    `deardiary.start`; ``other_ranks`` is its earlier name, with "silent" for "first". If this
    call or the iteration fails, the reason is written for SageMaker, unless the script has written one. Wrong
    credentials or settings of the tracker end the training only with ``strict``; otherwise they cause a warning, and
    the records wait for `sync`.
    """
    job = find_job()
    options: dict[str, Any] = {"name": name, "notes": notes, "labels": labels}
    options |= {"client": client, "strict": strict, "capture": capture}
    if ranks is None and other_ranks is not None:
        ranks = "children" if other_ranks == "children" else "first"
    if job is None:
        return lifecycle.start(project, experiment, parameters=parameters, tags=tags, ranks=ranks, **options)
    with explaining(job.failure_file):
        iteration = _start(job, project, experiment, parameters or {}, tags or (), {**options, "ranks": ranks})
        if strict:
            iteration.ref_when_created()  # a job must fail in its first seconds
    iteration.finish_hooks.add(partial(explain, job.failure_file))
    return iteration


def _start(
    job: Job,
    project: str | None,
    experiment: str | None,
    parameters: Mapping[str, object],
    tags: Iterable[str],
    options: Mapping[str, Any],
) -> ActiveIteration:
    is_first = not job.rank
    project, experiment = project or settings.default_project(), experiment or settings.default_experiment()
    above = None
    if job.tuning_job is not None:
        above = RunRef(project=project, experiment=experiment, id_key=job.tuning_job)
    if is_first and options["capture"] is None and above is not None:
        # The iteration of the tuning job has no process of its own, and so no output.
        options = {**options, "capture": captures.parts_of(None, has_parent=False)}
    size = max(len(job.hosts), job.rank + 1)
    with ranking.at(Place(launcher="SageMaker", rank=job.rank, size=size, key=job.name)):
        iteration = lifecycle.start(
            project,
            experiment,
            parameters=_parameters(job, parameters) if is_first else {**_of_rank(job), **parameters},
            tags=[*job.tags(), *tags],
            parent=above,
            id_key=job.name,
            **options,
        )
    if job.tuning_job is not None and is_first:
        iteration.finish_hooks.add(partial(_end_tuning_job, iteration))
    return iteration


def _parameters(job: Job, given: Mapping[str, object]) -> dict[str, object]:
    """The script's parameters take precedence; a differing hyperparameter of the job gets a name of its own."""
    other = {
        f"sagemaker_hyperparameter_{name}": value
        for name, value in job.hyperparameters.items()
        if name in given and not _says_the_same(value, given[name])
    }
    return {**job.parameters(), **other, **given}


def _says_the_same(hyperparameter: str, value: object) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            return float(hyperparameter) == value
    return hyperparameter == str(value)


def _of_rank(job: Job) -> dict[str, object]:
    return {"sagemaker_job_name": job.name, "sagemaker_rank": job.rank, "sagemaker_host": job.current_host}


def _end_tuning_job(iteration: ActiveIteration, status: IterationStatus, error_message: str) -> None:  # noqa: ARG001
    """End the iteration of the tuning job, which has no process of its own: the first job to end does this."""
    with contextlib.suppress(ClientError, RuntimeError):  # offline, the server's liveness sweep ends it
        parent_id = iteration.client.iterations.get(iteration.id).parent_iteration_id
        if parent_id is not None:
            iteration.client.iterations.update(parent_id, status_id=IterationStatus.SUCCEEDED)
