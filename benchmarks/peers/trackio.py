"""Trackio, to its local database in TRACKIO_DIR."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import trackio

from benchmarks.kit.pace import Log, main


def begin(folder: Path) -> Log:
    trackio.init(project=folder.name, auto_log_gpu=False, auto_log_cpu=False)
    return lambda values, step: trackio.log(values, step=step)


def count(folder: Path) -> int:
    found = 0
    for path in (folder / "trackio").glob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            found += sum(len(json.loads(text)) for (text,) in database.execute("SELECT metrics FROM metrics"))
    return found


if __name__ == "__main__":
    main(begin, count)
