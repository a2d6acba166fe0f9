"""Making, finding and clearing away spools."""

from __future__ import annotations

import contextlib
import shutil
import time
from typing import TYPE_CHECKING

from deardiary.spool import lines
from deardiary.spool import run as runs
from deardiary.spool.lock import FolderLock
from deardiary.spool.segment import segments_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary.spool.run import Run
    from deardiary.spool.segment import FileSegment

UNTOUCHED_SECONDS = 60.0
DEAD_SECONDS = 86_400.0


def create(root: Path, run: Run) -> tuple[Path, FolderLock]:
    """A new spool, locked. OSError when the folder cannot be written."""
    folder = root / run.spool_id
    folder.mkdir(parents=True, mode=0o700)
    lock = FolderLock(folder)
    lock.acquire()
    runs.save(folder, run)  # last: without it a folder is no spool, so nobody finds one that is not locked yet
    return folder, lock


def spools_in(root: Path) -> Iterator[tuple[Path, Run]]:
    """The spools in a folder and below it, oldest first; the folder may be one itself."""
    if not root.is_dir():
        return
    found = [(path.parent, runs.load(path.parent)) for path in root.rglob(runs.FILE)]
    spools = [(folder, run) for folder, run in found if run is not None]
    yield from sorted(spools, key=lambda each: (each[1].started_at, each[1].spool_id))


def may_be_sent(folder: Path, *, alone: bool) -> tuple[list[FileSegment], FileSegment | None]:
    """The segments that will not change, and the newest if it still may.

    ``alone``: nobody else writes here, for sure. Otherwise the newest is complete only when it holds the end of the
    iteration; if nothing has come for a minute it may be sent as it is, and must be kept.
    """
    segments = segments_in(folder)
    if alone or not segments or _holds_the_end(segments[-1]):
        return segments, None
    newest = segments.pop()
    return segments, newest if _age(newest.path) > UNTOUCHED_SECONDS else None


def is_dead(folder: Path, run: Run, lock: FolderLock) -> bool:
    """Whether the writer is gone and ``lock``, which is then held, keeps others away.

    The lock of another machine's spool says nothing, unless nobody has written for a day.
    """
    if not lock.acquire():
        return False
    if run.host == runs.this_host() or all(_age(each) > DEAD_SECONDS for each in folder.iterdir()):
        return True
    lock.release()
    return False


def remove(folder: Path) -> bool:
    """Remove a spool of which nothing is left to be sent; False when something stays, for the user to look at."""
    if segments_in(folder) or any((folder / "rejected").glob("*")):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _holds_the_end(segment: FileSegment) -> bool:
    with contextlib.suppress(OSError):
        return any("finish" in entry for entry in lines.read(segment.read())[0])
    return False


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0
