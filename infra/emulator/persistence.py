"""Write the emulator's DynamoDB items to disk as they change.

MiniStack keeps tables in memory and saves them as one JSON file, only at a clean stop. Here every request that changes
items ends with one SQLite transaction of those items, before its answer is sent. A process that is killed at any moment
loses nothing that was answered. A transaction of many items is stored whole or not at all. The cost does not grow with
the table.

MiniStack replaces items and never edits them in place, and every write goes through its `_set_item`, `_remove_item` and
`_items_replaced`, which this module observes. It does not follow global replicas and imports from S3.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ministack.core.persistence import _json_default, _json_object_hook
from ministack.services import dynamodb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (arn TEXT, pk BLOB, sk BLOB, item TEXT, PRIMARY KEY (arn, pk, sk)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS definitions (id INTEGER PRIMARY KEY CHECK (id = 0), state TEXT);
"""
# Parts of a table's record that are not its definition: items have their own rows, the rest is derived from them.
DERIVED = {"items", "ItemCount", "TableSizeBytes", dynamodb._INDEX_MEMBERS}  # noqa: SLF001

ItemKey = tuple[str, str, str]


class ItemStore:
    """The items and table definitions of one emulator, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        # With WAL and NORMAL the process can be killed at any moment; only a power failure may lose the last commits.
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(SCHEMA)
        self._changed: dict[ItemKey, Any] = {}
        # Requests run on one thread; another one removes expired items.
        self._lock = threading.Lock()
        row = self._database.execute("SELECT state FROM definitions").fetchone()
        self._definitions: str = row[0] if row else ""

    def restore(self) -> None:
        """Load the stored items and definitions into the emulator, which must be empty."""
        if not self._definitions:
            return
        state = json.loads(self._definitions, object_hook=_json_object_hook)
        tables = {table["TableArn"]: table for _key, table in state["tables"].all_items()}
        for table in tables.values():
            table["items"] = defaultdict(dict)
        for arn, pk, sk, item in self._database.execute("SELECT arn, pk, sk, item FROM items"):
            tables[arn]["items"][_text(pk)][_text(sk)] = json.loads(item)
        for table in tables.values():
            dynamodb._items_replaced(table)  # noqa: SLF001
        dynamodb.load_persisted_state(state)

    def listen(self) -> None:
        """Observe every change from now on, and stop the emulator from saving tables itself."""
        set_item, remove_item = dynamodb._set_item, dynamodb._remove_item  # noqa: SLF001
        items_replaced, handle_request = dynamodb._items_replaced, dynamodb.handle_request  # noqa: SLF001

        def set_and_note(table: Any, pk: str, sk: str, item: Any) -> Any:
            self._note([((table["TableArn"], pk, sk), item)])
            return set_item(table, pk, sk, item)

        def remove_and_note(table: Any, pk: str, sk: str) -> Any:
            self._note([((table["TableArn"], pk, sk), None)])
            return remove_item(table, pk, sk)

        def replace_and_note(table: Any) -> None:
            items_replaced(table)
            self._note(self._differences(table))

        async def handle_and_write(*request: Any) -> Any:
            answer = await handle_request(*request)
            self.write()
            return answer

        dynamodb._set_item, dynamodb._remove_item = set_and_note, remove_and_note  # noqa: SLF001
        dynamodb._items_replaced, dynamodb.handle_request = replace_and_note, handle_and_write  # noqa: SLF001
        dynamodb.get_state = lambda: None  # MiniStack: "a service that returns None has nothing to save"

    def write(self) -> None:
        """Write the changes since the last call, all or none. Cheap if there are none."""
        with self._lock:
            definitions = _definitions()
            if not self._changed and definitions == self._definitions:
                return
            # Changes that could not be written stay noted, and are written after the next request.
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._write_items()
                if definitions != self._definitions:
                    self._write_definitions(definitions)
            self._changed.clear()
            self._definitions = definitions

    def close(self) -> None:
        """Write the remaining changes, and merge the log into the file."""
        self.write()
        self._database.close()

    def _note(self, changes: Iterable[tuple[ItemKey, Any]]) -> None:
        with self._lock:
            self._changed.update(changes)

    def _differences(self, table: Any) -> Iterator[tuple[ItemKey, Any]]:
        """A table whose items were all replaced: remove every known item, write every current one."""
        arn = table["TableArn"]
        yield from [(key, None) for key in self._changed if key[0] == arn]
        for pk, sk in self._database.execute("SELECT pk, sk FROM items WHERE arn = ?", (arn,)):
            yield (arn, _text(pk), _text(sk)), None
        for pk, items in table["items"].items():
            for sk, item in items.items():
                yield (arn, pk, sk), item

    def _write_items(self) -> None:
        rows = [(*_stored(key), json.dumps(item)) for key, item in self._changed.items() if item is not None]
        self._database.executemany("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", rows)
        gone = [_stored(key) for key, item in self._changed.items() if item is None]
        self._database.executemany("DELETE FROM items WHERE arn = ? AND pk = ? AND sk = ?", gone)

    def _write_definitions(self, definitions: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO definitions VALUES (0, ?)", (definitions,))
        # The items of a removed table are removed with it.
        arns = json.dumps([table["TableArn"] for _key, table in dynamodb._tables.all_items()])  # noqa: SLF001
        self._database.execute("DELETE FROM items WHERE arn NOT IN (SELECT value FROM json_each(?))", (arns,))


def _stored(key: ItemKey) -> tuple[str, bytes, bytes]:
    """A key in a form that SQLite accepts: MiniStack allows an unpaired surrogate in a key, which UTF-8 does not."""
    arn, pk, sk = key
    return arn, pk.encode("utf-8", "surrogatepass"), sk.encode("utf-8", "surrogatepass")


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogatepass")


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
