"""Studies of an experiment: shared records in one order, and leases."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.errors import InvalidPayload
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, IdKey, PageQuery, Query
from chalicelib.services import study as service
from deardiary.wire import limits
from deardiary.wire.shapes import StudyAppend, StudyLease, StudyRecords

routes = Routes(__name__)

_PATH = "/experiments/{experiment_id}/studies/{study_id}"
_MOST_START = 10**12 - 1


class NewStudyRecords(Body):
    """Texts to append, all of them or none. The same `append_id` again appends nothing."""

    append_id: IdKey
    records: Annotated[list[str], Meta(min_length=1, max_length=limits.MAX_STUDY_ITEMS)]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if sum(len(each.encode()) for each in self.records) > limits.MAX_STUDY_BYTES:
            most = limits.MAX_STUDY_BYTES // limits.KIB
            raise InvalidPayload(f"records have at most {most} KiB together", field="records")


class LeaseRenewal(Body):
    """Has no field."""


class RecordsQuery(Query):
    start: Annotated[int, Meta(ge=0, le=_MOST_START)] = 0


@routes.get(f"{_PATH}/records", query=RecordsQuery)
def read_study_records(call: Call[None, RecordsQuery], experiment_id: str, study_id: str) -> Answer[StudyRecords]:
    return ok(service.read_records(call.actor, experiment_id, study_id, call.query.start))


@routes.post(f"{_PATH}/records", body=NewStudyRecords)
def append_study_records(call: Call[NewStudyRecords, None], experiment_id: str, study_id: str) -> Answer[StudyAppend]:
    body = call.body
    return created(service.append_records(call.actor, experiment_id, study_id, body.append_id, body.records))


@routes.get(f"{_PATH}/leases", query=PageQuery)
def list_study_leases(call: Call[None, PageQuery], experiment_id: str, study_id: str) -> Answer[Page[StudyLease]]:
    query = call.query
    return listed(service.list_leases(call.actor, experiment_id, study_id, query.limit, query.cursor))


@routes.put(f"{_PATH}/leases/{{lease_id}}", body=LeaseRenewal)
def renew_study_lease(
    call: Call[LeaseRenewal, None], experiment_id: str, study_id: str, lease_id: str
) -> Answer[StudyLease]:
    return ok(service.renew_lease(call.actor, experiment_id, study_id, lease_id))


@routes.delete(f"{_PATH}/leases/{{lease_id}}")
def delete_study_lease(call: Call[None, None], experiment_id: str, study_id: str, lease_id: str) -> Answer[None]:
    service.delete_lease(call.actor, experiment_id, study_id, lease_id)
    return deleted()
