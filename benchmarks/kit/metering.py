"""Measures, for a block of code, every call of the server to AWS, and DynamoDB's charge for it.

The meter listens to botocore's events and reads the items concerned with a client of its own, before and after each
call, so that the units follow from their bytes (`benchmarks.kit.units`), not from an emulator's report. It measures one
request at a time: concurrent requests would change the items that it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import botocore.session

from benchmarks.kit import units
from benchmarks.kit.calls import Call, Write, key_of, requested_writes
from chalicelib import config
from chalicelib.aws import clients
from chalicelib.storage.table import item
from chalicelib.storage.table.keys import Key

READS = {"GetItem", "BatchGetItem", "Query"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
# The parameters that decide which items a page of a Query reads, and how.
_QUERY_SCOPE = {"TableName", "KeyConditionExpression", "ExclusiveStartKey", "Limit", "ScanIndexForward"}
_NOTE = "benchmarks.kit.metering"


class UnmeteredOperation(Exception):
    """The server called an operation of DynamoDB without a rule here. A Scan has none on purpose."""


class Meter:
    """Created by `attached`; records the calls of each `measuring` block."""

    def __init__(self) -> None:
        settings = config.settings()
        self._table = settings.table
        self._own: Any = botocore.session.get_session().create_client(
            "dynamodb", region_name=settings.region, endpoint_url=settings.endpoint_url
        )
        self._calls: list[Call] | None = None

    @classmethod
    @contextmanager
    def attached(cls) -> Iterator[Meter]:
        """Attach a meter to the running server's DynamoDB client, and to all clients that are created from now on."""
        meter, events = cls(), item.connection().connection.client.meta.events
        events.register("before-parameter-build.dynamodb", meter._before)
        events.register("after-call.dynamodb", meter._after)
        clients.session().register("after-call", meter._after_other)
        try:
            yield meter
        finally:
            events.unregister("before-parameter-build.dynamodb", meter._before)
            events.unregister("after-call.dynamodb", meter._after)
            clients.session().unregister("after-call", meter._after_other)

    @contextmanager
    def measuring(self) -> Iterator[list[Call]]:
        """Record the calls inside, in order. UnmeteredOperation at the end if one of them has no rule."""
        calls: list[Call] = []
        self._calls = calls
        try:
            yield calls
        finally:
            self._calls = None
        # Not raised in the handler: the server would turn it into a 500.
        for call in calls:
            if call.service == "dynamodb" and call.operation not in READS | WRITES:
                raise UnmeteredOperation(call.operation)

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if self._calls is not None:
            writes = [Write(*each, before=self._size(each[0])) for each in requested_writes(model.name, params)]
            context[_NOTE] = (dict(params), writes)

    def _after(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if self._calls is not None and _NOTE in context:
            params, writes = context[_NOTE]
            call = self._write(model.name, writes) if writes else self._read(model.name, params)
            self._calls.append(_with_report(call, parsed.get("ConsumedCapacity")))

    def _after_other(self, **event: Any) -> None:
        if self._calls is not None:
            model = event["model"]
            self._calls.append(Call(model.service_model.service_name, model.name))

    def _write(self, operation: str, writes: list[Write]) -> Call:
        cost = sum(units.write_units(each.before, self._size_after(each)) for each in writes)
        # A cancelled transaction is counted in full, which is its maximal cost.
        times = units.TRANSACTION if operation == "TransactWriteItems" else 1
        return Call("dynamodb", operation, tuple(each.key for each in writes), write_units=times * cost)

    def _size_after(self, write: Write) -> int | None:
        if write.updates:
            return self._size(write.key)
        return None if write.wanted is None else units.item_size(write.wanted)

    def _read(self, operation: str, params: dict[str, Any]) -> Call:
        if operation == "Query":
            return self._query(params)
        asked = [params] if operation == "GetItem" else list(params.get("RequestItems", {}).values())
        keys, cost, found = [], 0.0, 0
        for part in asked:
            here = [key_of(key) for key in ([part["Key"]] if "Key" in part else part["Keys"])]
            sizes = [self._size(key) for key in here]
            cost += units.read_units(sizes, consistent=part.get("ConsistentRead", False))
            found += sum(size is not None for size in sizes)
            keys += here
        return Call("dynamodb", operation, tuple(keys), items_read=found, read_units=cost)

    def _query(self, params: dict[str, Any]) -> Call:
        """Read the same page again without filter and projection: DynamoDB reads the omitted data too."""
        scope = {name: value for name, value in params.items() if name in _QUERY_SCOPE}
        used = set(re.findall(r"[#:]\w+", params["KeyConditionExpression"]))
        for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            given = {name: value for name, value in params.get(kind, {}).items() if name in used}
            scope |= {kind: given} if given else {}
        rows = self._own.query(**scope, ConsistentRead=True)["Items"]
        cost = units.query_units(map(units.item_size, rows), consistent=params.get("ConsistentRead", False))
        return Call("dynamodb", "Query", tuple(map(key_of, rows)), items_read=len(rows), read_units=cost)

    def _size(self, key: Key) -> int | None:
        place = {"PK": {"S": key.pk}, "SK": {"S": key.sk}}
        found = self._own.get_item(TableName=self._table, Key=place, ConsistentRead=True).get("Item")
        return None if found is None else units.item_size(found)


def _with_report(call: Call, capacity: Any) -> Call:
    if capacity is None:
        return call
    parts = capacity if isinstance(capacity, list) else [capacity]
    total = float(sum(part.get("CapacityUnits", 0) for part in parts))
    return replace(call, reported=total)
