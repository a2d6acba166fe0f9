"""Keep the emulator's tables on disk as they change.

MiniStack keeps tables in memory and saves them as one JSON file, only at a clean stop. Here the items of a table are in
SQLite (`items.py`), and each request ends with one transaction before its answer is sent. A process that is killed at
any moment loses nothing that was answered. A transaction of many items is stored whole or not at all.

MiniStack replaces items and never edits them in place. This module does not follow imports from S3.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from ministack.core.persistence import _json_default, _json_object_hook
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb

from infra.emulator.items import ItemDatabase, Items

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Parts of a table's record that are not its definition: items have their own rows, the rest is derived from them.
DERIVED = {"items", "ItemCount", "TableSizeBytes", dynamodb._INDEX_MEMBERS}  # noqa: SLF001
# The actions that leave all definitions as they are.
ON_ITEMS = {
    *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
    *("TransactGetItems", "TransactWriteItems", "UpdateItem"),
}
EXPIRY_SECONDS = 60.0


class ItemStore:
    """The items and table definitions of one emulator, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = ItemDatabase(path, lambda item: int(dynamodb._item_size_bytes(item)))  # noqa: SLF001
        row = self._database.connection.execute("SELECT state FROM definitions").fetchone()
        self._definitions: str = row[0].decode() if row else ""

    @property
    def database(self) -> ItemDatabase:
        return self._database

    def restore(self) -> None:
        """Give the emulator, which must be empty, the stored tables."""
        dynamodb._ttl_settings = _Unswept()  # noqa: SLF001
        if not self._definitions:
            return
        state = json.loads(self._definitions, object_hook=_json_object_hook)
        for _key, table in state["tables"].all_items():
            items = table["items"] = Items(self._database, table["TableArn"])
            table["ItemCount"] = items.count()
            table["TableSizeBytes"] = table["ItemCount"] * 200
        dynamodb.load_persisted_state(state)

    def listen(self) -> None:
        """Store every change from now on, and stop the emulator from saving tables itself."""
        items_replaced, handle_request = dynamodb._items_replaced, dynamodb.handle_request  # noqa: SLF001

        def replace(table: Any) -> None:
            self._adopt(table)
            items_replaced(table)

        async def handle(method: str, path: str, headers: Mapping[str, str], *rest: Any) -> Any:
            try:
                answer = await handle_request(method, path, headers, *rest)
                if headers.get("x-amz-target", "").rpartition(".")[2] not in ON_ITEMS:
                    self._save_definitions()
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise
            return answer

        dynamodb._items_replaced, dynamodb.handle_request = replace, handle  # noqa: SLF001
        dynamodb.get_state = lambda: None  # MiniStack: "a service that returns None has nothing to save"

    async def remove_expired_forever(self) -> None:
        """Remove items after their time to live, as MiniStack does, but without reading every item each minute."""
        while True:
            await asyncio.sleep(EXPIRY_SECONDS)
            for (account, region, name), setting in [*dynamodb._ttl_settings._data.items()]:  # noqa: SLF001
                table = dynamodb._tables.get_scoped(account, region, name)  # noqa: SLF001
                if table and setting.get("TimeToLiveStatus") == "ENABLED":
                    await self.remove_expired(table, setting["AttributeName"])

    async def remove_expired(self, table: Any, attribute: str) -> None:
        now = time.time()
        for pk, sk in await asyncio.to_thread(_expired, self._path, table["TableArn"], attribute, now):
            item = table["items"][pk].get(sk)
            # A request may have changed it meanwhile.
            if item and float(item.get(attribute, {}).get("N", "inf")) <= now:
                dynamodb._remove_item(table, pk, sk)  # noqa: SLF001
        self._database.commit()

    def close(self) -> None:
        """Write the remaining changes, and merge the log into the file."""
        self._save_definitions()
        self._database.commit()
        self._database.connection.close()

    def _adopt(self, table: Any) -> None:
        """Move the items of a table that MiniStack created or replaced into the file."""
        given, items = table["items"], Items(self._database, table["TableArn"])
        if not isinstance(given, Items):
            items.clear()
            for pk, partition in given.items():
                items[pk].update(partition)
            table["items"] = items

    def _save_definitions(self) -> None:
        for _key, table in dynamodb._tables.all_items():  # noqa: SLF001
            self._adopt(table)
        definitions = _definitions()
        if definitions != self._definitions:
            self._database.change("INSERT OR REPLACE INTO definitions VALUES (0, ?)", (definitions,))
            # The items of a removed table are removed with it.
            arns = json.dumps([table["TableArn"] for _key, table in dynamodb._tables.all_items()])  # noqa: SLF001
            sql = "DELETE FROM items WHERE arn NOT IN (SELECT value FROM json_each(?))"
            self._database.change(sql, (arns,))
            self._definitions = definitions


class _Unswept(AccountRegionScopedDict):  # type: ignore[misc]
    """The settings of time to live, hidden from MiniStack's thread, which would read every item each minute."""

    def all_items(self) -> list[Any]:
        return []


def _expired(path: Path, arn: str, attribute: str, now: float) -> list[tuple[str, str]]:
    """The keys of expired items, read on a connection of its own: the scan must not hold up requests."""
    sql = """SELECT pk, sk FROM items WHERE arn = ? AND instr(item, ?)
             AND CAST(json_extract(item, '$."' || ? || '".N') AS REAL) <= ?"""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        found = connection.execute(sql, (arn, f'"{attribute}"', attribute, now)).fetchall()
    finally:
        connection.close()
    return [(pk.decode("utf-8", "surrogatepass"), sk.decode("utf-8", "surrogatepass")) for pk, sk in found]


def _definitions() -> str:
    """The definitions of all tables, without items, as JSON in MiniStack's own form."""
    tables = type(dynamodb._tables)()  # noqa: SLF001
    for (account, region, name), table in dynamodb._tables.all_items():  # noqa: SLF001
        tables.set_scoped(account, region, name, {key: value for key, value in table.items() if key not in DERIVED})
    state = {
        "tables": tables,
        "tags": dynamodb._tags,  # noqa: SLF001
        "ttl_settings": dynamodb._ttl_settings,  # noqa: SLF001
        "pitr_settings": dynamodb._pitr_settings,  # noqa: SLF001
    }
    return json.dumps(state, default=_json_default)
