"""Migration of bytes from one artifact store to another, while the server runs.

Copy the bytes and check their hash; only then let the blob, and so new resources, name the new store. Then change the
rows that name the old store, one by one. Remove the old bytes last. Until then the blob remembers the old store, so
that the next run can resume a run that died.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib import artifacts, deadline
from chalicelib.artifacts import Location
from chalicelib.errors import Conflict, NotFound
from chalicelib.retry import Retry
from chalicelib.services.blobs.release import remove_stray_bytes
from chalicelib.storage import blob as blobs
from chalicelib.storage import experiment as experiments
from chalicelib.storage import project as projects
from chalicelib.storage import resource as resources
from chalicelib.storage import snapshot as snapshots
from chalicelib.storage import trash
from chalicelib.storage import upload as uploads
from chalicelib.storage.blob import Blob
from deardiary.wire.parts import CUTS
from deardiary.wire.shapes import Project

_PAGE = 200
_PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class Report:
    """Counts of one run: blobs and bytes moved, rows changed, blobs left."""

    moved: int = 0
    moved_bytes: int = 0
    rows: int = 0
    pending: int = 0
    failed: int = 0


def migrate(to: str, report: Report) -> Iterator[str]:
    """Move the bytes of all projects to that store. Yield a line for each blob; count them in `report`."""
    for project in _projects():
        # First resume the moves of an earlier run.
        for blob in list(blobs.each_blob(project.id)):
            if blob.moving_to not in {None, to}:
                blobs.give_up_copy(project.id, blob, str(blob.moving_to))
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
    elif not blob.is_hashed:
        report.pending += 1
        yield f"{what}: its SHA-256 is unknown, stays in {blob.backend}"
    elif blob.size_bytes > CUTS[to].most:
        report.failed += 1
        yield f"{what}: too large for {to}, stays in {blob.backend}"
    elif blob.moved_from is None:
        yield from _copy(project, blob, to, report, what)


def _copy(project: Project, blob: Blob, to: str, report: Report, what: str) -> Iterator[str]:
    """Move one blob. The process may die after any step, and the last owner may go before any step."""
    copy = blob._replace(backend=to)
    record = uploads.expect_stray_bytes(project.id, copy)
    done = True
    if blobs.begin_move(project.id, blob, to):
        reason = _write_copy(project, blob, to)
        if reason is None and _switch(project, blob, to):
            report.moved += 1
            report.moved_bytes += blob.size_bytes
            yield f"{what}: {blob.backend} -> {to}"
        else:
            done = _undo(project, copy)
            if reason and blobs.find_blob(project.id, blob.sha256) is not None:
                report.failed += 1
                yield f"{what}: the bytes in {blob.backend} are {reason}; nothing was changed"
    if done:
        uploads.remove(record)


def _write_copy(project: Project, blob: Blob, to: str) -> str | None:
    """Copy the bytes. Return the reason of a failure, or None."""
    location = Location(project.id, blob.sha256)
    try:
        artifacts.store(to).write(location, blob.size_bytes, artifacts.store(blob.backend).blocks(location))
    except (NotFound, ValueError) as error:
        return "missing" if isinstance(error, NotFound) else "damaged"
    return None


def _switch(project: Project, blob: Blob, to: str) -> bool:
    with deadline.begun():
        # Another run may have moved the blob to this store and back meanwhile, and removed this copy.
        there = artifacts.store(to).size_of(Location(project.id, blob.sha256))
        return there == blob.size_bytes and blobs.move(project.id, blob, to)


def _undo(project: Project, copy: Blob) -> bool:
    """Remove a copy that the blob does not name. False if the scheduled function has to finish."""
    with deadline.begun():
        for _ in Retry():
            found = blobs.find_blob(project.id, copy.sha256)
            if found is None or not found.owned:
                # Another removal may have looked for the copy before it was written.
                finished = remove_stray_bytes(project.id, copy)
                if not finished or blobs.find_blob(project.id, copy.sha256) is None:
                    return finished
            elif found.backend == copy.backend:
                break
            elif blobs.give_up_copy(project.id, found, copy.backend):
                _leave(project, found._replace(moved_from=copy.backend))
                break
    return True


def _finish(project: Project, report: Report) -> Iterator[str]:
    """Change the rows that still name the old store of their blob, then remove the bytes there."""
    moved = {blob.sha256: blob for blob in blobs.each_blob(project.id) if blob.moved_from is not None}
    if not moved:
        return
    rows = 0
    for experiment_id in experiments.each_id(project.id):
        rows += _point_resources(project.id, experiment_id, moved)
        rows += _point_snapshots(project.id, experiment_id, moved)
    for blob in moved.values():
        _leave(project, blob)
    report.rows += rows
    yield f"project {project.id}: {rows} resources and snapshots name their new location, the old bytes are gone"


def _leave(project: Project, blob: Blob) -> None:
    """Remove the bytes from the old store, unless another run ended this move.

    Keep the row meanwhile: else the last owner could go, and a new upload could store the same bytes there.
    """
    end = time.monotonic() + 2 * blobs.CLAIM_MS / 1000
    while True:
        with deadline.begun():
            if blobs.begin_clearing(project.id, blob):
                artifacts.store(str(blob.moved_from)).delete(Location(project.id, blob.sha256))
                blobs.end_move(project.id, blob)
                return
        found = blobs.find_blob(project.id, blob.sha256)
        if found is None or not found.clearing or time.monotonic() > end:
            return
        # Another run is removing the bytes, or has died and its claim will expire.
        time.sleep(_PAUSE_SECONDS)


def _point_resources(project_id: str, experiment_id: str, moved: dict[str, Blob]) -> int:
    changed = 0
    for resource in list(resources.each_resource_of_experiment(experiment_id)):
        blob = moved.get(blobs.id_of(resource))
        if blob is not None and resource.backend != blob.backend:
            uri = artifacts.store(blob.backend).uri(Location(project_id, blob.sha256))
            try:
                resources.move_resource(project_id, resource, blob, uri)
            except NotFound:
                continue
            changed += 1
    return changed


def _point_snapshots(project_id: str, experiment_id: str, moved: dict[str, Blob]) -> int:
    return sum(
        _point_snapshot(project_id, experiment_id, iteration_id, moved)
        for iteration_id in snapshots.each_snapshot(experiment_id)
    )


def _point_snapshot(project_id: str, experiment_id: str, iteration_id: str, moved: dict[str, Blob]) -> bool:
    while True:
        stored = snapshots.read_texts(experiment_id, iteration_id)
        named = [text for text in stored.texts.values() if text.sha256 in moved]
        if all(text.backend == moved[text.sha256].backend for text in named):
            return False
        try:
            snapshots.move_texts(project_id, experiment_id, iteration_id, stored, moved)
        except Conflict:
            # Another request changed this snapshot: read it again.
            continue
        except NotFound:
            return False
        return True


def _projects() -> Iterator[Project]:
    """All projects, also those in the trash, which may be restored."""
    cursor: str | None = None
    while True:
        page = projects.list_all_projects(_PAGE, cursor, None)
        yield from page.data
        cursor = page.next_cursor
        if cursor is None:
            break
    for project_id in trash.each_project_id():
        found = projects.find_even_hidden(project_id)
        if found is not None:
            yield found
