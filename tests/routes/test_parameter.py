"""Parameters: a key is there once, and creating it again never changes it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import check_invalid, check_refused, found, made, new_iteration
from tests.support.server import Reply, Server


def _create(server: Server, iteration: str, key: Any, value: Any) -> Reply:
    return server.call("POST", f"/iterations/{iteration}/parameters", {"key": key, "value": value})


def _log(server: Server, iteration: str, parameters: Any) -> Reply:
    return server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "b", "parameters": parameters})


def _values(server: Server, iteration: str) -> dict[str, str]:
    listed = found(server.call("GET", f"/iterations/{iteration}/parameters?limit=200"))["data"]
    return {each["key"]: each["value"] for each in listed}


@pytest.fixture(scope="module")
def iteration(server: Server) -> str:
    return new_iteration(server)


def test_a_new_parameter_whole(server: Server) -> None:
    iteration = new_iteration(server)
    parameter = made(_create(server, iteration, "lr", "0.01"))
    assert parameter == {"id": parameter["id"], "iteration_id": iteration, "key": "lr", "value": "0.01"}
    assert found(server.call("GET", f"/parameters/{parameter['id']}")) == parameter


def test_the_same_again_is_nothing_and_another_value_a_conflict(server: Server, iteration: str) -> None:
    parameter = made(_create(server, iteration, "again", "1"))
    assert found(_create(server, iteration, "again", "1")) == parameter
    check_refused(_create(server, iteration, "again", "1.0"), 409, "CONFLICT", "again")
    assert _values(server, iteration)["again"] == "1"


def test_a_patch_changes_it_and_a_deletion_frees_the_key(server: Server, iteration: str) -> None:
    parameter = made(_create(server, iteration, "changed", "1"))
    path = f"/parameters/{parameter['id']}"
    assert found(server.call("PATCH", path, {"value": "2"})) == parameter | {"value": "2"}
    assert found(server.call("GET", path))["value"] == "2"
    check_invalid(server.call("PATCH", path, {"key": "other"}), "key")
    assert server.call("DELETE", path).status == 204
    for method, body in (("GET", None), ("PATCH", {"value": "3"}), ("DELETE", None)):
        check_refused(server.call(method, path, body), 404, "NOT_FOUND")
    again = made(_create(server, iteration, "changed", "4"))
    assert again["id"] != parameter["id"]
    check_refused(server.call("GET", path), 404, "NOT_FOUND")


KEYS = ["a", "k" * 250, "é" * 250, "😀" * 250, "a b/c%#?.\"'\\", "ﬀ ​"]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_keys_that_fit(server: Server, iteration: str, key: str) -> None:
    assert made(_create(server, iteration, key, "v"))["key"] == key
    assert _values(server, iteration)[key] == "v"


@pytest.mark.parametrize("key", ["", "k" * 251, "😀" * 251, "a\nb", "a\n", "\0", "\x7f", "\x85", None, 1])
def test_keys_that_do_not_fit(server: Server, iteration: str, key: Any) -> None:
    check_invalid(_create(server, iteration, key, "v"), "key")


def test_keys_that_look_alike_are_not_the_same(server: Server) -> None:
    iteration = new_iteration(server)
    alike = ["é", "e\u0301", "E\u0301", " e", "e ", "e"]
    made(_log(server, iteration, {key: str(at) for at, key in enumerate(alike)}))
    assert _values(server, iteration) == {key: str(at) for at, key in enumerate(alike)}


@pytest.mark.parametrize("value", ["", "v" * 6000, "😀" * 6000, "line\nline\0"])
def test_values_that_fit(server: Server, value: str) -> None:
    iteration = new_iteration(server)
    assert made(_create(server, iteration, "k", value))["value"] == value
    assert _values(server, iteration) == {"k": value}


@pytest.mark.parametrize("value", ["v" * 6001, None, 0.01, True, ["x"]])
def test_values_that_do_not_fit(server: Server, iteration: str, value: Any) -> None:
    check_invalid(_create(server, iteration, "k", value), "value")
    assert _log(server, iteration, {"k": value}).error == (422, "INVALID_PAYLOAD")


def test_more_at_once_than_one_transaction_holds(server: Server) -> None:
    iteration = new_iteration(server)
    many = {f"k{at}": str(at) for at in range(100)}
    for _ in range(2):
        made(_log(server, iteration, many))
    assert _values(server, iteration) == many


def test_one_clash_in_a_flush_and_nothing_of_it_is_written(server: Server) -> None:
    iteration = new_iteration(server)
    made(_create(server, iteration, "k", "1"))
    body = {"batch_id": "b", "parameters": {"new": "1", "k": "2"}, "tags": ["t"], "metrics": {"m": {"value": [1.0]}}}
    check_refused(server.call("POST", f"/iterations/{iteration}/log", body), 409, "CONFLICT", "parameters.k")
    assert _values(server, iteration) == {"k": "1"}
    for noun in ("tags", "metrics"):
        assert found(server.call("GET", f"/iterations/{iteration}/{noun}"))["data"] == []


def test_two_iterations_share_no_key(server: Server) -> None:
    one, other = new_iteration(server), new_iteration(server)
    assert made(_create(server, one, "k", "1"))["id"] != made(_create(server, other, "k", "2"))["id"]
    assert (_values(server, one), _values(server, other)) == ({"k": "1"}, {"k": "2"})
