"""The ranks of a job: several processes that a launcher has started for one training."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import itertools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deardiary import settings
from deardiary.spool.run import RunRef, this_boot
from deardiary.tracking.console import uncaptured

if TYPE_CHECKING:
    from collections.abc import Iterator

Ranks = Literal["first", "children", "all"]
RANKS: tuple[Ranks, ...] = ("first", "children", "all")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The rank of this process among the ``size`` processes of its job. ``key`` names the job for all of them."""

    launcher: str
    rank: int
    size: int
    key: str | None


ALONE = Place(launcher="", rank=0, size=1, key=None)
_assumed: contextvars.ContextVar[Place | None] = contextvars.ContextVar("place", default=None)
_starts = itertools.count()  # of this process with a shared key: the ranks of a job run the same program


def place() -> Place | None:
    """The place of this process; None unless a launcher has started several."""
    return _assumed.get() or _launched() or _of_sagemaker()


@contextlib.contextmanager
def at(assumed: Place) -> Iterator[None]:
    """Let `place` return this one in the block."""
    token = _assumed.set(assumed)
    try:
        yield
    finally:
        _assumed.reset(token)


def mode_of(ranks: str | None) -> Ranks:
    """Which ranks log: ``ranks``, else DEARDIARY_RANKS, else "first". ValueError for any other word."""
    given = ranks or settings.default_ranks() or "first"
    for mode in RANKS:
        if mode == given:
            return mode
    raise ValueError(f"ranks is one of {', '.join(RANKS)}, not {given!r}")


def shared_key(of: Place, mode: Ranks) -> str:
    """The key by which all ranks find the same iteration: the job's, with a number for each further start."""
    if of.key is None:
        raise ValueError(
            f"ranks={mode!r} needs a key that all ranks share, and {of.launcher} sets none: give start() an id_key, or "
            "start the job with torchrun --rdzv-id=JOB"
        )
    number = next(_starts)
    return f"{of.key}/{number}" if number else of.key


def below(ref: RunRef, rank: int) -> RunRef:
    """The reference of another rank's own iteration, a child of the one that ``ref`` finds."""
    return RunRef(
        project=ref.project,
        experiment=ref.experiment,
        name=f"rank {rank}",
        parent=ref,
        id_key=f"{ref.resume or ref.id_key}/rank-{rank}",
    )


def tell_of_silence(of: Place) -> None:
    """Say once in each job that only the first rank logs."""
    if of.rank != 1 or settings.is_quiet() or sys.stderr is None:
        return
    text = (
        f'deardiary: of the {of.size} ranks ({of.launcher}) the first logs; start(ranks="children") or "all": every one'
    )
    with contextlib.suppress(OSError, ValueError):
        uncaptured(sys.stderr)(f"{text}\n")


def _launched() -> Place | None:
    found = settings.launched()
    if found is None or found.size < 2:
        return None
    key = found.key or (_key_of_parent_process() if found.has_one_parent else None)
    return Place(launcher=found.launcher, rank=found.rank, size=found.size, key=key)


def _of_sagemaker() -> Place | None:
    """One process on each host of a job of SageMaker. Its launchers set the variables above."""
    job = settings.training_job()
    hosts, current = ([], None) if job is None else hosts_of(job.base)
    if job is None or current not in hosts or len(hosts) == 1:
        return None
    return Place(launcher="SageMaker", rank=hosts.index(current), size=len(hosts), key=job.name)


def hosts_of(base: Path) -> tuple[list[str], str | None]:
    """All hosts in the order of their numbers, and this one."""
    try:
        found = json.loads((base / "input" / "config" / "resourceconfig.json").read_text("utf-8"))
        hosts = sorted(map(str, found["hosts"]), key=lambda host: (len(host), host))
        return hosts, str(found["current_host"])
    except (OSError, ValueError, LookupError, TypeError):
        return [], None


def _key_of_parent_process() -> str | None:
    """The parent process, which has started all ranks, by its start: Linux numbers processes again."""
    try:
        # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: field 22; the name in field 2 may have spaces.
        started = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
    return f"{this_boot()}-{os.getppid()}-{started}"
