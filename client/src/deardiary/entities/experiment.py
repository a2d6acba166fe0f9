"""Experiments of a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from deardiary.api import Calls, path_of, present
from deardiary.entities.naming import find_or_create
from deardiary.wire.shapes import DependentVersion, Experiment, ExperimentStatus


class Experiments(Calls):
    def create(
        self,
        project_id: str,
        name: str,
        description: str = "",
        *,
        id_key: str | None = None,
        created_date: datetime | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Experiment:
        """Create an experiment, IN_PROGRESS; if the project has one with this ``id_key``, return that one.

        Give ``created_date`` if it is a copy of an earlier one. `Conflict` if the project has another experiment of
        that name.
        """
        body = present(name=name, description=description, id_key=id_key, created_date=created_date, labels=labels)
        path = path_of("projects", project_id, "experiments")
        return self._api.post(Experiment, path, body, repeatable=id_key is not None)

    def get(self, experiment_id: str) -> Experiment:
        return self._api.get(Experiment, path_of("experiments", experiment_id))

    def list(self, project_id: str, *, name: str | None = None) -> Iterator[Experiment]:
        """List the experiments of a project, or those of exactly that name."""
        return self._api.pages(Experiment, path_of("projects", project_id, "experiments"), {"name": name})

    def find_or_create(self, project_id: str, name: str) -> Experiment:
        """Return the experiment of that name, or create it once; the first, if an older server stored several."""
        return find_or_create(
            "experiment",
            name,
            lambda: self.list(project_id, name=name),
            lambda id_key: self.create(project_id, name, id_key=id_key),
        )

    def update(
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        status_id: ExperimentStatus | None = None,
        end_date: datetime | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> Experiment:
        """Change the given fields. IN_PROGRESS clears the end date; STOPPED and FINISHED set it, by default to now.

        ``labels`` are merged: None removes one, the others stay.

        `Conflict` if another experiment of the project has the new name.
        """
        body = present(name=name, description=description, status_id=status_id, end_date=end_date, labels=labels)
        return self._api.patch(Experiment, path_of("experiments", experiment_id), body)

    def modelversions(self, experiment_id: str) -> Iterator[DependentVersion]:
        """List the model versions that came from the experiment's iterations, or whose files are in it."""
        return self._api.pages(DependentVersion, path_of("experiments", experiment_id, "modelversions"))

    def delete(self, experiment_id: str, *, purge: bool = False) -> None:
        """Delete an experiment and everything in it.

        ``client.trash`` restores it for seven days, unless ``purge`` removes it for good.
        """
        self._api.delete(path_of("experiments", experiment_id), purge=purge)
