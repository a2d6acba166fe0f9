"""Artifact bytes in the table itself, in a partition for each file that no list reads."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import BinaryAttribute

from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item

# An item has at most 400 KB.
ITEM_BYTES = 256 * 1024


class BytesRow(Item, discriminator="bytes"):
    data = BinaryAttribute(legacy_encoding=False)


def each_bytes(project_id: str, sha256: str) -> Iterator[bytes]:
    rows = item.query(BytesRow, keys.bytes_partition(project_id, sha256))
    return (bytes(row.data) for row in rows)


def put_bytes(project_id: str, sha256: str, data: bytes) -> None:
    """Store the bytes in as many items as needed; an empty file takes one."""
    item.connection()
    for number, start in enumerate(range(0, len(data) or 1, ITEM_BYTES)):
        BytesRow(*keys.inline_bytes(project_id, sha256, number), data=data[start : start + ITEM_BYTES]).save()


def delete_bytes(project_id: str, sha256: str) -> None:
    item.delete_items(list(item.raw_keys(keys.bytes_partition(project_id, sha256))))
