"""Rows and shapes, field by field: an attribute of a row has the name of the shape's field.

An IntEnum is stored as a number. The caller gives each field that is computed, or that the row names otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key

M = TypeVar("M", bound=Item)
S = TypeVar("S")


class _Plan(NamedTuple):
    """The fields that a model and a shape share, and the enumerations among them."""

    names: Sequence[str]
    enums: Sequence[tuple[str, type[IntEnum]]]


def shape_of(row: Item, shape: Callable[..., S], **given: Any) -> S:
    """The shape of a row. A field that the row lacks is None; one that its model lacks gets the shape's default."""
    plan, values = _plan(type(row), shape), row.attribute_values
    fields = {name: values.get(name) for name in plan.names}
    for name, enum in plan.enums:
        fields[name] = enum(int(values[name]))
    fields.update(given)
    return shape(**fields)


def row_of(model: type[M], key: Key, shape: Any, **given: Any) -> M:
    """The row of a shape, at this key; `given` has the attributes that the shape lacks."""
    plan = _plan(model, shape.__class__)
    values = {name: getattr(shape, name) for name in plan.names}
    for name, _ in plan.enums:
        values[name] = int(values[name])
    values.update(given)
    return model(*key, **values)


@cache
def _plan(model: type[Item], shape: Callable[..., Any]) -> _Plan:
    # `kind` names the model of a row: a shape's own kind is stored under another name.
    attributes = model.get_attributes().keys() - {"kind"}
    kinds = {name: kind for name, kind in get_type_hints(shape).items() if name in attributes}
    enums = [(name, kind) for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, IntEnum)]
    return _Plan(list(kinds), enums)
