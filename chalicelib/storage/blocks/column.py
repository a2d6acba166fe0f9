"""The items of the columns, and a cache of those that this process has read: a block is never changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pynamodb.attributes import BinaryAttribute

from chalicelib import ids
from chalicelib.storage.blocks import codec, content
from chalicelib.storage.blocks.content import Index
from chalicelib.storage.blocks.head import Block
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item

# A value takes about 60 bytes as an object; what is decoded from JSON also that of its text.
CACHED_BYTES = 96_000_000
_BYTES_A_VALUE = 60
_BYTES_A_STORED_BYTE = 4

_lock = threading.Lock()
_cached: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
_size = 0


class ColumnRow(Item, discriminator="column"):
    data = BinaryAttribute(legacy_encoding=False)


class Removed(Exception):
    """The head that named a block is a minute old: a newer one names another block."""


def put_columns(experiment_id: str, block_id: str, columns: Mapping[str, bytes]) -> None:
    item.connection()
    with Item.batch_write() as batch:
        for name, data in columns.items():
            batch.save(ColumnRow(*keys.column(experiment_id, block_id, ids.hash_text(name)), data=data))


def remove_columns(experiment_id: str, block_id: str) -> Iterator[None]:
    """Remove all columns of a block. Yield before each call."""
    return item.remove_partition(keys.experiment_partition(experiment_id), keys.columns_prefix(block_id))


def read_indexes(experiment_id: str, blocks: Iterable[Block]) -> dict[str, Index]:
    """The indexes of these blocks. Removed if a block has gone."""
    found = _read(experiment_id, {(block.id, content.INDEX): block.rows for block in blocks})
    return {block_id: index for (block_id, _), index in found.items()}


def read_columns(
    experiment_id: str, wanted: Collection[tuple[str, str]], indexes: Mapping[str, Index]
) -> dict[tuple[str, str], Any]:
    """The values of columns, by block and name. Removed if a block has gone."""
    return _read(experiment_id, {each: len(indexes[each[0]].ids) for each in wanted})


def count_unread(wanted: Iterable[tuple[str, str]]) -> int:
    """The number of these columns that this process does not have."""
    with _lock:
        return sum(each not in _cached for each in wanted)


def forget() -> None:
    global _size
    with _lock:
        _cached.clear()
        _size = 0


def _read(experiment_id: str, wanted: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Any]:
    with _lock:
        found = {each: _cached[each][0] for each in wanted if each in _cached}
        for each in found:
            _cached.move_to_end(each)
    left = {each: keys.column(experiment_id, each[0], ids.hash_text(each[1])) for each in wanted.keys() - found.keys()}
    if not left:
        return found
    # A column is never written again, so half the price buys the same. A new one may be missing for a moment.
    items = item.raw_many(left.values(), ["data"], consistent=False)
    items |= item.raw_many(left.values() - items.keys(), ["data"])
    if len(items) < len(left):
        raise Removed
    for each, key in left.items():
        data = items[key]["data"]["B"]
        value = codec.decode(data, wanted[each])
        found[each] = content.index_of(value) if each[1] == content.INDEX else value
        _keep(each, found[each], _BYTES_A_VALUE * wanted[each] + _BYTES_A_STORED_BYTE * len(data))
    return found


def _keep(name: tuple[str, str], value: Any, size: int) -> None:
    global _size
    with _lock:
        if name not in _cached:
            _cached[name] = value, size
            _size += size
        while _size > CACHED_BYTES:
            _size -= _cached.popitem(last=False)[1][1]
