"""What a spool has to say about its iteration, so that any process on any machine can bring it to the server."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import time
from datetime import datetime, timezone
from pathlib import Path

from deardiary.spool import own_file
from deardiary.wire.form import from_json, to_json

FILE = "run.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MAX_BYTES = 2**20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How to find an iteration, or else to make it: by its id if that is known, by what it is named otherwise.

    The same ``id_key`` in the same experiment is the same iteration, whoever asks. ``resume`` is an id or an id_key.
    """

    iteration_id: str | None = None
    experiment_id: str | None = None
    project: str | None = None
    experiment: str | None = None
    id_key: str | None = None
    resume: str | None = None
    notes: str = ""
    parent: Origin | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``url`` is None when no server had been named. ``reopens``: the iteration goes on, also when it has ended.

    The spool's lock says something in the kernel of ``boot`` on the machine ``host``, and not elsewhere.
    ``forked_from`` is the spool of the process that ends the iteration, when that is another one.
    """

    spool_id: str
    started_at: datetime
    host: str
    boot: str | None = None
    url: str | None
    offline: bool = False
    reopens: bool = False
    forked_from: str | None = None
    origin: Origin


def new_spool_id() -> str:
    """Sorts by the second in which it was made; the random part makes it one of its kind anywhere."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(8)}"


def this_host() -> str:
    import platform

    return platform.node()


def this_boot() -> str | None:
    """Names the kernel from its start on, also inside containers; None where the system does not tell."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return None


def is_of_this_boot(run: Run) -> bool:
    """Whether a lock on its spool is seen here. Without ``boot``, the name of the machine has to do."""
    return run.host == this_host() if run.boot is None else run.boot == this_boot()


def save(folder: Path, run: Run) -> None:
    write_whole(folder / FILE, json.dumps(to_json(run), indent=1).encode())


def load(folder: Path) -> Run | None:
    """None for a folder that is no spool, or no more."""
    try:
        run = from_json(Run, json.loads(own_file.read(folder / FILE, _MAX_BYTES)))
        return dataclasses.replace(run, started_at=run.started_at.astimezone(timezone.utc))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None


def write_whole(path: Path, content: bytes) -> None:
    """All of it or nothing, also when the machine loses power."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
