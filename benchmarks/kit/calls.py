"""Calls to AWS as the meter records them, and the writes that a call of DynamoDB requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.kit.units import Image
from chalicelib.storage.table.keys import Key


@dataclass(frozen=True, slots=True)
class Call:
    """One call to AWS. Units follow the rules; `reported` is the emulator's count."""

    service: str
    operation: str
    keys: tuple[Key, ...] = ()
    items_read: int = 0
    read_units: float = 0
    write_units: int = 0
    reported: float | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A requested put, update, delete or condition check."""

    key: Key
    wanted: Image | None
    updates: bool
    before: int | None


def requested_writes(operation: str, params: dict[str, Any]) -> Iterator[tuple[Key, Image | None, bool]]:
    """For each write in a call: its key, the whole item if it is a put, and whether it changes the item in place."""
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield _one(operation, params)
        case "BatchWriteItem":
            for requests in params["RequestItems"].values():
                yield from (_one(kind, body) for request in requests for kind, body in request.items())
        case "TransactWriteItems":
            yield from (_one(kind, body) for step in params["TransactItems"] for kind, body in step.items())


def _one(kind: str, body: dict[str, Any]) -> tuple[Key, Image | None, bool]:
    image = body.get("Item")
    return key_of(image or body["Key"]), image, kind.startswith("Update")


def key_of(image: Image) -> Key:
    return Key(image["PK"]["S"], image["SK"]["S"])
