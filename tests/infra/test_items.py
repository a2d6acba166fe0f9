"""The tables of the local emulator in SQLite answer as MiniStack's own dicts do."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.services import dynamodb

from infra.emulator import items, persistence, speedups

KEY_SCHEMA = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
TYPES = [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")]
CONDITIONS = ("#0 = :0", "(#0 = :0 AND begins_with (#1, :1))", "(#0 = :0 AND #1 BETWEEN :1 AND :2)")
SORT_KEYS = st.text("ab\u00e9\U00010400", min_size=1, max_size=3)


def table_with(partitions: Any) -> dict[str, Any]:
    return {
        "TableName": "t",
        "TableArn": "arn:t",
        "pk_name": "PK",
        "sk_name": "SK",
        "items": partitions,
        "KeySchema": KEY_SCHEMA,
        "AttributeDefinitions": TYPES,
    }


@contextmanager
def database() -> Iterator[items.ItemDatabase]:
    with tempfile.TemporaryDirectory() as folder:
        yield items.ItemDatabase(Path(folder) / "items.sqlite", dynamodb._item_size_bytes)


def pages(table: Any, request: dict[str, Any]) -> list[Any]:
    """Every page of a query, each as MiniStack answers it."""
    found: list[Any] = []
    start: dict[str, Any] = {}
    with patch.object(dynamodb, "_tables", {"t": table}):
        while True:
            status, _headers, body = dynamodb._query(request | start)
            answer = json.loads(body)
            found.append((status, answer))
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(SORT_KEYS, st.integers(0, 150), max_size=12),
    st.sampled_from(CONDITIONS),
    st.lists(SORT_KEYS, min_size=2, max_size=2),
    st.none() | st.integers(1, 4),
    st.booleans(),
)
def test_a_query_returns_the_same_pages(
    sizes: dict[str, int], text: str, bounds: list[str], limit: int | None, forward: bool
) -> None:
    partition: Any = {
        sk: {"PK": {"S": "p"}, "SK": {"S": sk}, "v": {"S": "x" * size}, "n": {"N": "1"}} for sk, size in sizes.items()
    }
    values = {":0": "p", ":1": min(bounds), ":2": max(bounds)}
    request: dict[str, Any] = {
        "TableName": "t",
        "KeyConditionExpression": text,
        "ScanIndexForward": forward,
        "ExpressionAttributeNames": {name: key for name, key in {"#0": "PK", "#1": "SK"}.items() if name in text},
        "ExpressionAttributeValues": {name: {"S": value} for name, value in values.items() if name in text},
        **({"Limit": limit} if limit else {}),
    }
    expected = pages_of_small_size(table_with(defaultdict(dict, {"p": partition})), request, None)
    assert speedups.window_of(request) is not None
    with database() as stored:
        items.Items(stored, "arn:t")["p"].update(partition)
        assert pages_of_small_size(table_with(items.Items(stored, "arn:t")), request, stored) == expected


def pages_of_small_size(table: Any, request: dict[str, Any], stored: items.ItemDatabase | None) -> list[Any]:
    """The pages of 300 bytes in place of a megabyte."""
    query = speedups.windowed(dynamodb._query, stored) if stored else dynamodb._query
    with (
        patch.object(dynamodb, "_DDB_PAGE_SIZE_BYTES", 300),
        patch.object(items, "PAGE_BYTES", 300),
        patch.object(dynamodb, "_query", query),
    ):
        return pages(table, request)


def test_a_query_reads_the_items_of_its_page_only() -> None:
    with database() as stored:
        partition = items.Items(stored, "arn:t")["p"]
        partition.update({f"{number:03}": {"PK": {"S": "p"}, "SK": {"S": f"{number:03}"}} for number in range(100)})
        stored.window = items.Window(b"050", b"090", forward=False, limit=3)
        assert [item["SK"]["S"] for item in partition.values()] == ["089", "088", "087"]
        assert partition.values()[0].size == dynamodb._item_size_bytes(dict(partition["089"]))


def test_a_key_that_is_no_text_is_absent() -> None:
    with database() as stored:
        assert items.Items(stored, "arn:t")["\ud800"].get("\ud800") is None


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "items.sqlite"
    old = sqlite3.connect(path)
    old.executescript(items.SCHEMA)
    text = json.dumps({"PK": {"S": "p"}, "SK": {"S": "s"}, "v": {"S": "\U00010400"}})
    old.execute("INSERT INTO items VALUES (?, ?, ?, ?)", ("arn:t", b"p", b"s", text))
    old.commit()
    old.close()
    stored = items.ItemDatabase(path, lambda _item: 17)
    found = items.Items(stored, "arn:t")["p"]["s"]
    assert (found, found.size) == (json.loads(text), 17)


def test_items_are_removed_after_their_time_to_live(tmp_path: Path) -> None:
    store = persistence.ItemStore(tmp_path / "items.sqlite")
    table = table_with(items.Items(store.database, "arn:t")) | {"ItemCount": 3}
    for sk, expiry in {"past": "1", "future": "9999999999", "none": None}.items():
        item = {"PK": {"S": "p"}, "SK": {"S": sk}} | ({"ends": {"N": expiry}} if expiry else {})
        dynamodb._set_item(table, "p", sk, item)
    store.database.commit()
    asyncio.run(store.remove_expired(table, "ends"))
    assert [*table["items"]["p"]] == ["future", "none"]
