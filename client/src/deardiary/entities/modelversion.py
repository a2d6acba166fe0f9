"""Versions of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.api import Api, path_of, present
from deardiary.wire.shapes import ModelVersion, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


class ModelVersions:
    def __init__(self, api: Api) -> None:
        self._api = api

    def create(
        self,
        model_id: str,
        iteration_id: str,
        *,
        resource_id: str | None = None,
        description: str = "",
        id_key: str | None = None,
    ) -> ModelVersion:
        """The next version, at NO_STAGE; with the ``id_key`` of one of the same model, that one.

        Iteration and resource are of the model's project.
        """
        body = present(iteration_id=iteration_id, resource_id=resource_id, description=description, id_key=id_key)
        path = path_of("models", model_id, "versions")
        return self._api.post(ModelVersion, path, body, repeatable=id_key is not None)

    def get(self, version_id: str) -> ModelVersion:
        return self._api.get(ModelVersion, path_of("modelversions", version_id))

    def list(self, model_id: str, *, stage: Stage | None = None) -> Iterator[ModelVersion]:
        """The versions of a model, in the order of their numbers, or those that are at a stage."""
        query = {"stage": None if stage is None else str(int(stage))}
        return self._api.pages(ModelVersion, path_of("models", model_id, "versions"), query)

    def update(self, version_id: str, *, stage_id: Stage | None = None, description: str | None = None) -> ModelVersion:
        """To put a version in PRODUCTION archives the one that was, in the same moment."""
        body = present(stage_id=stage_id, description=description)
        return self._api.patch(ModelVersion, path_of("modelversions", version_id), body)

    def delete(self, version_id: str) -> None:
        """Delete a version; its number is not given again, and its resource stays."""
        self._api.delete(path_of("modelversions", version_id))
