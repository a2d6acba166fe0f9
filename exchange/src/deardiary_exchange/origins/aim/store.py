"""The databases of Aim's runs, by their form: Aim itself is 230 MB, and changes a repository to show a new run.

Each run has two databases of RocksDB. A key is a path: each part ends in the byte FE; a whole number is FE and eight
bytes, big-endian. A value has one byte for its type, then its content. A value without any byte is a blob, which has a
key of its own.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from deardiary_exchange.origins.origin import OriginFailed
from deardiary_exchange.runs import Unreadable

Part = str | int
_MOST_OPEN, _ATTEMPTS = 4, 5
_FAULTS = ("Corruption", "Incomplete", "InvalidArgument", "NotFound", "NotSupported", "RocksIOError")
_END, _BLOBS = b"\xfe", b"BLOBS\xfe"
_NUMBER, _INTEGER, _FLOAT = struct.Struct(">q"), struct.Struct("<q"), struct.Struct("<d")


class Kind(Enum):
    """What a key with further keys below it is."""

    LIST = 6
    DICT = 7


class Custom(NamedTuple):
    """A value of one of Aim's classes, such as ``aim.image``."""

    name: str
    fields: Any


@dataclass(frozen=True, slots=True)
class Blob:
    """A large value, which is read when it is needed."""

    store: Store
    key: bytes

    def read(self) -> Any:
        return decoded(self.store.get(_BLOBS + self.key) or b"\x00")


class Pool:
    """Open databases: only the last few, because each holds all of its files open."""

    def __init__(self) -> None:
        self._rocks = module()
        self._open: OrderedDict[Path, Any] = OrderedDict()
        self.faults = tuple(getattr(self._rocks.errors, name) for name in _FAULTS)

    def open(self, folder: Path) -> Any:
        """The database as it was when it was opened. It stays as it is: a reader of RocksDB writes no log."""
        if folder not in self._open:
            self._open[folder] = self._opened(folder)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        self._open.move_to_end(folder)
        return self._open[folder]

    def _opened(self, folder: Path) -> Any:
        if not (folder / "CURRENT").is_file():
            raise Unreadable(f"{folder} is no database of RocksDB")
        # All files are opened at once, so that Aim may replace them while they are read.
        options = self._rocks.Options(create_if_missing=False, max_open_files=-1)
        for left in reversed(range(_ATTEMPTS)):
            try:
                return self._rocks.DB(str(folder), options, read_only=True)
            except self.faults as error:
                # Aim may just have replaced a file.
                if not left:
                    raise Unreadable(f"{folder}: {error}") from None
        raise AssertionError


class Store:
    """One database. Unreadable if it is damaged."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self._pool, self._folder = pool, folder

    def get(self, key: bytes) -> bytes | None:
        database = self._pool.open(self._folder)
        with self._faults():
            found: bytes | None = database.get(key)
        return found

    def value(self, *path: Part) -> Any:
        """The value of a key; None without one."""
        return decoded(self.get(encoded(path)) or b"\x00")

    def raw(self, *path: Part) -> Iterator[tuple[bytes, Any]]:
        """The values below a path, in the order of their keys, with the rest of each key."""
        start = encoded(path)
        database = self._pool.open(self._folder)
        with self._faults():
            found = database.iteritems()
            found.seek(start)
            for key, value in found:
                if not key.startswith(start):
                    return
                yield key[len(start) :], decoded(value) if value else Blob(self, key)

    def tree(self, *path: Part) -> Any:
        """Everything below a path, as dicts and lists; an empty dict if there is nothing."""
        return tree((parts(key), value) for key, value in self.raw(*path))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except self._pool.faults as error:
            raise Unreadable(f"{self._folder}: {error}") from None


def module() -> Any:
    """The package that reads RocksDB. OriginFailed without it."""
    try:
        import aimrocks
        import aimrocks.errors
    except ImportError:
        wanted = "pip install aimrocks, which there is for Python 3.12 and older"
        raise OriginFailed(f"Files of Aim need: {wanted}") from None
    return aimrocks


def encoded(path: Iterable[Part]) -> bytes:
    return b"".join((each.encode() if isinstance(each, str) else _END + _NUMBER.pack(each)) + _END for each in path)


def parts(key: bytes) -> tuple[Part, ...]:
    """The parts of a key; ValueError if it is none of Aim's."""
    found: list[Part] = []
    start = 0
    while start < len(key):
        if key[start : start + 1] == _END:
            found.append(number(key, start))
            start += 2 + _NUMBER.size
        else:
            stop = key.index(_END, start)
            found.append(key[start:stop].decode())
            start = stop + 1
    return tuple(found)


def number(key: bytes, start: int = 0) -> int:
    """The part of a key that is a whole number."""
    found: int = _NUMBER.unpack_from(key, start + 1)[0]
    return found


def decoded(value: bytes) -> Any:
    kind, content = value[0], value[1:]
    if kind == 1:
        return content != b"\x00"
    if kind == 2:
        return _INTEGER.unpack(content)[0]
    if kind == 3:
        return _FLOAT.unpack(content)[0]
    if kind == 4:
        return content.decode("utf-8", "replace")
    if kind == 5:
        return content
    if kind in (Kind.LIST.value, Kind.DICT.value):
        return Kind(kind)
    return Custom(content.decode(), None) if kind == 15 else None


class _Node:
    def __init__(self) -> None:
        self.value: Any = Kind.DICT
        self.below: dict[Part, _Node] = {}

    def plain(self) -> Any:
        if self.value is Kind.LIST:
            return [each.plain() for _, each in sorted(self.below.items())]
        if isinstance(self.value, Custom) or self.value is Kind.DICT or self.below:
            fields = {key: each.plain() for key, each in self.below.items()}
            return Custom(self.value.name, fields) if isinstance(self.value, Custom) else fields
        return self.value


def tree(items: Iterable[tuple[tuple[Part, ...], Any]]) -> Any:
    """Values by their paths as dicts, lists and `Custom` values."""
    root = _Node()
    for path, value in items:
        node = root
        for part in path:
            node = node.below.setdefault(part, _Node())
        node.value = value
    return root.plain()
