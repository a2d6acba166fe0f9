"""W&B without a server (WANDB_MODE=offline), to its file, which is read by LevelDB's log format.

https://github.com/google/leveldb/blob/main/doc/log_format.md, after seven bytes of W&B's own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import wandb
from wandb.proto import wandb_internal_pb2 as proto

from benchmarks.kit.pace import KEYS, Log, main

_BLOCK, _HEAD, _OWN = 32 * 1024, struct.Struct("<IHB"), 7
_FULL, _FIRST, _LAST = 1, 2, 4


def begin(folder: Path) -> Log:
    run = wandb.init(project=folder.name, dir=folder, mode="offline")
    return lambda values, step: run.log(values, step=step)


def count(folder: Path) -> int:
    found = 0
    for path in folder.rglob("*.wandb"):
        for content in _records(path.read_bytes()):
            record = proto.Record()
            record.ParseFromString(content)
            found += sum((item.key or ".".join(item.nested_key)) in KEYS for item in record.history.item)
    return found


def _records(data: bytes) -> Iterator[bytes]:
    """The complete records."""
    at, parts = _OWN, b""
    while at + _HEAD.size <= len(data):
        if _BLOCK - at % _BLOCK < _HEAD.size:
            at += _BLOCK - at % _BLOCK
            continue
        _, size, kind = _HEAD.unpack_from(data, at)
        content = data[at + _HEAD.size : at + _HEAD.size + size]
        at += _HEAD.size + size
        if kind == 0 or len(content) < size:
            return
        parts = content if kind in (_FULL, _FIRST) else parts + content
        if kind in (_FULL, _LAST):
            yield parts


if __name__ == "__main__":
    main(begin, count)
