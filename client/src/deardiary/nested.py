"""Parameters given as nested objects, as one level of names joined by dots."""

import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

_DEEPEST = 32


def flat(parameters: Any) -> dict[Any, Any]:
    """``{"model": {"depth": 3}}`` as ``{"model.depth": 3}``.

    Accepts dicts and other mappings (omegaconf), dataclasses, models of pydantic, objects of attrs, and namespaces
    (argparse), at every level. TypeError for anything else at the top; ValueError for two values of one name, and for
    more than 32 levels.
    """
    fields = _fields(parameters)
    if fields is None:
        raise TypeError(f"Parameters are a dict, a dataclass or the like, not {type(parameters).__name__}")
    found: dict[Any, Any] = {}
    for name, value in _walk(fields, ()):
        if name in found:
            raise ValueError(f"The parameter {name!r} is given twice")
        found[name] = value
    return found


def _walk(fields: Mapping[Any, Any], above: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    if len(above) >= _DEEPEST:
        raise ValueError(f"Parameters have at most {_DEEPEST} levels")
    for key, value in fields.items():
        path = (*above, key)
        inner = _fields(value)
        if inner:
            yield from _walk(inner, path)
        else:
            yield (".".join(map(str, path)) if above else key), value


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """What a value consists of; None if it is one value."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__ if hasattr(value, name)}
    if hasattr(value, "__attrs_attrs__"):
        return {each.name: getattr(value, each.name) for each in value.__attrs_attrs__}
    if callable(getattr(value, "model_dump", None)):
        dumped: Mapping[Any, Any] = value.model_dump()
        return dumped
    argparse = sys.modules.get("argparse")
    if isinstance(value, types.SimpleNamespace) or (argparse and isinstance(value, argparse.Namespace)):
        return vars(value)
    return None
