"""Models of a project; a model is a name with versions, and aliases name some of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from os import PathLike
from pathlib import Path

from deardiary.api import Calls, path_of, present
from deardiary.entities.modelversion import ModelVersions
from deardiary.entities.resource import Resources
from deardiary.errors import ClientError
from deardiary.transfer.progress import Progress
from deardiary.wire.shapes import Model, ModelVersion


class Models(Calls):
    def create(
        self,
        project_id: str,
        name: str,
        description: str = "",
        *,
        created_date: datetime | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Model:
        """Create a model, with ``created_date`` if it is a copy of an earlier one.

        ClientError 409 CONFLICT if the project has one of that name.
        """
        body = present(name=name, description=description, created_date=created_date, labels=labels)
        return self._api.post(Model, path_of("projects", project_id, "models"), body)

    def get(self, model_id: str) -> Model:
        return self._api.get(Model, path_of("models", model_id))

    def list(self, project_id: str, *, name: str | None = None) -> Iterator[Model]:
        """List the models of a project, or the one of exactly that name."""
        return self._api.pages(Model, path_of("projects", project_id, "models"), {"name": name})

    def find_or_create(self, project_id: str, name: str) -> Model:
        """Return the project's model of that name, or create it; concurrent calls create only one."""
        found = next(self.list(project_id, name=name), None)
        if found is not None:
            return found
        try:
            return self.create(project_id, name)
        except ClientError as error:
            made = next(self.list(project_id, name=name), None) if error.status == 409 else None
            if made is None:
                raise
            return made

    def update(
        self,
        model_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> Model:
        """Change the given fields. ``labels`` are merged: None removes one, the others stay."""
        body = present(name=name, description=description, labels=labels)
        return self._api.patch(Model, path_of("models", model_id), body)

    def get_alias(self, model_id: str, alias: str) -> ModelVersion:
        """Return the version that an alias names."""
        return self._api.get(ModelVersion, path_of("models", model_id, "aliases", alias))

    def set_alias(self, model_id: str, alias: str, version: int) -> ModelVersion:
        """Let an alias name this version of the model, and no other version any more. Return the version.

        An alias has up to 255 letters, digits, hyphens and underscores; it is not ``latest``, a number, or ``v3``.
        """
        return self._api.put(ModelVersion, path_of("models", model_id, "aliases", alias), {"version": version})

    def delete_alias(self, model_id: str, alias: str) -> None:
        """Delete an alias; its version remains."""
        self._api.delete(path_of("models", model_id, "aliases", alias))

    def download(
        self,
        version: str,
        target: str | PathLike[str] = ".",
        *,
        progress: Progress | None = None,
        overwrite: bool = True,
    ) -> Path:
        """Download the file of a version, such as ``iris@champion``, as `Resources.download` does; return its path.

        `ModelVersions.get` lists the ways to name a version. FileNotFoundError if the version has no file.
        """
        found = ModelVersions(self._api).get(version)
        if found.resource_id is None:
            raise FileNotFoundError(f"Version {found.version} of this model has no file")
        return Resources(self._api).download(found.resource_id, target, progress=progress, overwrite=overwrite)

    def delete(self, model_id: str, *, purge: bool = False) -> None:
        """Delete a model and its versions; their resources remain.

        ``client.trash`` restores it for seven days, unless ``purge`` removes it for good.
        """
        self._api.delete(path_of("models", model_id), purge=purge)
