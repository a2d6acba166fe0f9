"""Versions of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from deardiary.api import Calls, path_of, present
from deardiary.entities import reference
from deardiary.wire.shapes import Iteration, ModelVersion, Stage


class ModelVersions(Calls):
    def create(
        self,
        model_id: str,
        iteration_id: str,
        *,
        resource_id: str | None = None,
        description: str = "",
        source: str = "",
        id_key: str | None = None,
        created_date: datetime | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> ModelVersion:
        """Create the next version, at NO_STAGE; if the model has one with this ``id_key``, return that one.

        Iteration and resource belong to the model's project. A version without a resource may get one later, once.
        ``source`` is a text of your own, such as the URL of the file elsewhere. Give ``created_date`` if it is a copy
        of an earlier one.
        """
        body = present(
            iteration_id=iteration_id,
            resource_id=resource_id,
            description=description,
            # An older server knows no source.
            source=source or None,
            id_key=id_key,
            created_date=created_date,
            labels=labels,
        )
        path = path_of("models", model_id, "versions")
        return self._api.post(ModelVersion, path, body, repeatable=id_key is not None)

    def get(self, version: str) -> ModelVersion:
        """Return a version by its id, or by ``MODEL@ALIAS`` or ``MODEL/3``.

        The model is one of the default project (``DEARDIARY_PROJECT``), or named as ``PROJECT/MODEL``.
        """
        found = reference.find_version(self._api, version)
        return found or self._api.get(ModelVersion, path_of("modelversions", version))

    def list(self, model_id: str, *, stage: Stage | None = None) -> Iterator[ModelVersion]:
        """List the versions of a model, or those at a stage, in the order of their numbers."""
        query = {"stage": None if stage is None else str(int(stage))}
        return self._api.pages(ModelVersion, path_of("models", model_id, "versions"), query)

    def update(
        self,
        version_id: str,
        *,
        stage_id: Stage | None = None,
        description: str | None = None,
        resource_id: str | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> ModelVersion:
        """Change the given fields. PRODUCTION archives the version that had this stage, in one transaction.

        ``labels`` are merged: None removes one, the others stay. A version without a resource may get one; ClientError
        409 CONFLICT if it has another one already.
        """
        body = present(stage_id=stage_id, description=description, resource_id=resource_id, labels=labels)
        return self._api.patch(ModelVersion, path_of("modelversions", version_id), body)

    def uses(self, version_id: str) -> Iterator[Iteration]:
        """List the iterations that have read the version, oldest first."""
        return self._api.pages(Iteration, path_of("modelversions", version_id, "uses"))

    def delete(self, version_id: str) -> None:
        """Delete a version. Its number is not reused, and its resource remains."""
        self._api.delete(path_of("modelversions", version_id))
