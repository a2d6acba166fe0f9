"""SQLite files of other trackers, which stay as they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from deardiary_exchange.origins.origin import OriginFailed


def open_read_only(path: Path) -> sqlite3.Connection:
    """The database of this file. OriginFailed if it is none."""
    if not path.is_file():
        raise OriginFailed(f"{path} {'is no file' if path.exists() else 'does not exist'}")
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        database.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        raise OriginFailed(f"{path} cannot be read as a database of SQLite: {error}") from None
    return database


def tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
