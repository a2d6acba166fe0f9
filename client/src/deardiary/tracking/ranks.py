"""The ranks of a job: several processes that a launcher has started for one training."""

import contextlib
import contextvars
import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deardiary import settings
from deardiary.spool.run import RunRef, this_boot
from deardiary.tracking.console import uncaptured

Ranks = Literal["first", "children", "all"]
RANKS: tuple[Ranks, ...] = ("first", "children", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True)
class Role:
    """What a start does in this rank: ``mode`` says which ranks log. Without a ``place`` it does as in any process."""

    place: Place | None
    mode: Ranks

    @property
    def is_other(self) -> bool:
        return self.place is not None and self.place.rank > 0

    @property
    def is_silent(self) -> bool:
        return self.is_other and self.mode == "first"

    @property
    def is_part(self) -> bool:
        """True if this rank logs into the iteration of the first one."""
        return self.is_other and self.mode == "all"

    def shared_key(self) -> str | None:
        """The key by which all ranks find one iteration: the job's, with a number for each further start.

        None if only the first rank logs.
        """
        if self.place is None or self.mode == "first":
            return None
        if self.place.key is None:
            raise ValueError(
                f"ranks={self.mode!r} needs a key that all ranks share, and {self.place.launcher} sets none: give "
                "start() an id_key, or start the job with torchrun --rdzv-id=JOB"
            )
        number = next(_starts)
        return f"{self.place.key}/{number}" if number else self.place.key

    def own(self, ref: RunRef, id_key: str | None) -> tuple[RunRef, str | None]:
        """The iteration of this rank, and its key: another rank's is a child of ``ref`` if each has its own."""
        if self.place is None or not self.is_other or self.mode != "children":
            return ref, id_key
        own_key = f"{ref.resume or ref.id_key}/rank-{self.place.rank}"
        name = f"rank {self.place.rank}"
        child = RunRef(project=ref.project, experiment=ref.experiment, name=name, parent=ref, id_key=own_key)
        return child, own_key

    def tell_of_silence(self) -> None:
        """Say once in each job that only the first rank logs."""
        of = self.place
        if of is None or of.rank != 1 or settings.is_quiet() or sys.stderr is None:
            return
        text = (
            f"deardiary: of the {of.size} ranks ({of.launcher}) the first logs; "
            'start(ranks="children") or "all": every one'
        )
        with contextlib.suppress(OSError, ValueError):
            uncaptured(sys.stderr)(f"{text}\n")


def role_of(ranks: str | None, *, decided: bool) -> Role:
    """The role of this process for ``ranks``. ``decided``: a parent iteration of this process has decided already."""
    return Role(None if decided else place(), mode_of(ranks))


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
