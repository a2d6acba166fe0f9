"""Starting the iteration of a training job."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from deardiary import settings
from deardiary.errors import ClientError
from deardiary.sagemaker.failure import explain, explaining
from deardiary.sagemaker.job import Job, find_job
from deardiary.spool.run import Origin
from deardiary.tracking import start as lifecycle
from deardiary.tracking.iteration import silent_iteration
from deardiary.wire.shapes import IterationStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deardiary.client import Client
    from deardiary.tracking.iteration import ActiveIteration


def start(
    project: str | None = None,
    experiment: str | None = None,
    *,
    parameters: Mapping[str, object] | None = None,
    tags: Iterable[str] | None = None,
    notes: str = "",
    other_ranks: Literal["silent", "children"] = "silent",
    client: Client | None = None,
    strict: bool = False,
) -> ActiveIteration:
    """`deardiary.start` for a script that runs as a SageMaker training job, or anywhere else: there it is the same.

    In a job its name, ARN, hosts, input channels and hyperparameters are parameters, and its name is a tag. Of a
    hyperparameter and one of ``parameters`` with the same name the latter is kept under it, and the former, if it says
    otherwise, as ``sagemaker_hyperparameter_NAME``. A job that is started again, after a spot interruption, goes on in
    its iteration. The jobs of a tuning job are children of one iteration that stands for it. In a job of several
    processes that of rank 0 logs; in the others this gives an iteration that takes everything and keeps nothing, or
    with ``other_ranks="children"`` a child for each of them. When this call or the iteration fails, SageMaker is told
    why, unless the script has done so itself. Only ``strict`` ends the training for credentials and settings of the
    tracker; without it they cost a warning, and what is logged waits for `sync`.
    """
    job = find_job()
    options: dict[str, Any] = {"notes": notes, "client": client, "strict": strict}
    if job is None:
        return lifecycle.start(project, experiment, parameters=parameters, tags=tags, **options)
    with explaining(job.failure_file):
        iteration = _start(job, project, experiment, parameters or {}, tags or (), other_ranks, options)
    iteration.finish_hooks.add(partial(explain, job.failure_file))
    return iteration


def _start(
    job: Job,
    project: str | None,
    experiment: str | None,
    parameters: Mapping[str, object],
    tags: Iterable[str],
    other_ranks: str,
    options: Mapping[str, Any],
) -> ActiveIteration:
    if job.rank and other_ranks == "silent":
        return silent_iteration()
    notes = options["notes"]
    origin = _origin(job, project or settings.default_project(), experiment or settings.default_experiment(), notes)
    is_first = not job.rank
    iteration = lifecycle.start(
        origin.project,
        origin.experiment,
        parameters=_parameters(job, parameters) if is_first else {**_of_rank(job), **parameters},
        tags=[*job.tags(), *tags],
        parent=origin.parent if is_first else origin,
        id_key=origin.id_key if is_first else f"{origin.id_key}/rank-{job.rank}",
        **options,
    )
    if job.tuning_job is not None and is_first:
        iteration.finish_hooks.add(partial(_end_tuning_job, iteration))
    return iteration


def _origin(job: Job, project: str | None, experiment: str | None, notes: str) -> Origin:
    """Where the job's own iteration is found, by whichever process asks first."""
    above = None
    if job.tuning_job is not None:
        above = Origin(project=project, experiment=experiment, id_key=job.tuning_job)
    return Origin(project=project, experiment=experiment, id_key=job.name, notes=notes, parent=above)


def _parameters(job: Job, given: Mapping[str, object]) -> dict[str, object]:
    """The script knows what it trains with; what the job was told is not lost for that."""
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
    """The iteration of a tuning job has no process of its own that could end it: the first of its jobs does."""
    with contextlib.suppress(ClientError, RuntimeError):  # offline it is left to the server
        parent_id = iteration.client.iterations.get(iteration.id).parent_iteration_id
        if parent_id is not None:
            iteration.client.iterations.update(parent_id, status_id=IterationStatus.SUCCEEDED)
