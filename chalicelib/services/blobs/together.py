"""Many uploads begun and completed in few transactions: the usual case only.

Whatever needs more, or is refused, is left to the caller, who does it one by one and so learns why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from chalicelib import artifacts, clock
from chalicelib.artifacts import Location
from chalicelib.aws.threads import in_threads
from chalicelib.errors import DomainError
from chalicelib.services import resource
from chalicelib.services.actor import Actor
from chalicelib.storage import blob as blobs
from chalicelib.storage import iteration as iterations
from chalicelib.storage import resource as storage
from chalicelib.storage import upload as uploads
from chalicelib.storage.blob import Blob
from chalicelib.storage.reads.lineage import ExperimentLineage
from chalicelib.storage.resource import New
from deardiary.wire.shapes import Experiment, ExperimentStatus, Resource

T = TypeVar("T")
Fields = Mapping[str, Any]


def create(actor: Actor, experiment: Experiment, given: Sequence[Fields]) -> list[Resource | None]:
    """Create resources with these fields; None for each that must be created by itself."""
    firsts = _first_of_each(given)
    if len(firsts) < 2 or experiment.status_id != ExperimentStatus.IN_PROGRESS:
        return [None] * len(given)
    wanted = _new_ones(actor, experiment, {index: given[index] for index in firsts})
    created: dict[int, Resource] = {}
    for group in _groups(wanted.items()):
        with suppress(DomainError):
            storage.create_resources(experiment, [new for _, new in group])
            created |= {index: new.resource for index, new in group}
    return [created.get(index) for index in range(len(given))]


def complete(lineage: ExperimentLineage, resources: Iterable[Resource]) -> dict[str, Resource]:
    """Check the bytes of pending resources that came whole, and make them ready; return those by id."""
    pending = {each.content_hash: each for each in resources if each.state == storage.PENDING}
    if len(pending) < 2:
        return {}
    project_id = lineage.project.id
    known = blobs.find_blobs(project_id, pending)
    came_whole = [
        (pending[sha256], blob) for sha256, blob in known.items() if not blob.ready and blob.upload_id is None
    ]
    right = in_threads(lambda each: _is_right(project_id, *each), came_whole)
    ready: dict[str, Resource] = {}
    for group in _groups(each for each, is_right in zip(came_whole, right, strict=True) if is_right):
        with suppress(DomainError):
            done = storage.mark_ready_with_blobs(project_id, group, clock.now())
            ready |= {each.id: each for each in done}
    # If the process dies before this, the check in a day finds the uploads finished.
    uploads.remove_all(uploads.pending(each) for each in ready.values())
    return {each.id: each for each in ready.values()}


def _first_of_each(given: Sequence[Fields]) -> list[int]:
    """The places of those without a predecessor of the same bytes or key: a transaction writes an item once."""
    seen: set[str] = set()
    firsts = []
    for index, fields in enumerate(given):
        own = {f"bytes {fields['content_hash']}", f"key {fields.get('id_key') or index}"}
        if own.isdisjoint(seen) and fields.get("data") is None:
            firsts.append(index)
        seen |= own
    return firsts


def _new_ones(actor: Actor, experiment: Experiment, given: Mapping[int, Fields]) -> dict[int, New]:
    """Those that no request has created before, and that nothing speaks against."""
    taken = storage.taken_id_keys(experiment.id, (each["id_key"] for each in given.values() if each.get("id_key")))
    known = blobs.find_blobs(experiment.project_id, (each["content_hash"] for each in given.values()))
    absent = {
        each for each in {fields["iteration_id"] for fields in given.values()} - {None}
        if iterations.find_iteration(experiment.id, each) is None
    }  # fmt: skip
    new: dict[int, New] = {}
    for index, fields in given.items():
        rest = {name: value for name, value in fields.items() if name not in ("id_key", "data")}
        id_key, seen = fields.get("id_key"), known.get(fields["content_hash"])
        if id_key not in taken and fields["iteration_id"] not in absent:
            with suppress(DomainError):
                new[index] = New(resource.make(actor, experiment, seen, **rest), id_key, seen)
    return new


def _is_right(project_id: str, pending: Resource, blob: Blob) -> bool:
    """True if the store has the bytes of the resource as declared."""
    try:
        artifacts.store(blob.backend).verify(Location(project_id, blob.sha256), pending.size_bytes, ())
    except DomainError:
        return False
    return True


def _groups(each: Iterable[T]) -> Iterator[list[T]]:
    left = iter(each)
    while group := list(islice(left, storage.MOST_TOGETHER)):
        yield group
