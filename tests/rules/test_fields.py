"""The fields of an entity agree wherever they are listed: shape, row, PATCH body, service, client."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple, get_type_hints

import pytest

from chalicelib.routes.experiment import ExperimentPatch
from chalicelib.routes.iteration import IterationPatch
from chalicelib.routes.resource import ResourcePatch
from chalicelib.services.experiment import ExperimentChanges
from chalicelib.services.iteration import IterationChanges
from chalicelib.services.resource import ResourceChanges
from chalicelib.storage import iteration as iterations
from chalicelib.storage.experiment import ExperimentRow
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.resource import ResourceRow
from deardiary.entities.experiment import Experiments
from deardiary.entities.iteration import Iterations
from deardiary.entities.resource import Resources
from deardiary.wire.shapes import Experiment, Iteration, Resource


class Entity(NamedTuple):
    """The places that list fields. ``apart``: fields of the shape that another item stores."""

    shape: type
    row: Any
    patch: Any
    changes: Any
    update: Any
    apart: frozenset[str] = frozenset()


ENTITIES = [
    Entity(Iteration, IterationRow, IterationPatch, IterationChanges, Iterations.update),
    Entity(Experiment, ExperimentRow, ExperimentPatch, ExperimentChanges, Experiments.update),
    Entity(Resource, ResourceRow, ResourcePatch, ResourceChanges, Resources.update, frozenset({"data"})),
]


def _fields(shape: Any) -> set[str]:
    return set(get_type_hints(shape))


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.shape.__name__)
def test_the_fields_of_an_entity_agree(entity: Entity) -> None:
    assert _fields(entity.shape) - entity.row.get_attributes().keys() == entity.apart
    changeable = set(entity.patch.__struct_fields__)
    assert changeable <= _fields(entity.shape)
    assert _fields(entity.changes) == changeable
    named = {
        name for name, each in inspect.signature(entity.update).parameters.items() if each.kind is each.KEYWORD_ONLY
    }
    assert named == changeable


def test_every_changeable_field_of_an_iteration_is_written() -> None:
    assert set(iterations._CHANGEABLE) == set(IterationPatch.__struct_fields__)
