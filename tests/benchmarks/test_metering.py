"""DynamoDB's size and capacity rules against examples computed by hand, and the meter against a real table."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.kit import units
from benchmarks.kit.metering import Meter, UnmeteredOperation
from chalicelib.errors import NotFound
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.transaction import Transaction
from tests.support.server import Server


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "é€"}, 5),  # 2 and 3 bytes of UTF-8
        ({"B": b"\x00" * 7}, 7),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "12345"}, 4),
        ({"N": "-12.50"}, 3),  # 125
        ({"N": "1000"}, 2),  # 1
        ({"N": "0.0012"}, 2),  # 12
        ({"N": "1.5E+10"}, 2),  # 15
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "7"}]}, 9),  # 3 + (1 + 2) + (1 + 2)
        ({"M": {"k": {"S": "ab"}}}, 7),  # 3 + (1 + 1 + 2)
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["7", "1234"]}, 5),
        ({"BS": [b"ab"]}, 2),
    ],
)
def test_the_size_of_a_value(value: dict[str, Any], size: int) -> None:
    assert units.value_size(value) == size


def test_the_size_of_an_item_counts_its_names() -> None:
    assert units.item_size({"PK": {"S": "USER#1"}, "SK": {"S": "USER"}, "é": {"BOOL": True}}) == 8 + 6 + 3
    with pytest.raises(ValueError, match="no type"):
        units.value_size({"X": 1})


@pytest.mark.parametrize(
    ("sizes", "strong", "eventual"),
    [([None], 1, 0.5), ([4096], 1, 0.5), ([4097], 2, 1), ([100, 100, None], 3, 1.5), ([], 0, 0)],
)
def test_items_read_one_by_one_are_rounded_one_by_one(sizes: list[int | None], strong: float, eventual: float) -> None:
    assert units.read_units(sizes, consistent=True) == strong
    assert units.read_units(sizes, consistent=False) == eventual


@pytest.mark.parametrize(("sizes", "expected"), [([], 1), ([100] * 40, 1), ([100] * 41, 2), ([4096, 1], 2)])
def test_a_query_is_rounded_once(sizes: list[int], expected: int) -> None:
    assert units.query_units(sizes, consistent=True) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(None, 10, 1), (None, 1024, 1), (None, 1025, 2), (5000, 10, 5), (10, 5000, 5), (3000, None, 3), (None, None, 1)],
)
def test_a_write_costs_the_larger_of_before_and_after(before: int | None, after: int | None, expected: int) -> None:
    assert units.write_units(before, after) == expected


def ref(name: str, experiment_id: str = "e") -> Ref:
    return Ref(*keys.experiment_ref(name), project_id="p", experiment_id=experiment_id)


def test_the_meter_sees_every_call_of_the_server(server: Server) -> None:
    with Meter.attached() as meter:
        with meter.measuring() as put:
            ref("a", "x" * 3000).save()
        with meter.measuring() as got:
            item.find(Ref, keys.experiment_ref("a"))
            item.get_many([keys.experiment_ref("a"), keys.experiment_ref("b")])
            list(item.query(Ref, keys.experiment_partition("a"), condition=Ref.project_id == "q"))
        with meter.measuring() as shrunk:
            ref("a").save()
    assert [(call.operation, call.write_units) for call in put] == [("PutItem", 3)]
    assert put[0].keys == (keys.experiment_ref("a"),)
    reads = [(call.operation, call.items_read, call.read_units) for call in got]
    assert reads == [("GetItem", 1, 1), ("BatchGetItem", 1, 2), ("Query", 1, 1)]
    assert shrunk[0].write_units == 3


def test_a_transaction_costs_double_its_checks_too(server: Server) -> None:
    ref("there").save()
    with Meter.attached() as meter, meter.measuring() as calls:
        write = Transaction()
        write.check(Ref, keys.experiment_ref("there"), Item.pk.exists(), NotFound)
        write.replace(ref("new", "x" * 1500))
        write.delete(ref("absent"), None, NotFound)
        write.commit()
    assert [(call.operation, call.read_units, call.write_units) for call in calls] == [
        ("TransactWriteItems", 0, 2 + 4 + 2)
    ]


def test_a_failed_write_costs_as_much_as_a_successful_one(server: Server) -> None:
    ref("taken").save()
    with Meter.attached() as meter, meter.measuring() as calls:
        with pytest.raises(Exception, match="conditional"):
            ref("taken", "x" * 2500).save(Item.pk.does_not_exist())
        ref("absent").delete()
    assert [call.write_units for call in calls] == [3, 1]


def test_an_operation_without_a_rule_is_an_error(server: Server) -> None:
    with Meter.attached() as meter, pytest.raises(UnmeteredOperation, match="Scan"), meter.measuring():
        list(Item.scan())
