"""Parameters of nested objects: one level of names, joined by dots."""

from __future__ import annotations

import argparse
import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import deardiary
from deardiary.testing import MemoryServer


@dataclasses.dataclass
class Model:
    depth: int = 3
    sizes: tuple[int, ...] = (1, 2)


class Config(Mapping[str, Any]):
    """A mapping that is no dict, as those of omegaconf."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


class Pydantic:
    def model_dump(self) -> dict[str, Any]:
        return {"model": Model(), "none": None}


class Attrs:
    __attrs_attrs__ = (types.SimpleNamespace(name="lr"),)
    lr = 0.1


def started(parameters: Any) -> dict[str, str]:
    memory = MemoryServer()
    with deardiary.start("Iris", "sweep", client=memory.client(), parameters=parameters, capture=()):
        pass
    with deardiary.start("Iris", "sweep", client=memory.client(), capture=()) as iteration:
        iteration.log_parameters(parameters)
    first, second = memory.iterations
    assert first.parameters == second.parameters
    return first.parameters


@pytest.mark.parametrize(
    ("parameters", "texts"),
    [
        ({"lr": 0.1, "names": ["a"]}, {"lr": "0.1", "names": "['a']"}),
        ({"model": {"depth": 3, "block": {"width": 2}}}, {"model.depth": "3", "model.block.width": "2"}),
        ({"empty": {}, "kind": Model}, {"empty": "{}", "kind": str(Model)}),
        ({"layers": {0: "conv", True: "x"}}, {"layers.0": "conv", "layers.True": "x"}),
        (Model(), {"depth": "3", "sizes": "(1, 2)"}),
        ({"model": Model()}, {"model.depth": "3", "model.sizes": "(1, 2)"}),
        (argparse.Namespace(lr=0.1, model=Model()), {"lr": "0.1", "model.depth": "3", "model.sizes": "(1, 2)"}),
        (types.SimpleNamespace(lr=0.1), {"lr": "0.1"}),
        (Config({"a": Config({"b": 1})}), {"a.b": "1"}),
        (Pydantic(), {"model.depth": "3", "model.sizes": "(1, 2)", "none": "None"}),
        (Attrs(), {"lr": "0.1"}),
    ],
)
def test_nested_parameters_are_flattened(parameters: Any, texts: dict[str, str]) -> None:
    assert started(parameters) == texts


def _endless() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    inner["again"] = inner
    return inner


@pytest.mark.parametrize(
    ("parameters", "kind", "words"),
    [
        ({"a.b": 1, "a": {"b": 2}}, ValueError, "'a.b' is given twice"),
        (_endless(), ValueError, "32 levels"),
        ([("lr", 1)], TypeError, "not list"),
        (5, TypeError, "not int"),
        (Model, TypeError, "not type"),
        ({1: 2}, TypeError, "A key is text"),
    ],
)
def test_other_parameters_are_refused(parameters: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        started(parameters)
