"""DynamoDB's charges, by its documented rules: the size of an item, the units of a read or a write.

Emulators report capacity, but not reliably: moto always reports 1, MiniStack is wrong for reads. Sources, in the
Amazon DynamoDB Developer Guide: "DynamoDB item sizes and formats", "DynamoDB read and write operations", and
"Managing complex workflows with DynamoDB transactions" for the doubling.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Value = Mapping[str, Any]
Image = Mapping[str, Value]

READ_BLOCK = 4096
WRITE_BLOCK = 1024
TRANSACTION = 2


def item_size(image: Image) -> int:
    """Bytes of an item in the wire form `{name: {type: value}}`: names and values together."""
    return sum(len(name.encode()) + value_size(value) for name, value in image.items())


def value_size(value: Value) -> int:
    """Bytes of one attribute value, without its name. ValueError for a type that DynamoDB lacks."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return _number_size(content)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_size(element) for element in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_size(element) for name, element in content.items())
        case "SS" | "BS" | "NS":
            return sum(value_size({kind[0]: element}) for element in content)
    raise ValueError(f"{kind!r} is no type of DynamoDB")


def read_units(sizes: Iterable[int | None], *, consistent: bool) -> float:
    """The units of single reads (GetItem, BatchGetItem); None is an absent item, which costs 1."""
    blocks = sum(_blocks(size or 0, READ_BLOCK) for size in sizes)
    return blocks if consistent else blocks / 2


def query_units(sizes: Iterable[int], *, consistent: bool) -> float:
    """The units of one page of a Query: sum the sizes of all items that it read, filtered or not, then round."""
    return read_units([sum(sizes)], consistent=consistent)


def write_units(before: int | None, after: int | None) -> int:
    """The units of one write, by the larger of the item before and after; None for an absent item.

    In a transaction twice as much (`TRANSACTION`), condition checks included. A write whose condition fails costs the
    same: `after` is then the item that it would have written.
    """
    return _blocks(max(before or 0, after or 0), WRITE_BLOCK)


def _blocks(size: int, block: int) -> int:
    return max(1, math.ceil(size / block))


def _number_size(text: str) -> int:
    """A byte per two significant digits, and one: zeros at both ends do not count."""
    mantissa = text.lower().lstrip("+-").partition("e")[0]
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).strip("0")
    return (len(digits) + 1) // 2 + 1
