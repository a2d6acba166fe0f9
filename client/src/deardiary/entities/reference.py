"""References to model versions: ``MODEL@ALIAS`` and ``MODEL/3``, of the default project or after ``PROJECT/``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from deardiary import settings
from deardiary.api import Api, path_of
from deardiary.errors import ClientError
from deardiary.wire.shapes import Model, ModelVersion, Project


class Reference(NamedTuple):
    """The parts of a reference: a model, and an alias or a number of one of its versions."""

    model: str
    alias: str | None = None
    number: int | None = None


def parse(text: str) -> Reference | None:
    """The parts of a reference to a version; None for another text, such as an id or a model alone."""
    model, at, alias = text.rpartition("@")
    if model and alias and at and "/" not in alias:
        return Reference(model, alias=alias)
    model, slash, number = text.rpartition("/")
    if model and slash and number.isascii() and number.isdecimal():
        return Reference(model, number=int(number))
    return None


def readings(text: str) -> Sequence[tuple[str, str]]:
    """The ways to read PROJECT/NAME or NAME: project and name; both may contain slashes."""
    parts = text.split("/")
    found = [("/".join(parts[:at]), "/".join(parts[at:])) for at in range(1, len(parts))]
    default = settings.default_project()
    return [*([(default, text)] if default else []), *((above, name) for above, name in found if above and name)]


def find_version(api: Api, text: str) -> ModelVersion | None:
    """The version that a text refers to; None if the text is no reference. ClientError 404 if there is no such one."""
    reference = parse(text)
    if reference is None:
        return None
    model = next(_models(api, reference.model), None)
    if model is None:
        hint = "" if "/" in reference.model or settings.default_project() else ": name it as PROJECT/MODEL"
        raise _absent(f"There is no model {reference.model!r}{hint}", text)
    return _version_of(api, model, reference)


def version_id(model_id: str, number: int) -> str:
    return f"{model_id}.{number:09}"


def _version_of(api: Api, model: Model, reference: Reference) -> ModelVersion:
    if reference.alias is not None:
        return api.get(ModelVersion, path_of("models", model.id, "aliases", reference.alias))
    try:
        return api.get(ModelVersion, path_of("modelversions", version_id(model.id, reference.number or 0)))
    except ClientError as error:
        if error.status != 404:
            raise
        message = f"The model {reference.model} has no version {reference.number}"
        raise _absent(message, f"{reference.model}/{reference.number}") from error


def _models(api: Api, text: str) -> Iterator[Model]:
    for above, name in readings(text):
        for project in api.pages(Project, path_of("projects"), {"name": above}):
            yield from api.pages(Model, path_of("projects", project.id, "models"), {"name": name})


def _absent(message: str, text: str) -> ClientError:
    return ClientError(404, "NOT_FOUND", message, {"kind": "modelversion", "id": text})
