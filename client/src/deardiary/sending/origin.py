"""Find or create the iteration of an `Origin`. Any process that repeats this gets the same iteration."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from deardiary.errors import ClientError
from deardiary.wire.shapes import Iteration, IterationStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from deardiary.client import Client
    from deardiary.spool.run import Origin

_log = logging.getLogger(__name__)


def find_or_make(client: Client, origin: Origin, *, began: datetime | None = None) -> Iteration:
    """Find or create the iteration, after its parents. ClientError if the server refuses one of them.

    ``began`` is the start of an earlier run; with it, an iteration that was deleted since is not created again.
    """
    if origin.iteration_id is not None:
        return client.iterations.get(origin.iteration_id)
    if origin.resume is not None:
        found = _find(client, origin)
        if found is not None:
            return found
    parent = origin.parent
    parent_id = None if parent is None else parent.iteration_id or find_or_make(client, parent, began=began).id
    iteration, is_new = client.iterations.find_or_create(
        experiment_id_of(client, origin, began=began),
        notes=origin.notes,
        parent_iteration_id=parent_id,
        id_key=origin.resume or origin.id_key,
        created_date=began,
    )
    if is_new and origin.resume is not None:
        _log.warning("There is no iteration %r to resume: a new one, %s, has that id_key", origin.resume, iteration.id)
    return iteration


def resumed(client: Client, origin: Origin, found: Iteration) -> Origin:
    """The origin with the names of the place of the resumed iteration; warn of options of the start that it ignores."""
    actual = origin
    with contextlib.suppress(ClientError):  # the start must not fail because of a warning
        actual = _with_actual_names(client, origin, found)
    ignored = list(_ignored(origin, actual, found))
    if ignored:
        _log.warning("Iteration %s is resumed as it is; ignored: %s", found.id, ", ".join(ignored))
    return actual


def _with_actual_names(client: Client, origin: Origin, found: Iteration) -> Origin:
    if origin.project is None or origin.experiment is None:
        return origin
    experiment = client.experiments.get(found.experiment_id)
    project = client.projects.get(experiment.project_id)
    return replace(origin, project=project.name, experiment=experiment.name)


def _ignored(origin: Origin, actual: Origin, found: Iteration) -> Iterator[str]:
    for option in ("experiment", "project"):
        given, name = getattr(origin, option), getattr(actual, option)
        if given != name:
            yield f"{option}={given!r} (it is in {name!r})"
    if origin.notes not in ("", found.notes):
        yield f"notes={origin.notes!r:.80}"
    if origin.parent is not None and origin.parent.iteration_id not in (None, found.parent_iteration_id):
        yield "parent="


def reopen(client: Client, iteration: Iteration, *, before: datetime | None = None) -> Iteration:
    """Reopen an ended iteration, with ``before`` only if it ended before that time. Return the iteration."""
    if iteration.end_date is None or (before is not None and iteration.end_date >= before):
        return iteration
    return client.iterations.update(iteration.id, status_id=IterationStatus.RUNNING)


def experiment_id_of(client: Client, origin: Origin, *, began: datetime | None = None) -> str:
    """The experiment's id: the known one, else by the names of project and experiment, else that of the parent."""
    if origin.experiment_id is not None:
        return origin.experiment_id
    if origin.project is not None and origin.experiment is not None:
        project = client.projects.find_or_create(origin.project)
        return client.experiments.find_or_create(project.id, origin.experiment).id
    if origin.parent is None:
        raise ClientError(404, "NOT_FOUND", f"There is no iteration {origin.resume!r}, and no experiment to make it in")
    return find_or_make(client, origin.parent, began=began).experiment_id


def _find(client: Client, origin: Origin) -> Iteration | None:
    """The iteration with the id ``resume``, or None: then ``resume`` may be an id_key."""
    try:
        return client.iterations.get(str(origin.resume))
    except ClientError as error:
        if error.is_passing or error.status not in (404, 422):
            raise
        return None
