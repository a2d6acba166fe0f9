"""The description of a spool's iteration, with which any process on any machine can send the spool."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from deardiary.files import write_whole
from deardiary.spool import own_file
from deardiary.wire.form import from_json, to_json

FILE = "run.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MAX_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRef:
    """A reference to an iteration, to find or create it: by its id if that is known, else by names and keys.

    One ``id_key`` in one experiment is one iteration for all callers. ``resume`` is an id or an id_key.
    """

    iteration_id: str | None = None
    experiment_id: str | None = None
    project: str | None = None
    experiment: str | None = None
    id_key: str | None = None
    resume: str | None = None
    name: str = ""
    notes: str = ""
    parent: RunRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The content of run.json. ``url`` is None if no server was named; ``reopens``: reopen the iteration if it ended.

    The spool's lock is visible only to the kernel of ``boot`` on the machine ``host``. ``forked_from`` is the spool of
    the parent process, if that one ends the iteration.
    """

    spool_id: str
    started_at: datetime
    host: str
    boot: str | None = None
    url: str | None
    offline: bool = False
    reopens: bool = False
    forked_from: str | None = None
    origin: RunRef  # the name of the field in run.json


def new_spool_id() -> str:
    """A globally unique id, which sorts by the second of its creation."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(8)}"


def this_host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename  # as `platform.node`, whose import takes longer
    import platform

    return platform.node()


def this_boot() -> str | None:
    """The boot id of the kernel, also inside containers; None on systems without one."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return None


def is_of_this_boot(run: Run) -> bool:
    """True if a lock on the run's spool is visible here. Without ``boot``, compare the names of the machines."""
    return run.host == this_host() if run.boot is None else run.boot == this_boot()


def save(folder: Path, run: Run, *, is_safe: bool = True) -> None:
    """Write run.json; unless ``is_safe``, call `flush` after that, in a thread for which nothing waits."""
    write_whole(folder / FILE, json.dumps(to_json(run), indent=1).encode(), is_safe=is_safe)


def flush(folder: Path) -> None:
    """Keep run.json safe against a power failure."""
    descriptor = os.open(folder / FILE, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(folder: Path) -> Run | None:
    try:
        run = from_json(Run, json.loads(own_file.read(folder / FILE, _MAX_BYTES)))
        return replace(run, started_at=run.started_at.astimezone(timezone.utc))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None
