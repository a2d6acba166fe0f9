"""Creation, search and removal of spools."""

import contextlib
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from deardiary.files import parts_of
from deardiary.spool import lines, lock, own_file
from deardiary.spool import run as runs
from deardiary.spool.lock import FolderLock
from deardiary.spool.run import Run
from deardiary.spool.segment import FileSegment, segments_in

FILES, REJECTED = "files", "rejected"
UNTOUCHED_SECONDS = 60.0
REBOOTED_SECONDS = 600.0  # a running writer touches its lock every minute
DEAD_SECONDS = 86_400.0


def create(root: Path, run: Run) -> tuple[Path, FolderLock]:
    """Create a locked spool, whose run.json the caller flushes. OSError if the folder cannot be written."""
    folder = root / run.spool_id
    return folder, begin(folder, run, is_safe=False)


def begin(folder: Path, run: Run, *, is_safe: bool = True) -> FolderLock:
    """Create the missing parts of a spool and lock it. OSError if it cannot be written, or is locked.

    ``is_safe``: see `runs.save`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = FolderLock(folder)
    if not held.acquire():
        raise BlockingIOError(f"Another process holds the lock of {folder}")
    try:
        runs.save(
            folder, run, is_safe=is_safe
        )  # last: run.json makes it a spool, so no other process finds it before it is locked
    except BaseException:
        held.release()
        raise
    return held


def spools_in(root: Path) -> Iterator[tuple[Path, Run]]:
    """The spools in and below a folder, oldest first; the folder itself may be a spool."""
    if not root.is_dir():
        return
    found = [(path.parent, runs.load(path.parent)) for path in root.rglob(runs.FILE)]
    spools = [(folder, run) for folder, run in found if run is not None]
    yield from sorted(spools, key=lambda each: (each[1].started_at, each[1].spool_id))


def may_be_sent(folder: Path, *, alone: bool) -> tuple[list[FileSegment], FileSegment | None]:
    """The complete segments, and the newest segment if its writer may still append to it.

    ``alone``: no other process can write here, so all are complete. Otherwise the newest is complete only if it holds
    the end of the iteration. After a minute without a write it may be sent as it is, but must be kept.
    """
    segments = segments_in(folder)
    if alone or not segments or _holds_the_end(segments[-1]):
        return segments, None
    newest = segments.pop()
    return segments, newest if _age(newest.path) > UNTOUCHED_SECONDS else None


def is_dead(folder: Path, run: Run, own: FolderLock) -> bool:
    """True if the writer is gone; then this process holds the lock ``own``.

    The lock does not show a writer on another machine, or one before a reboot of this machine, which looks the same as
    another machine of its name. Such a writer counts as gone after a long time without a sign of life.
    """
    if not own.acquire():
        return False
    long = REBOOTED_SECONDS if run.host == runs.this_host() else DEAD_SECONDS
    if runs.is_of_this_boot(run) or all(_age(each) > long for each in folder.iterdir()):
        return True
    own.release()
    return False


def path_for(folder: Path, name: str) -> Path:
    """A path for the copy of a file until its upload, with a name that is valid on every system."""
    files = folder / FILES
    files.mkdir(exist_ok=True)
    return files / f"{runs.new_spool_id()}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[-100:]}"


def kept_file(folder: Path, name: str) -> Path:
    """The path of a copy in the spool, from its name there.

    The spool may be another user's: PermissionError for a name, or a link, that leads out of it.
    """
    parts = name.replace("\\", "/").split("/")
    path = folder / FILES / parts[-1]
    if parts[:-1] != [FILES] or parts[-1] in ("", ".", "..") or ":" in parts[-1]:
        raise PermissionError(f"{name!r} is not a file of the spool {folder}")
    if path.is_symlink() or path.parent.is_symlink():
        raise PermissionError(f"{path} is a link, and may lead out of the spool")
    with contextlib.suppress(FileNotFoundError):
        own_file.check(path, path.stat())
    return path


def own_files(folder: Path) -> list[Path]:
    """The files directly in a spool's folder of files or of rejected records; empty if that folder is a link."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_symlink() or path.is_file())


def drop_rejected(folder: Path) -> None:
    """Remove the records that the server refused. If their folder is a link, remove the link only."""
    rejected = folder / REJECTED
    for path in own_files(rejected):
        path.unlink(missing_ok=True)
    if rejected.is_symlink():
        rejected.unlink()


def remove(folder: Path) -> bool:
    """Remove a spool. False if unsent or rejected records are in it; then it stays, for the user to inspect.

    Remove the spool's own files only: a folder with a run.json may hold other files too.
    """
    if segments_in(folder) or any((folder / REJECTED).glob("*")):
        return False
    with contextlib.suppress(OSError):
        (folder / REJECTED).rmdir()
    files = folder / FILES
    if files.is_dir() and not files.is_symlink():
        shutil.rmtree(files, ignore_errors=True)
    for path in (*parts_of(folder / runs.FILE), folder / runs.FILE, folder / lock.FILE):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
    return True


def _holds_the_end(segment: FileSegment) -> bool:
    with contextlib.suppress(OSError):
        return any("finish" in entry for entry in lines.read(segment.read())[0])
    return False


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0
