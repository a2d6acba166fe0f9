"""No input makes the MLflow face fail: each operation answers wrong, strange and hostile requests without a 5xx."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from chalicelib.routes.http.face import Operation
from chalicelib.routes.mlflow.door import FACE
from tests.support.mlflow import Mlflow

FACE.load()
STRANGE: list[Any] = [
    *(None, True, -1, 2**64, 1e308, "", "A#B\x00", "\ud800", "../..", "0", "tags.`", "y" * 10_000),
    *(["x", 1, None], {"key": {"key": []}}, [{"key": "k", "value": 1, "timestamp": 1, "step": 1}]),
]
TEXTS = [each for each in STRANGE if isinstance(each, str) and each != "\ud800"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def known(mlflow: Mlflow) -> dict[str, str]:
    """Fields that name something that there is."""
    experiment = mlflow.new_experiment()
    return {"experiment_id": experiment, "run_id": mlflow.new_run(experiment), "key": "k", "metric_key": "k"}


def _path(operation: Operation, value: str) -> str:
    parts = operation.path.split("/")
    return "/".join(quote(value, safe="") or "x" if part.startswith("{") else part for part in parts)


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.mark.parametrize("operation", FACE.operations, ids=_name)
def test_strange_values_of_each_field_are_answered(mlflow: Mlflow, known: dict[str, str], operation: Operation) -> None:
    if operation.body is not None:
        bodies = [known | {name: value} for name in operation.body.__struct_fields__ for value in STRANGE]
        for body in (*STRANGE, *bodies):
            reply = mlflow.send(operation.method, _path(operation, "x"), body)
            assert reply.status < 500, (body, reply)
    names = [field.name for field in structs.fields(operation.query)]
    for query in (known | {name: text} for name in names for text in TEXTS):
        reply = mlflow.send(operation.method, f"{_path(operation, 'x')}?{urlencode(query)}")
        assert reply.status < 500, (query, reply)
    for text in TEXTS if "{" in operation.path else ():
        reply = mlflow.send(operation.method, _path(operation, text), None if operation.method == "GET" else {})
        assert reply.status < 500, (text, reply)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([each for each in FACE.operations if each.body]), st.data())
def test_any_json_is_answered(mlflow: Mlflow, known: dict[str, str], operation: Operation, data: st.DataObject) -> None:
    names = operation.body.__struct_fields__ if operation.body else ()
    body = data.draw(
        JSON | st.dictionaries(st.sampled_from([*names, "x"]), JSON, max_size=4).map(lambda it: known | it)
    )
    reply = mlflow.send(operation.method, _path(operation, "x"), json.dumps(body).encode())
    assert reply.status < 500, (body, reply)
