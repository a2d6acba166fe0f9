"""The items of the emulator's tables in SQLite, behind the mappings that MiniStack expects: partition, sort key, item.

MiniStack keeps tables in dicts in memory. Here views of the file take the place of these dicts, so that a large state
costs neither memory nor time at the start. A Query reads the items of its page only.
"""

from __future__ import annotations

import copy
import sqlite3
import threading
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (arn TEXT, pk BLOB, sk BLOB, item TEXT, PRIMARY KEY (arn, pk, sk)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS definitions (id INTEGER PRIMARY KEY CHECK (id = 0), state TEXT);
"""
CACHE_KB = 32_000
# DynamoDB ends a page with the item that would exceed it.
PAGE_BYTES = 1_048_576
# No UTF-8 text contains this byte, so it is above every continuation of a prefix.
ABOVE = b"\xff"
_IMMUTABLE = {str, int, float, bool, bytes, type(None)}
_decode = msgspec.json.Decoder().decode


class StoredItem(dict[str, Any]):
    """An item with its size by DynamoDB's rules, measured when it was written."""

    __slots__ = ("size",)

    def __init__(self, item: dict[str, Any], size: int) -> None:
        super().__init__(item)
        self.size = size

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        """A plain dict: MiniStack edits copies, whose size is another one."""
        return {name: copied(value) for name, value in self.items()}

    def copy(self) -> dict[str, Any]:
        return dict(self)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a partition that a page can hold: sort keys from `low` to below `high`, up to `limit` items."""

    low: bytes
    high: bytes
    forward: bool
    limit: int | None


class ItemDatabase:
    """The SQLite file. The first change opens a transaction; `commit` ends it."""

    def __init__(self, path: Path, measure: Callable[[Any], int]) -> None:
        # With WAL and NORMAL the process can be killed at any moment; only a power failure may lose the last commits.
        # MiniStack imports a backup in a thread of its own.
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self.connection.text_factory = bytes
        for setting in ("journal_mode = WAL", "synchronous = NORMAL", f"cache_size = -{CACHE_KB}"):
            self.connection.execute(f"PRAGMA {setting}")
        self.connection.executescript(SCHEMA)
        self.measure = measure
        # While MiniStack answers a Query: what it can return.
        self.window: Window | None = None
        self._add_sizes()

    def change(self, sql: str, values: tuple[Any, ...]) -> None:
        with self._lock:
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute(sql, values)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, sql: str) -> None:
        with self._lock:
            if self.connection.in_transaction:
                self.connection.execute(sql)

    def _add_sizes(self) -> None:
        """Measure the items of a file from before sizes were stored. Once."""
        if "size" in {column[1].decode() for column in self.connection.execute("PRAGMA table_info(items)")}:
            return
        self.connection.create_function("measured", 1, lambda text: self.measure(_item(text)), deterministic=True)
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("ALTER TABLE items ADD COLUMN size INTEGER")
        self.connection.execute("UPDATE items SET size = measured(item)")
        self.commit()


class Partition(MutableMapping[str, Any]):
    """The items of one partition by sort key, in the order of the keys."""

    def __init__(self, database: ItemDatabase, arn: str, pk: str) -> None:
        self._database, self._place = database, (arn, _stored(pk))

    def __getitem__(self, sk: str) -> StoredItem:
        sql = "SELECT item, size FROM items WHERE arn = ? AND pk = ? AND sk = ?"
        found = self._database.connection.execute(sql, (*self._place, _stored(sk))).fetchone()
        if found is None:
            raise KeyError(sk)
        return StoredItem(_item(found[0]), found[1])

    def __setitem__(self, sk: str, item: dict[str, Any]) -> None:
        values = (*self._place, _stored(sk), _text(item), self._database.measure(item))
        self._database.change("INSERT OR REPLACE INTO items (arn, pk, sk, item, size) VALUES (?, ?, ?, ?, ?)", values)

    def __delitem__(self, sk: str) -> None:
        self._database.change("DELETE FROM items WHERE arn = ? AND pk = ? AND sk = ?", (*self._place, _stored(sk)))

    def __iter__(self) -> Iterator[str]:
        sql = "SELECT sk FROM items WHERE arn = ? AND pk = ? ORDER BY sk"
        return iter([_key(sk) for (sk,) in self._database.connection.execute(sql, self._place).fetchall()])

    def __len__(self) -> int:
        sql = "SELECT count(*) FROM items WHERE arn = ? AND pk = ?"
        (count,) = self._database.connection.execute(sql, self._place).fetchone()
        return int(count)

    def __bool__(self) -> bool:
        sql = "SELECT 1 FROM items WHERE arn = ? AND pk = ? LIMIT 1"
        return self._database.connection.execute(sql, self._place).fetchone() is not None

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {sk: copy.deepcopy(item, memo) for sk, item in self.items()}

    def values(self) -> Any:
        """The items, during a Query only those of its page, and the first of the next one."""
        window = self._database.window or Window(b"", ABOVE, forward=True, limit=None)
        order = "ASC" if window.forward else "DESC"
        sql = f"SELECT item, size FROM items WHERE arn = ? AND pk = ? AND sk >= ? AND sk < ? ORDER BY sk {order}"  # noqa: S608
        rows = self._database.connection.execute(sql, (*self._place, window.low, window.high))
        items, left = [], PAGE_BYTES if self._database.window else None
        for text, size in rows:
            items.append(StoredItem(_item(text), size))
            left = left - size if left is not None else None
            if (left is not None and left < 0) or len(items) == window.limit:
                break
        return items


class Items(MutableMapping[str, Partition]):
    """The partitions of one table. Like the `defaultdict` in its place, it has one for every key."""

    def __init__(self, database: ItemDatabase, arn: str) -> None:
        self._database, self._arn = database, arn

    def __getitem__(self, pk: str) -> Partition:
        return Partition(self._database, self._arn, pk)

    def get(self, pk: str, default: Any = None) -> Any:  # noqa: ARG002 - an empty partition takes its place
        return self[pk]

    def setdefault(self, pk: str, default: Any = None) -> Any:  # noqa: ARG002 - SQLite needs no empty partition
        return self[pk]

    def __contains__(self, pk: object) -> bool:
        return isinstance(pk, str) and bool(self[pk])

    def __setitem__(self, pk: str, items: Any) -> None:
        del self[pk]
        self[pk].update(items)

    def __delitem__(self, pk: str) -> None:
        self._database.change("DELETE FROM items WHERE arn = ? AND pk = ?", (self._arn, _stored(pk)))

    def __iter__(self) -> Iterator[str]:
        found = self._database.connection.execute("SELECT DISTINCT pk FROM items WHERE arn = ?", (self._arn,))
        return iter([_key(pk) for (pk,) in found.fetchall()])

    def __len__(self) -> int:
        sql = "SELECT count(DISTINCT pk) FROM items WHERE arn = ?"
        (count,) = self._database.connection.execute(sql, (self._arn,)).fetchone()
        return int(count)

    def clear(self) -> None:
        self._database.change("DELETE FROM items WHERE arn = ?", (self._arn,))

    def count(self) -> int:
        """The number of items in all partitions."""
        sql = "SELECT count(*) FROM items WHERE arn = ?"
        (count,) = self._database.connection.execute(sql, (self._arn,)).fetchone()
        return int(count)


def copied(value: Any) -> Any:
    """The same as `copy.deepcopy`, in a fraction of the time for values as in JSON."""
    kind = type(value)
    if kind is dict:
        return {name: copied(each) for name, each in value.items()}
    if kind is list:
        return [copied(each) for each in value]
    return value if kind in _IMMUTABLE else copy.deepcopy(value)


def _stored(key: str) -> bytes:
    """A key in a form that SQLite accepts: MiniStack allows an unpaired surrogate in a key, which UTF-8 does not."""
    return key.encode("utf-8", "surrogatepass")


def _key(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogatepass")


def _text(item: dict[str, Any]) -> str:
    return msgspec.json.encode(item).decode()


def _item(text: bytes) -> dict[str, Any]:
    item: dict[str, Any] = _decode(text)
    return item
