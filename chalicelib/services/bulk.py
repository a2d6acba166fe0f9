"""Many objects of an experiment in one request: each has an outcome of its own, and a repetition is harmless.

The same change to many iterations; many uploads, begun in one request and completed in another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chalicelib.aws.overload import is_overload
from chalicelib.aws.threads import in_threads
from chalicelib.errors import DomainError, InvalidPayload, Unavailable, not_found
from chalicelib.services import access, iteration, resource, tag, trash, upload
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.blobs import together
from chalicelib.services.label import LabelChanges
from chalicelib.services.lifecycle import deletion
from chalicelib.storage import blob as blobs
from chalicelib.storage import iteration as storage
from chalicelib.storage import resource as resources
from deardiary.wire.shapes import BulkFailure, BulkOutcomes, BulkUpload, BulkUploads, Resource

# The last change may take as long as a deletion in a request: all of it stays under the 29 s of API Gateway.
SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Changes:
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    labels: LabelChanges = field(default_factory=dict)
    delete: bool = False
    restore: bool = False

    def needs(self) -> list[Need]:
        """The permissions that the same changes need one by one."""
        wanted = {
            Need.CREATE: self.add_tags,
            Need.UPDATE: self.labels,
            Need.DELETE: self.remove_tags or self.delete or self.restore,
        }
        return [need for need, has in wanted.items() if has]

    def check(self) -> None:
        """InvalidPayload if there is nothing to do, or if the changes contradict each other."""
        if not self.needs():
            raise InvalidPayload("Say what to do: add_tags, remove_tags, labels, delete or restore", field="body")
        others = self.add_tags or self.remove_tags or self.labels
        if self.delete and (others or self.restore):
            raise InvalidPayload("delete goes with no other change", field="delete")
        if self.restore and others:
            raise InvalidPayload("restore goes with no other change", field="restore")
        if set(self.add_tags) & set(self.remove_tags):
            raise InvalidPayload("A tag is in add_tags too", field="remove_tags")


def change_iterations(actor: Actor, experiment_id: str, ids: Sequence[str], changes: Changes) -> BulkOutcomes:
    """Change each of these iterations. A missing permission refuses all of them, any other problem one."""
    changes.check()
    for need in changes.needs():
        access.experiment(actor, experiment_id, need)
    end = time.monotonic() + SECONDS

    def change(iteration_id: str) -> BulkFailure | None:
        return _failure_of(lambda: _change(actor, experiment_id, iteration_id, changes, end))

    wanted = list(dict.fromkeys(ids))
    outcomes = dict(zip(wanted, in_threads(change, wanted), strict=True))
    return BulkOutcomes(data={each: failure or "done" for each, failure in outcomes.items()})


def begin_uploads(actor: Actor, experiment_id: str, given: Sequence[dict[str, Any]], site: str) -> BulkUploads:
    """Create resources with these fields, and sign the upload of the bytes of each in one request.

    A missing permission refuses all.
    """
    lineage = access.experiment(actor, experiment_id, Need.CREATE)
    end = time.monotonic() + SECONDS

    def create(fields: dict[str, Any]) -> BulkUpload:
        if time.monotonic() > end:
            raise Unavailable("There was no time left for this one; send the request again")
        return BulkUpload(resource=resource.create_in(actor, lineage.experiment, **fields)[0])

    early = together.create(actor, lineage.experiment, given)
    # One after the other: each creation checks the same experiment, so parallel ones would refuse each other.
    begun = [
        BulkUpload(resource=done) if done else _upload_of(partial(create, fields))
        for fields, done in zip(given, early, strict=True)
    ]
    created = [each.resource for each in begun if each.resource is not None]
    known = blobs.find_blobs(lineage.project.id, {each.content_hash for each in created})

    def sign(resource: Resource) -> BulkUpload:
        signed = upload.sign_whole(upload.within(lineage, resource), known.get(resource.content_hash), site)
        return BulkUpload(resource=resource, requests=signed.requests)

    return _together([_upload_of(partial(sign, each.resource)) if each.resource else each for each in begun])


def complete_uploads(actor: Actor, experiment_id: str, ids: Sequence[str]) -> BulkUploads:
    """Check the bytes of each resource, and make it ready. A missing permission refuses all."""
    lineage = access.experiment(actor, experiment_id, Need.CREATE)
    found = {each.id: each for each in resources.find_visible(lineage.experiment, ids)}
    early = together.complete(lineage, found.values())

    def complete(resource_id: str) -> BulkUpload:
        if resource_id in early:
            return BulkUpload(resource=early[resource_id])
        if resource_id not in found:
            raise not_found("resource", resource_id)
        return BulkUpload(resource=upload.complete(upload.within(lineage, found[resource_id]), ()))

    return _together(in_threads(lambda each: _upload_of(partial(complete, each)), ids))


def _together(uploads: Sequence[BulkUpload]) -> BulkUploads:
    """All of them. Unavailable if no upload found the server able to do it: send the whole request again later."""
    if all(each.failure is not None and each.failure.code == Unavailable.code for each in uploads):
        raise Unavailable(retry_after=1)
    return BulkUploads(data=tuple(uploads))


def _upload_of(work: Callable[[], BulkUpload]) -> BulkUpload:
    done: list[BulkUpload] = []
    failure = _failure_of(lambda: done.append(work()))
    return BulkUpload(failure=failure) if failure else done[0]


def _failure_of(work: Callable[[], None]) -> BulkFailure | None:
    try:
        work()
    except DomainError as error:
        return BulkFailure(code=error.code, message=error.message)
    except Exception as error:
        if not is_overload(error):
            raise
        return BulkFailure(code=Unavailable.code, message=Unavailable.message)
    return None


def _change(actor: Actor, experiment_id: str, iteration_id: str, changes: Changes, end: float) -> None:
    if time.monotonic() > end:
        raise Unavailable("There was no time left for this one; send the request again")
    found = storage.find_iteration(experiment_id, iteration_id)
    if found is None:
        _change_deleted(actor, experiment_id, iteration_id, changes)
        return
    if changes.restore:
        return  # an earlier request has restored it
    if changes.delete:
        deletion.delete_iteration(actor, iteration_id)
        return
    tag.put_tags(found, list(changes.add_tags))
    tag.drop_tags(found, list(changes.remove_tags))
    if changes.labels:
        iteration.update_iteration(actor, iteration_id, iteration.IterationChanges(labels=dict(changes.labels)))


def _change_deleted(actor: Actor, experiment_id: str, iteration_id: str, changes: Changes) -> None:
    """Restore the iteration. If an earlier request has deleted it, a deletion is done."""
    if not storage.is_hidden(experiment_id, iteration_id) or not (changes.delete or changes.restore):
        raise not_found("iteration", iteration_id)
    if changes.restore:
        trash.restore(actor, iteration_id, None)
