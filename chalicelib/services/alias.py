"""Aliases: names of versions that move. An alias of a model names one of its versions.

The model's row has all its aliases. A write is conditional on those that the server has read; if another request was
faster, the server reads the row and decides again.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib import limits
from chalicelib.errors import InvalidPayload, NotFound, Overtaken
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access, event
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import modelversion as storage
from chalicelib.storage.reads.lineage import ModelLineage
from deardiary.wire.shapes import ModelVersion


def get_version_of_alias(actor: Actor, model_id: str, alias: str) -> ModelVersion:
    """The version that the alias names."""
    return until_not_overtaken(lambda: _named(access.model(actor, model_id, Need.READ), alias))


def put_alias(actor: Actor, model_id: str, alias: str, number: int) -> ModelVersion:
    """Create the alias, or move it; return its version. InvalidPayload if the model has no such version."""
    return until_not_overtaken(lambda: _put(actor, access.model(actor, model_id, Need.UPDATE), alias, number))


def delete_alias(actor: Actor, model_id: str, alias: str) -> None:
    """Delete the alias; its version stays."""

    def delete() -> None:
        line = access.model(actor, model_id, Need.DELETE)
        if alias not in line.registry.aliases:
            raise NotFound
        storage.delete_alias(line.model, line.registry, alias, event.alias_moved(line, alias, None, actor.site))

    until_not_overtaken(delete)


def _named(line: ModelLineage, alias: str) -> ModelVersion:
    """NotFound without the alias. Overtaken if it has moved, and its earlier version was deleted, since `line`."""
    number = line.registry.aliases.get(alias)
    if number is None:
        raise NotFound
    version = storage.find_version(line.model, line.registry, number)
    if version is None:
        raise Overtaken
    return version


def _put(actor: Actor, line: ModelLineage, alias: str, number: int) -> ModelVersion:
    version = storage.find_version(line.model, line.registry, number)
    if version is None:
        raise InvalidPayload(f"The model has no version {number}", field="version")
    if alias in version.aliases:
        return version
    if alias not in line.registry.aliases and len(line.registry.aliases) >= limits.MAX_MODEL_ALIASES:
        raise InvalidPayload(f"A model has at most {limits.MAX_MODEL_ALIASES} aliases", field="alias")
    moved = event.alias_moved(line, alias, number, actor.site)
    storage.name_version(line.model, line.registry, alias, version, moved)
    return replace(version, aliases=tuple(sorted({*version.aliases, alias})))
