"""Models and their versions on their way to a server, with the numbers of their origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deardiary.errors import Conflict
from deardiary.wire import limits
from deardiary_exchange import checks
from deardiary_exchange.keys import key_of

if TYPE_CHECKING:
    import deardiary
    from deardiary.wire.shapes import Model, ModelVersion
    from deardiary_exchange import runs
    from deardiary_exchange.runs import Version


class Models:
    """The models of one project. Stages and aliases are set at the end: a promotion archives another version."""

    def __init__(self, client: deardiary.Client, project_id: str) -> None:
        self._client = client
        self._project_id = project_id
        self._models: dict[str, Model] = {}
        self._versions: dict[str, dict[int, ModelVersion]] = {}  # by the model's id, and their numbers
        self._loaded: list[tuple[Version, ModelVersion]] = []

    def bring(
        self, wanted: Version, iteration_id: str, resource_id: str | None, not_taken: list[str]
    ) -> tuple[ModelVersion, bool]:
        """Return the version and True if it is new. Conflict if its number has gone to another one."""
        model = self.load(wanted.model, not_taken)
        found = next(
            (each for each in self._client.modelversions.list(model.id) if each.version == wanted.version), None
        )
        if found is None:
            return self._created(model, wanted, iteration_id, resource_id, not_taken), True
        if found.iteration_id != iteration_id:
            message = f"Version {wanted.version} of {wanted.model.name!r} is another one here"
            raise Conflict(409, "CONFLICT", message)
        self._loaded.append((wanted, found))
        return found, False

    def finish(self) -> None:
        """Set the stages and the aliases of the loaded versions."""
        for wanted, version in self._loaded:
            if version.stage_id != wanted.stage:
                self._client.modelversions.update(version.id, stage_id=wanted.stage)
            for alias in wanted.aliases:
                if alias not in version.aliases:
                    self._client.models.set_alias(version.model_id, alias, version.version)
        self._loaded.clear()

    def load(self, wanted: runs.Model, not_taken: list[str] | None = None) -> Model:
        """Find or create a model."""
        if wanted.name not in self._models:
            model = self._models[wanted.name] = self._found(wanted, [] if not_taken is None else not_taken)
            self._versions[model.id] = {each.version: each for each in self._client.modelversions.list(model.id)}
        return self._models[wanted.name]

    def _found(self, wanted: runs.Model, not_taken: list[str]) -> Model:
        name = checks.name(wanted.name, not_taken) or wanted.name
        found = next(self._client.models.list(self._project_id, name=name), None)
        return found or self._client.models.create(
            self._project_id,
            name,
            checks.text("description", wanted.description, limits.MAX_TEXT_BYTES, not_taken),
            **given(
                created_date=wanted.created_date,
                labels=checks.labels(wanted.labels, not_taken, limits.MAX_MODEL_LABEL_CHARACTERS) or None,
            ),
        )

    def _created(
        self, model: Model, wanted: Version, iteration_id: str, resource_id: str | None, not_taken: list[str]
    ) -> ModelVersion:
        """Create the version under its number.

        A number before it that the origin does not have is used up by a deletion: the server gives it to no other.
        """
        fields: dict[str, Any] = {
            "resource_id": resource_id,
            "description": checks.text("description", wanted.description, limits.MAX_TEXT_BYTES, not_taken),
            "source": checks.text("source", wanted.source, limits.MAX_TEXT_BYTES, not_taken),
            "created_date": wanted.created_date,
            "labels": checks.labels(wanted.labels, not_taken, limits.MAX_MODEL_LABEL_CHARACTERS) or None,
        }
        while True:
            version = self._client.modelversions.create(
                model.id, iteration_id, id_key=key_of(wanted.key), **given(**fields)
            )
            if version.version >= wanted.version:
                break
            # This frees the id_key too.
            self._client.modelversions.delete(version.id)
        if version.version > wanted.version:
            not_taken.append(f"number {wanted.version}: it is version {version.version} here")
        self._loaded.append((wanted, version))
        return version


def given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
