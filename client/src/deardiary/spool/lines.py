"""The lines of a segment: a CRC-32 in hex, a space, and a record in compact ASCII JSON."""

import json
from typing import Any
from zlib import crc32

Entry = dict[str, Any]


def seal(body: str) -> bytes:
    """A line for a record's JSON, which must be ASCII without line ends."""
    data = body.encode("ascii")
    return b"%08x %b\n" % (crc32(data), data)


def dump(entry: Entry) -> str:
    return json.dumps(entry, allow_nan=False, separators=(",", ":"))


def read(content: bytes) -> tuple[list[Entry], int]:
    """The records of a segment, and the number of its damaged lines, which are lost."""
    lines = [line for line in content.split(b"\n") if line]
    entries = [entry for entry in map(_entry, lines) if entry is not None]
    return entries, len(lines) - len(entries)


def _entry(line: bytes) -> Entry | None:
    checksum, _, data = line.partition(b" ")
    if checksum != b"%08x" % crc32(data):
        return None
    try:
        entry = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
