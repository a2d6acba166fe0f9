"""A state change of a SageMaker job: read the job, store its facts, and write them into its iteration.

The event only names the job. What SageMaker then says of it is the truth, so events can come late, twice or forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chalicelib import config
from chalicelib.aws import sagemaker
from chalicelib.errors import Conflict, InvalidPayload, NotFound, Overtaken, Unavailable
from chalicelib.retry import Retry
from chalicelib.services import access, experiment, iteration
from chalicelib.services.access import Need
from chalicelib.services.capture.facts import Described, Facts, facts_of_training_job, facts_of_tuning_job
from chalicelib.services.capture.join import facts_from, settle
from chalicelib.services.capture.machine import machine
from chalicelib.services.capture.project import project_of
from chalicelib.services.capture.record import record
from chalicelib.storage import captured
from deardiary.wire.shapes import Experiment, Iteration


def capture(detail: Mapping[str, Any]) -> str:
    """Bring the job's iteration up to date; return what was done, for the log. NotFound without the project."""
    configured = config.settings().capture_sagemaker
    if not configured:
        return "off"
    access.project(machine(configured), configured, Need.CREATE)
    job = _described(detail)
    if job is None:
        return "no such job"
    facts = _facts_of(job, detail)
    project_id = project_of(job.get("TrainingJobDefinition", job), facts.job, configured)
    try:
        return _write(project_id, _newest(project_id, facts))
    except InvalidPayload:
        # A repetition of the event does not change that. The facts stay, for a program that logs elsewhere.
        return "the experiment has ended"


def _described(detail: Mapping[str, Any]) -> Described | None:
    """The description of the job that the event names. None if it is gone, or being deleted."""
    if name := detail.get("HyperParameterTuningJobName"):
        job = sagemaker.describe_tuning_job(name)
        status = "HyperParameterTuningJobStatus"
    else:
        job = sagemaker.describe_training_job(detail["TrainingJobName"])
        status = "TrainingJobStatus"
    return None if job is None or job[status].startswith("Delet") else job


def _facts_of(job: Described, detail: Mapping[str, Any]) -> Facts:
    if "HyperParameterTuningJobName" in job:
        return facts_of_tuning_job(job)
    return facts_of_training_job(job, detail.get("Tags") or {})


def _newest(project_id: str, facts: Facts) -> Facts:
    """Store the facts; return them, or those of a later state: they can be those of a function that has died."""
    try:
        captured.keep_facts(project_id, facts.job, facts._asdict(), facts.version, facts.created_date)
    except Overtaken:
        known = captured.find_facts(project_id, facts.job)
        return facts if known is None else facts_from(known[0])
    return facts


def _write(project_id: str, facts: Facts) -> str:
    found = settle(project_id, facts.job)
    if found is None:
        known = captured.find_facts(project_id, facts.job)
        if known is not None and known[1]:
            return "deleted"
        try:
            _create(project_id, facts)
        except NotFound:
            return "deleted"
        found = settle(project_id, facts.job)
    if found is None:
        # Deleted just now, or its experiment is; or another process is about to settle this.
        return "deleted"
    captured.mark_created(project_id, facts.job)
    record(found, facts)
    return f"recorded {facts.labels['sagemaker_status']}"


def _create(project_id: str, facts: Facts) -> Iteration:
    """The iteration of a job whose program does not log, or not yet. NotFound if it was deleted."""
    owner = _experiment(project_id, facts.experiment)
    parent = None if facts.tuning_job is None else _parent(project_id, owner, facts, facts.tuning_job)
    created, _ = iteration.create_iteration(
        machine(project_id),
        owner.id,
        name=facts.job,
        notes="",
        parent_iteration_id=None if parent is None else parent.id,
        id_key=facts.job,
        created_date=facts.created_date,
        patience_s=facts.patience_s,
    )
    return created


def _parent(project_id: str, owner: Experiment, facts: Facts, tuning_job: str) -> Iteration | None:
    """The tuning job's iteration; its own events bring the rest. None if it is in another experiment, or deleted."""
    found = settle(project_id, tuning_job)
    if found is not None:
        return found if found.experiment_id == owner.id else None
    with suppress(NotFound):
        return iteration.create_iteration(
            machine(project_id),
            owner.id,
            name=tuning_job,
            notes="",
            parent_iteration_id=None,
            id_key=tuning_job,
            created_date=facts.created_date,
            patience_s=facts.patience_s,
        )[0]
    return None


def _experiment(project_id: str, name: str) -> Experiment:
    """The experiment of this name, which is created if there is none. Unavailable if another process hides it now."""
    actor = machine(project_id)
    for _ in Retry():
        known = experiment.find_by_name(actor, project_id, name)
        if known is not None and not known[1]:
            return known[0]
        try:
            return experiment.create_experiment(actor, project_id, name=name, description="", id_key=None)[0]
        except Conflict:
            continue
    raise Unavailable(retry_after=1)
