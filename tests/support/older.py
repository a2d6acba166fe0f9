"""Data as servers of older versions stored it, to test this version with it."""

from __future__ import annotations

from chalicelib import clock, ids
from chalicelib.storage import experiment as storage
from chalicelib.storage.table import item, keys
from deardiary.wire.shapes import Experiment, ExperimentStatus


def put_older_experiment(project_id: str, name: str) -> str:
    """Store an experiment without a sentinel for its name; return its id."""
    made_id = ids.new_id()
    made = Experiment(
        id=made_id,
        project_id=project_id,
        status_id=ExperimentStatus.IN_PROGRESS,
        name=made_id,
        description="",
        created_date=clock.now(),
    )
    storage.create_experiment(made, None)
    storage.ExperimentNameRow(*keys.experiment_name(project_id, made.name)).delete()
    row = storage.ExperimentRow(*keys.experiment(project_id, made.id))
    row.update([storage.ExperimentRow.name.set(name)])
    return made.id


def forget_links(iteration_id: str, *resource_ids: str) -> None:
    """Store the iteration and its resources without links from one to the others."""
    ref = item.Ref(*keys.iteration_ref(iteration_id))
    ref.update([item.Ref.links_resources.remove()])
    item.delete_items(keys.resource_link(iteration_id, each) for each in resource_ids)
