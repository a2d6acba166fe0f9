"""Models of a project; a model is a name with versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.api import Api, path_of, present
from deardiary.errors import ClientError
from deardiary.wire.shapes import Model

if TYPE_CHECKING:
    from collections.abc import Iterator


class Models:
    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, project_id: str, name: str, description: str = "") -> Model:
        """Create a model. ClientError 409 CONFLICT if the project has one of that name."""
        body = present(name=name, description=description)
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

    def update(self, model_id: str, *, name: str | None = None, description: str | None = None) -> Model:
        body = present(name=name, description=description)
        return self._api.patch(Model, path_of("models", model_id), body)

    def delete(self, model_id: str) -> None:
        """Delete a model and its versions; their resources remain."""
        self._api.delete(path_of("models", model_id))
