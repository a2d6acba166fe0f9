"""Find or create the iteration of an `RunRef`. Any process that repeats this gets the same iteration."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from deardiary.client import Client
from deardiary.errors import ClientError
from deardiary.spool.run import RunRef
from deardiary.wire.shapes import Iteration, IterationStatus

_log = logging.getLogger(__name__)


def find_or_create(client: Client, ref: RunRef, *, began: datetime | None = None) -> Iteration:
    """Find or create the iteration, after its parents. ClientError if the server refuses one of them.

    ``began`` is the start of an earlier run; with it, an iteration that was deleted since is not created again.
    """
    if ref.iteration_id is not None:
        return client.iterations.get(ref.iteration_id)
    if ref.resume is not None:
        found = find(client, ref.resume)
        if found is not None:
            return found
    parent = ref.parent
    parent_id = None if parent is None else parent.iteration_id or find_or_create(client, parent, began=began).id
    iteration, is_new = client.iterations.find_or_create(
        experiment_id_of(client, ref, began=began),
        name=ref.name or None,
        notes=ref.notes,
        parent_iteration_id=parent_id,
        id_key=ref.resume or ref.id_key,
        created_date=began,
    )
    if is_new and ref.resume is not None:
        _log.warning("There is no iteration %r to resume: a new one, %s, has that id_key", ref.resume, iteration.id)
    return iteration


def key_of(ref: RunRef) -> str:
    """The iteration's id; until the server has assigned one, the key under which it is found or created."""
    return str(ref.iteration_id or ref.resume or ref.id_key or "")


def resumed(client: Client, ref: RunRef, found: Iteration) -> RunRef:
    """Return the reference with the resumed iteration's project and experiment; warn of ignored options."""
    actual = ref
    with contextlib.suppress(ClientError):  # the start must not fail because of a warning
        actual = _with_actual_names(client, ref, found)
    ignored = list(_ignored(ref, actual, found))
    if ignored:
        _log.warning("Iteration %s is resumed as it is; ignored: %s", found.id, ", ".join(ignored))
    return actual


def _with_actual_names(client: Client, ref: RunRef, found: Iteration) -> RunRef:
    if ref.project is None or ref.experiment is None:
        return ref
    experiment = client.experiments.get(found.experiment_id)
    project = client.projects.get(experiment.project_id)
    return replace(ref, project=project.name, experiment=experiment.name)


def _ignored(ref: RunRef, actual: RunRef, found: Iteration) -> Iterator[str]:
    for option in ("experiment", "project"):
        given, name = getattr(ref, option), getattr(actual, option)
        if given != name:
            yield f"{option}={given!r} (it is in {name!r})"
    if ref.name not in ("", found.name):
        yield f"name={ref.name!r:.80}"
    if ref.notes not in ("", found.notes):
        yield f"notes={ref.notes!r:.80}"
    if ref.parent is not None and ref.parent.iteration_id not in (None, found.parent_iteration_id):
        yield "parent="


def reopen(client: Client, iteration: Iteration, *, before: datetime | None = None) -> Iteration:
    """Reopen an ended iteration, with ``before`` only if it ended before that time. Return the iteration."""
    if iteration.end_date is None or (before is not None and iteration.end_date >= before):
        return iteration
    return client.iterations.update(iteration.id, status_id=IterationStatus.RUNNING)


def experiment_id_of(client: Client, ref: RunRef, *, began: datetime | None = None) -> str:
    """The experiment's id: the known one, else by the names of project and experiment, else that of the parent."""
    if ref.experiment_id is not None:
        return ref.experiment_id
    if ref.project is not None and ref.experiment is not None:
        project = client.projects.find_or_create(ref.project)
        return client.experiments.find_or_create(project.id, ref.experiment).id
    if ref.parent is None:
        raise ClientError(404, "NOT_FOUND", f"There is no iteration {ref.resume!r}, and no experiment to make it in")
    return find_or_create(client, ref.parent, began=began).experiment_id


def find(client: Client, iteration_id: str) -> Iteration | None:
    """The iteration, or None if the server knows no such id: it may be an id_key, or of another server."""
    try:
        return client.iterations.get(iteration_id)
    except ClientError as error:
        if error.is_passing or error.status not in (404, 422):
            raise
        return None
