"""No text from a caller can make the key of one row equal that of another row."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from chalicelib import ids
from chalicelib.storage.table import keys
from chalicelib.storage.table.keys import Key

TEXTS = st.text(max_size=6) | st.sampled_from(["a", "a#a", "a#b", "#", "a source b", "", '", "'])
# The possible texts in a path in the position of an id.
IDS = st.sampled_from(["a", "b", "a.b", "b.a"])
HASHES = TEXTS.map(ids.hash_text)
NUMBERS = st.sampled_from([0, 1, 11, 999])
PARTITIONS = st.one_of(*(IDS.map(each) for each in (keys.user_partition, keys.project_partition)))

# The possible values of each parameter of a key function, by its name.
ARGUMENTS: dict[str, SearchStrategy[object]] = {
    "name": TEXTS,
    "text": TEXTS,
    "scope_partition": PARTITIONS,
    "owner": st.builds(Key, PARTITIONS, st.just("")),
    "generation": IDS,
    "what": IDS,
    "sha256": HASHES,
    "part": NUMBERS,
    "due": NUMBERS,
    "window": NUMBERS,
}
BY_TYPE = {"int": NUMBERS, "str": IDS}


def _strategy(parameter: inspect.Parameter) -> SearchStrategy[object]:
    if parameter.name.endswith("_hash"):
        return HASHES
    return ARGUMENTS.get(parameter.name, BY_TYPE.get(str(parameter.annotation), st.nothing()))


def _is_key_function(candidate: object) -> bool:
    return inspect.isfunction(candidate) and inspect.signature(candidate).return_annotation == "Key"


FUNCTIONS: dict[str, Callable[..., Key]] = dict(inspect.getmembers(keys, _is_key_function))


def _arguments(name: str) -> SearchStrategy[tuple[object, ...]]:
    return st.tuples(*map(_strategy, inspect.signature(FUNCTIONS[name]).parameters.values()))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_different_arguments_make_different_keys(name: str, data: DataObject) -> None:
    one, other = data.draw(_arguments(name)), data.draw(_arguments(name))
    shared = data.draw(st.tuples(*(st.booleans() for _ in one)))
    other = tuple(first if same else second for first, second, same in zip(one, other, shared, strict=True))
    assert (FUNCTIONS[name](*one) == FUNCTIONS[name](*other)) == (one == other)


@pytest.mark.parametrize("partition", [keys.project_partition("a"), keys.experiment_partition("a")])
def test_different_functions_make_different_keys(partition: str) -> None:
    same = {"owner": Key(partition, ""), "scope_partition": partition, "part": 0, "number": 0, "due": 0, "window": 0}
    same |= {"accepted_us": 0}
    made = [
        function(*(same.get(name, "a") for name in inspect.signature(function).parameters))
        for function in FUNCTIONS.values()
    ]
    assert len(set(made)) == len(FUNCTIONS)


@given(st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3))
@settings(deadline=None)
def test_a_hash_of_several_texts_tells_them_apart(one: list[str], other: list[str]) -> None:
    assert (ids.hash_texts(*one) == ids.hash_texts(*other)) == (one == other)
