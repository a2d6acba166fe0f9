"""Studies: what the workers of one search write, in one order for all, and the leases of what each works on."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import study as storage
from deardiary.wire.shapes import StudyAppend, StudyLease, StudyRecords


def append_records(
    actor: Actor, experiment_id: str, study_id: str, append_id: str, records: Sequence[str]
) -> StudyAppend:
    line = access.experiment(actor, experiment_id, Need.CREATE)
    first, following = storage.append_records(line.experiment, study_id, append_id, records)
    return StudyAppend(first=first, next=following)


def read_records(actor: Actor, experiment_id: str, study_id: str, start: int) -> StudyRecords:
    access.experiment(actor, experiment_id, Need.READ)
    return storage.read_records(experiment_id, study_id, start)


def list_leases(actor: Actor, experiment_id: str, study_id: str, limit: int, cursor: str | None) -> Page[StudyLease]:
    access.experiment(actor, experiment_id, Need.READ)
    return storage.list_leases(experiment_id, study_id, limit, cursor)


def renew_lease(actor: Actor, experiment_id: str, study_id: str, lease_id: str) -> StudyLease:
    access.experiment(actor, experiment_id, Need.CREATE)
    return storage.renew_lease(experiment_id, study_id, lease_id)


def delete_lease(actor: Actor, experiment_id: str, study_id: str, lease_id: str) -> None:
    """End a lease. A worker that may create one may end it."""
    access.experiment(actor, experiment_id, Need.CREATE)
    storage.delete_lease(experiment_id, study_id, lease_id)
