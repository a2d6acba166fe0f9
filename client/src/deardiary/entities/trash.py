"""The trash: deleted objects that can be restored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deardiary.api import Calls, path_of, present
from deardiary.wire.form import from_json
from deardiary.wire.shapes import Experiment, Iteration, LoggedModel, Model, Project, Resource, Trashed

# A field that only this shape has. The answer to a restoration does not name its kind.
_SHAPES: dict[str, type[Project | Experiment | Iteration | Resource | Model | LoggedModel]] = {
    "content_hash": Resource,
    "parent_iteration_id": Iteration,
    "parameters": LoggedModel,
    "aliases": Model,
    "status_id": Experiment,
    "name": Project,
}


class Trash(Calls):
    """Deleted projects, experiments, iterations, resources, models and logged models, until their ``purge_date``."""

    def list(self, project: str | None = None) -> Iterator[Trashed]:
        """List what was deleted in a project, given by its id; without one, the deleted projects that you may restore.

        What is below another deleted object is listed once that is restored.
        """
        return self._api.pages(Trashed, "/trash" if project is None else path_of("projects", project, "trash"))

    def restore(
        self, object_id: str, name: str | None = None
    ) -> Project | Experiment | Iteration | Resource | Model | LoggedModel:
        """Restore a deleted object as it was, and return it.

        `Conflict` if its name has been taken since: give another ``name``. `NotFound` if it is not in the trash, or if
        an object above it is.
        """
        return self._api.post_as(_restored, path_of("trash", object_id), present(name=name), repeatable=True)

    def purge(self, object_id: str) -> None:
        """Remove a deleted object and everything in it for good, before its purge date."""
        self._api.delete(path_of("trash", object_id))


def _restored(answer: dict[str, Any]) -> Project | Experiment | Iteration | Resource | Model | LoggedModel:
    return from_json(next(shape for field, shape in _SHAPES.items() if field in answer), answer)
