"""The newest activity in all projects that the caller may read, from the objects themselves: there is no log of events.

A page reads the newest 20 projects, of each its newest 20 experiments and 5 models, of each model its newest 3
versions, and of each experiment the next ten iterations before the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from chalicelib import clock, ids
from chalicelib.aws.threads import in_threads
from chalicelib.errors import NotFound, PermissionRequired
from chalicelib.paging import Page, bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import project as projects
from chalicelib.storage.reads import newest
from chalicelib.storage.reads.newest import Newest
from deardiary.wire.names import name_of
from deardiary.wire.shapes import Activity, ExperimentStatus, IterationStatus, Project

MOST_PROJECTS, MOST_EXPERIMENTS, MOST_MODELS, MOST_VERSIONS = 20, 20, 5, 3
ITERATIONS_A_PAGE = 10


class _Key(NamedTuple):
    """The order of activity. The time is in µs since 1970, like that in ids."""

    time_us: int
    id: str
    event: str


# After all activity; a stamp has seven bytes for the time.
_LAST = _Key(2**55, "", "")


class _Owner(NamedTuple):
    """An experiment or a model, with its project."""

    project: Project
    row: Newest


def list_activity(actor: Actor, limit: int, cursor: str | None) -> Page[Activity]:
    """A page, newest first; it may be short and still have a next page."""
    before = _LAST if cursor is None else _decode(cursor)
    entries, horizon = _read(actor, before.time_us)
    known = sorted((key for key in entries if horizon <= key.time_us and key < before), reverse=True)
    sent = known[:limit]
    found = [entries[key] for key in sent]
    if len(known) > limit:
        return Page(found, encode_cursor(*map(str, sent[-1])))
    if not horizon:
        return Page(found, None)
    # Other iterations of the same microsecond may be unread.
    after = sent[-1] if sent and sent[-1].time_us == horizon else _Key(horizon, "~", "")
    return Page(found, encode_cursor(*map(str, after)))


def _read(actor: Actor, until_us: int) -> tuple[dict[_Key, Activity], int]:
    """Read the activity of a page, and the time before which some of it is still unread, 0 if all is read."""
    found = projects.get_projects(_project_ids(actor))
    experiments = _of_each(found, lambda project: newest.newest_experiments(project.id, MOST_EXPERIMENTS))
    models = _of_each(found, lambda project: newest.newest_models(project.id, MOST_MODELS))
    versions = in_threads(lambda model: newest.newest_versions(model.row.id, MOST_VERSIONS), models)
    before = ids.stamp(until_us + 1)
    iterations = in_threads(lambda each: newest.newest_iterations(each.row.id, ITERATIONS_A_PAGE, before), experiments)

    entries = dict(map(_of_project, found))
    entries.update(entry for owner in experiments for entry in _of_experiment(owner))
    entries.update(_of_model(owner) for owner in models)
    entries.update(_of_version(owner, row) for owner, rows in zip(models, versions, strict=True) for row in rows)
    for owner, (rows, _) in zip(experiments, iterations, strict=True):
        entries.update(entry for row in rows for entry in _of_iteration(owner, row))
    return entries, max((ids.created_us(last) for _, last in iterations if last is not None), default=0)


def _project_ids(actor: Actor) -> list[str]:
    if actor.only_project_id is not None:
        try:
            return [access.project(actor, actor.only_project_id, Need.READ).project.id]
        except (NotFound, PermissionRequired):
            return []
    if actor.user.is_admin:
        return newest.newest_project_ids(MOST_PROJECTS)
    return newest.newest_project_ids_of_user(actor.user.id, MOST_PROJECTS)


def _of_each(found: list[Project], read: Callable[[Project], list[Newest]]) -> list[_Owner]:
    rows = in_threads(read, found)
    return [_Owner(project, row) for project, own in zip(found, rows, strict=True) for row in own]


_Entry = tuple[_Key, Activity]


def _of_project(project: Project) -> _Entry:
    row = Newest(project.id, project.name, project.created_by, project.created_date, None, 0, None)
    return _entry("project", "created", project, row, ids.created_us(project.id))


def _of_experiment(owner: _Owner) -> Iterator[_Entry]:
    project, row = owner
    yield _entry("experiment", "created", project, row, ids.created_us(row.id), row.id)
    if row.end_date is not None:
        event = ExperimentStatus(row.status_id).name.lower()
        yield _entry("experiment", event, project, row, _end_us(row.id, row.end_date), row.id)


def _of_iteration(owner: _Owner, row: Newest) -> Iterator[_Entry]:
    row = row._replace(name=row.name or name_of(row.id))
    yield _entry("iteration", "started", owner.project, row, ids.created_us(row.id), owner.row.id)
    if row.end_date is not None:
        event = IterationStatus(row.status_id).name.lower()
        yield _entry("iteration", event, owner.project, row, _end_us(row.id, row.end_date), owner.row.id)


def _of_model(owner: _Owner) -> _Entry:
    return _entry("model", "created", *owner, ids.created_us(owner.row.id))


def _of_version(owner: _Owner, row: Newest) -> _Entry:
    named = row._replace(name=f"{owner.row.name} {row.version}")
    return _entry("modelversion", "created", owner.project, named, _end_us(owner.row.id, row.created_date))


def _end_us(object_id: str, date: datetime) -> int:
    """The time of a date; of one before the object came to this server, the time when it came."""
    return max(clock.to_milliseconds(date) * 1000, ids.created_us(object_id))


def _entry(
    kind: str, event: str, project: Project, row: Newest, time_us: int, experiment_id: str | None = None
) -> _Entry:
    return _Key(time_us, row.id, event), Activity(
        id=row.id,
        kind=kind,
        event=event,
        name=row.name or "",
        project_id=project.id,
        experiment_id=experiment_id,
        user_id=row.created_by,
        date=clock.from_milliseconds(time_us // 1000),
    )


def _decode(cursor: str) -> _Key:
    time, object_id, event = decode_cursor(cursor, 3)
    if not time.isdecimal() or int(time) >= _LAST.time_us:
        raise bad_cursor()
    return _Key(int(time), object_id, event)
