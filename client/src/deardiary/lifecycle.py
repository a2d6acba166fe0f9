"""Starting an iteration by the names of its project and experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary import settings
from deardiary.active import ActiveIteration, begin
from deardiary.client import Client, connect
from deardiary.records import Record
from deardiary.shapes import Iteration
from deardiary.values import as_tags, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Parent = ActiveIteration | Iteration | str


def start(
    project: str | None = None,
    experiment: str | None = None,
    *,
    parameters: Mapping[str, object] | None = None,
    tags: Iterable[str] | None = None,
    notes: str = "",
    parent: Parent | None = None,
    id_key: str | None = None,
    client: Client | None = None,
) -> ActiveIteration:
    """Start an iteration; use it in a ``with`` block, or `ActiveIteration.finish` it.

    Project and experiment are names, and are made if there are none; they default to DEARDIARY_PROJECT and
    DEARDIARY_EXPERIMENT, or to those of ``parent``: an iteration, or the id of one, in the same experiment. The same
    ``id_key`` in the same experiment goes on in the same iteration, and the server then counts the steps. Without
    ``client`` one is made by `connect`, for this iteration.

    ValueError when a name is missing, TypeError for a key or tag that is not text, ClientError from the server.
    """
    first = Record(iteration_id="", parameters=as_texts(parameters or {}), tags=as_tags(tags or ()))
    owns_client = client is None and not isinstance(parent, ActiveIteration)
    client = client or (parent.client if isinstance(parent, ActiveIteration) else connect())
    return begin(
        client,
        _experiment_id(client, project, experiment, parent),
        first,
        notes=notes,
        parent_id=parent if isinstance(parent, str) or parent is None else parent.id,
        id_key=id_key,
        owns_client=owns_client,
    )


def _experiment_id(client: Client, project: str | None, experiment: str | None, parent: Parent | None) -> str:
    if parent is not None and project is None and experiment is None:
        return (client.iterations.get(parent) if isinstance(parent, str) else parent).experiment_id
    project = project or settings.default_project()
    experiment = experiment or settings.default_experiment()
    if not project or not experiment:
        raise ValueError(
            "Name a project and an experiment: deardiary.start('Iris', 'sweep'), or set DEARDIARY_PROJECT and "
            "DEARDIARY_EXPERIMENT"
        )
    return client.experiments.find_or_create(client.projects.find_or_create(project).id, experiment).id
