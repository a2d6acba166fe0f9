"""The head of an experiment's blocks: which blocks hold which ended iterations.

The blocks follow each other in the order of the iterations' ids, without gaps: a block covers the ids after the one
before it up to its `last`. Each iteration in that range is a row of the block or one of its `open` ones, which readers
read from their own items. So are iterations that were marked as changed (`change.py`), and those after the last block.

Blocks are never changed. A packer takes the lease and names the block that it will write in `retired`; writes the
columns; then moves it to `blocks` in one conditional write. Blocks in `retired` are removed a minute later, when no
reader and no packer uses them any more.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib.errors import Overtaken
from chalicelib.storage import experiment as experiments
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.chunks import inflate
from deardiary.wire.shapes import Experiment


class BlocksRow(Item, discriminator="blocks"):
    version = NumberAttribute()
    data = BinaryAttribute(legacy_encoding=False)


class Block(NamedTuple):
    """`last`: the last id of its range. `open`: the ids in its range that it does not hold.

    `rows`, `summaries`: the numbers of those that it holds.
    """

    id: str
    last: str
    rows: int
    summaries: int
    open: tuple[str, ...] = ()


class OldMarks(NamedTuple):
    """Marks of changed iterations to remove: after an id, up to another one, of changes before a stamp.

    `since_us`: when the blocks were written that hold those changes.
    """

    since_us: int
    after: str
    last: str
    before: str


@dataclass(frozen=True, slots=True)
class Head:
    """`retired`: by block, since when (µs since 1970). `leased_us`: since when a packer is at work."""

    version: int = 0
    blocks: tuple[Block, ...] = ()
    retired: Mapping[str, int] = field(default_factory=dict)
    marks: tuple[OldMarks, ...] = ()
    leased_us: int | None = None


def is_old_mark(marks: Iterable[OldMarks], iteration_id: str, stamp: str) -> bool:
    """True if a block holds the change of this stamp."""
    return any(each.after < iteration_id <= each.last and stamp < each.before for each in marks)


def read_head(experiment_id: str, *, consistent: bool = True) -> Head:
    key = keys.blocks(experiment_id)
    row = item.raw_many([key], ["version", "data"], consistent=consistent).get(key)
    if row is None:
        return Head()
    value = json.loads(inflate(row["data"]["B"]))
    return Head(
        version=int(row["version"]["N"]),
        blocks=tuple(
            Block(name, last, rows, summaries, tuple(left)) for name, last, rows, summaries, left in value["blocks"]
        ),
        retired=value["retired"],
        marks=tuple(OldMarks(*each) for each in value["marks"]),
        leased_us=value["leased_us"],
    )


def write_head(experiment: Experiment, head: Head) -> Head:
    """Write it and return it as stored. Overtaken if the stored version is another one, NotFound without experiment."""
    value = {"blocks": head.blocks, "retired": head.retired, "marks": head.marks, "leased_us": head.leased_us}
    row = BlocksRow(*keys.blocks(experiment.id), version=head.version + 1)
    row.data = zlib.compress(json.dumps(value, separators=(",", ":")).encode())
    write = Transaction()
    experiments.check_alive(experiment, write)
    write.put(row, Overtaken, BlocksRow.version == head.version if head.version else None)
    write.commit()
    return replace(head, version=head.version + 1)
