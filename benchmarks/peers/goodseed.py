"""GoodSeed, to its local database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import goodseed

from benchmarks.kit.pace import Log, main


def begin(folder: Path) -> Log:
    run = goodseed.Run(
        project=folder.name, log_dir=folder, storage="local", capture_hardware_metrics=False, git_ref=False
    )
    return lambda values, step: run.log_metrics(values, step=step)


def count(folder: Path) -> int:
    found = 0
    for path in folder.glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as database:
            ((points,),) = database.execute("SELECT count(*) FROM metric_points")
            found += points
    return found


if __name__ == "__main__":
    main(begin, count)
