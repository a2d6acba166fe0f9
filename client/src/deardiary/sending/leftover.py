"""List and discard the unsent and rejected records of spools."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from deardiary import settings
from deardiary.errors import reason_of
from deardiary.spool import lines, own_file, store
from deardiary.spool.lock import FolderLock
from deardiary.spool.run import Run
from deardiary.spool.segment import segments_in

_SHORTEST_PREFIX = 6
_MAX_REJECTED_BYTES = 256 * 2**20
_UNREADABLE = (OSError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The unsent content of a spool: ``points``, ``others`` (other records), ``files`` and all ``bytes``.

    ``rejected`` counts the parts that the server refused for good.
    """

    spool: str
    iteration_id: str | None
    url: str | None
    started_at: datetime
    points: int
    others: int
    files: int
    rejected: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPart:
    """A part of a spool that the server refused for good: ``records`` of one ``kind``, and the ``reason``."""

    spool: str
    iteration_id: str | None
    kind: str
    records: int
    reason: str
    path: str


def find(words: Sequence[str], from_url: str | None) -> list[tuple[Path, Run]]:
    """The spools of this machine, or those that ``words`` name by a folder or by the beginning of an id.

    With ``from_url`` only the spools of that server. ValueError for a word that names no spool.
    """
    ours = list(store.spools_in(settings.spool_folder()))
    found = {folder: run for word in words for folder, run in _named(word, ours)} if words else dict(ours)
    url = settings.clean_url(from_url)
    return [(folder, run) for folder, run in found.items() if url in (None, run.url)]


def _named(word: str, ours: list[tuple[Path, Run]]) -> list[tuple[Path, Run]]:
    if word and Path(word).is_dir():
        found = list(store.spools_in(Path(word)))
    else:
        found = [each for each in ours if len(word) >= _SHORTEST_PREFIX and _begins(each[1], word)]
    if not found:
        raise ValueError(f"Nothing waits here of a run or an iteration {word!r}")
    return found


def _begins(run: Run, word: str) -> bool:
    return run.spool_id.startswith(word) or (run.origin.iteration_id or "").startswith(word)


def waiting_in(folder: Path, run: Run) -> Waiting:
    entries = list(_entries(folder))
    points = sum(_count(each["points"]) for each in entries if "points" in each)
    return Waiting(
        spool=run.spool_id,
        iteration_id=run.origin.iteration_id,
        url=run.url,
        started_at=run.started_at,
        points=points,
        others=sum("points" not in each for each in entries),
        files=len(store.own_files(folder / store.FILES)),
        rejected=len(store.own_files(folder / store.REJECTED)),
        bytes=sum(each.lstat().st_size for each in _all_files(folder)),
    )


def discard(folder: Path, run: Run) -> bool:
    """Remove a spool with all its content. False if its program may still write to it."""
    lock = FolderLock(folder)
    if not store.is_dead(folder, run, lock):
        return False
    try:
        for segment in segments_in(folder):
            segment.discard()
        store.drop_rejected(folder)
        store.remove(folder)
    finally:
        lock.release()
    return True


def rejected_in(folder: Path, run: Run) -> list[RejectedPart]:
    return [_rejected(path, run) for path in store.own_files(folder / store.REJECTED)]


def drop_rejected(folder: Path, run: Run) -> None:
    """Remove the rejected records, and the spool too if it is empty then and its program is gone."""
    store.drop_rejected(folder)
    lock = FolderLock(folder)
    if store.is_dead(folder, run, lock):
        store.remove(folder)
        lock.release()


def _entries(folder: Path) -> Iterator[lines.Entry]:
    for segment in segments_in(folder):
        try:
            content = segment.read()
        except OSError:
            continue  # its size still counts in `bytes`
        yield from lines.read(content)[0]


def _all_files(folder: Path) -> Iterable[Path]:
    yield from (segment.path for segment in segments_in(folder))
    yield from store.own_files(folder / store.FILES)
    yield from store.own_files(folder / store.REJECTED)


def _rejected(path: Path, run: Run) -> RejectedPart:
    try:
        content = json.loads(own_file.read(path, _MAX_REJECTED_BYTES))
        reason = content.pop("error", "")
        records = sum(map(_count, content.values()))
    except (*_UNREADABLE, AttributeError) as error:
        reason, records = f"it cannot be read: {reason_of(error)}", 0
    # NUMBER-KIND-DIGEST.json
    kind = path.name.split("-")[1] if path.name.count("-") > 1 else path.stem
    return RejectedPart(
        spool=run.spool_id,
        iteration_id=run.origin.iteration_id,
        kind=kind,
        records=records,
        reason=str(reason),
        path=str(path),
    )


def _count(value: Any) -> int:
    return len(value) if isinstance(value, (dict, list)) else 0
