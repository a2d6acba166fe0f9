"""Bytes move from one artifact store to another, while the server runs.

They are copied, checked by their hash, and only then does the blob name the new store; from then on new resources do
too. Then the rows that still name the old one are changed, one by one, and last the old bytes go. The blob remembers
where they were until they are gone, so that a run that died is gone on with by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib import artifacts
from chalicelib.artifacts import Location
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.resource import remove_stray_bytes
from chalicelib.storage import blob as blobs
from chalicelib.storage import experiment as experiments
from chalicelib.storage import project as projects
from chalicelib.storage import resource as resources
from chalicelib.storage import snapshot as snapshots
from chalicelib.storage.blob import Blob
from deardiary.parts import CUTS
from deardiary.shapes import Experiment, Project

_PAGE = 200


@dataclass(slots=True)
class Report:
    """What a run has done and what it has left."""

    moved: int = 0
    moved_bytes: int = 0
    rows: int = 0
    pending: int = 0
    failed: int = 0


def migrate(to: str, report: Report) -> Iterator[str]:
    """Move the bytes of all projects to that store, one line for each that moved or could not; counted in `report`."""
    for project in _projects():
        # First what a run before this one has begun.
        yield from _finish(project, report)
        for blob in list(blobs.each_blob(project.id)):
            if blob.backend != to and not blob.leaving:
                yield from _move(project, blob, to, report)
        yield from _finish(project, report)


def _move(project: Project, blob: Blob, to: str, report: Report) -> Iterator[str]:
    what = f"project {project.id}: {blob.sha256}, {blob.size_bytes} bytes"
    if not blob.ready:
        report.pending += 1
        yield f"{what}: not complete yet, stays in {blob.backend}"
    elif blob.size_bytes > CUTS[to].most:
        report.failed += 1
        yield f"{what}: too large for {to}, stays in {blob.backend}"
    elif blob.moved_from is None:
        yield from _copy(project, blob, to, report, what)


def _copy(project: Project, blob: Blob, to: str, report: Report, what: str) -> Iterator[str]:
    location = Location(project.id, blob.sha256)
    try:
        blocks = artifacts.store(blob.backend).blocks(location)
        artifacts.store(to).write(location, blob.size_bytes, blocks)
    except (NotFound, ValueError) as error:
        if blobs.find_blob(project.id, blob.sha256) is not None:
            report.failed += 1
            reason = "missing" if isinstance(error, NotFound) else "damaged"
            yield f"{what}: the bytes in {blob.backend} are {reason}; nothing was changed"
        return
    if blobs.move(project.id, blob, to):
        report.moved += 1
        report.moved_bytes += blob.size_bytes
        yield f"{what}: {blob.backend} -> {to}"
    elif blobs.find_blob(project.id, blob.sha256) is None:
        # Its last owner has gone meanwhile.
        remove_stray_bytes(project.id, blob._replace(backend=to))


def _finish(project: Project, report: Report) -> Iterator[str]:
    """Change the rows that name another store than their blob does; then the bytes there can go."""
    moved = [blob for blob in blobs.each_blob(project.id) if blob.moved_from is not None]
    if not moved:
        return
    backends = {blob.sha256: blob.backend for blob in moved}
    rows = 0
    for experiment in _experiments(project.id):
        rows += _point_resources(experiment, backends) + _point_snapshots(experiment, backends)
    for blob in moved:
        artifacts.store(str(blob.moved_from)).delete(Location(project.id, blob.sha256))
        blobs.end_move(project.id, blob)
    report.rows += rows
    yield f"project {project.id}: {rows} resources and snapshots name their new place, the old bytes are gone"


def _point_resources(experiment: Experiment, backends: dict[str, str]) -> int:
    changed = 0
    for resource in list(resources.each_resource_of_experiment(experiment.id)):
        backend = backends.get(resource.content_hash, resource.backend)
        if resource.backend != backend:
            uri = artifacts.store(backend).uri(Location(experiment.project_id, resource.content_hash))
            try:
                resources.move_resource(resource, backend, uri)
            except NotFound:
                continue
            changed += 1
    return changed


def _point_snapshots(experiment: Experiment, backends: dict[str, str]) -> int:
    return sum(
        _point_snapshot(experiment, iteration_id, backends) for iteration_id in snapshots.each_snapshot(experiment.id)
    )


def _point_snapshot(experiment: Experiment, iteration_id: str, backends: dict[str, str]) -> bool:
    while True:
        stored = snapshots.read_texts(experiment.id, iteration_id)
        if all(backends.get(text.sha256, text.backend) == text.backend for text in stored.texts.values()):
            return False
        try:
            snapshots.move_texts(experiment.project_id, experiment.id, iteration_id, stored, backends)
        except Conflict:
            # Somebody else was faster at this snapshot: as it is now.
            continue
        return True


def _projects() -> Iterator[Project]:
    cursor: str | None = None
    while True:
        page = projects.list_all_projects(_PAGE, cursor, None)
        yield from page.data
        cursor = page.next_cursor
        if cursor is None:
            return


def _experiments(project_id: str) -> Iterator[Experiment]:
    cursor: str | None = None
    while True:
        page = experiments.list_experiments_of_project(project_id, _PAGE, cursor, None)
        yield from page.data
        cursor = page.next_cursor
        if cursor is None:
            return
