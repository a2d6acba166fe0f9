"""moto, without the copying that makes it slow."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table


@contextmanager
def quick_transactions() -> Iterator[None]:
    """Moto copies the whole table, to the last attribute, once per item of a transaction: seconds in a full table."""
    transact = models.DynamoDBBackend.transact_write_items

    def transact_quickly(backend: models.DynamoDBBackend, items: list[dict[str, Any]]) -> None:
        twins: dict[str, Table] = {}

        def deepcopy(value: Any) -> Any:
            if not isinstance(value, Table):
                return copy.deepcopy(value)
            return twins[value.name] if value.name in twins else twins.setdefault(value.name, twin(value))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(models, "copy", SimpleNamespace(deepcopy=deepcopy))
            transact(backend, items)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.DynamoDBBackend, "transact_write_items", transact_quickly)
        yield


def twin(table: Table) -> Table:
    """To go back to after a failed transaction: what we write are whole attributes, never parts of one."""
    twin = copy.copy(table)
    twin.items = table.items.copy()
    for partition, items in table.items.items():
        twin.items[partition] = {place: _item(item) for place, item in items.items()}
    return twin


def _item(item: Item) -> Item:
    twin = Item(item.hash_key, item.range_key, {})
    # Past its own way of adding something, which measures everything that is there already.
    dict.update(twin.attrs, item.attrs)
    return twin
