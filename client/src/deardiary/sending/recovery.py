"""Send the spools of earlier processes."""

import contextlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from deardiary import settings
from deardiary.client import Client
from deardiary.errors import ClientError, reason_of
from deardiary.sending.delivery import Delivered, Delivery, hint
from deardiary.spool import lines, store
from deardiary.spool import run as runs
from deardiary.spool.lock import FolderLock
from deardiary.spool.run import Run
from deardiary.spool.segment import FileSegment, segments_in

_log = logging.getLogger(__name__)
_busy = threading.Lock()
_reported: set[Path] = set()  # each iteration of a process tries these spools again, and only the first warns


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of sending a spool. ``error`` stopped it; ``open``: the spool's program may still write to it.

    ``left`` counts the remaining segments, ``refused`` the parts kept in the spool that the server refused for good.
    """

    iteration_id: str | None
    delivered: Delivered
    left: int
    refused: int = 0
    open: bool = False
    error: ClientError | OSError | None = None


def send_spool(
    client: Client, folder: Path, run: Run, *, ends: bool = True, alone: bool = False, newest: bool = False
) -> Outcome:
    """Send the complete segments of a spool, and remove the delivered ones; ``ends``: see `Delivery`.

    ``alone``: send nothing while the spool's program may still write to it, and send to another server. ``newest``:
    send also the segment to which it may still write.
    """
    delivery = Delivery(client, run, folder, ends=ends)
    lock = FolderLock(folder)
    error: ClientError | OSError | None = None
    dead = False
    try:
        dead = store.is_dead(folder, run, lock)
        if dead or not alone:
            _send(delivery, folder, dead=dead, newest=newest)
    except (ClientError, OSError) as failure:
        error = failure
    finally:
        left = len(segments_in(folder)) if folder.is_dir() else 0
        refused = len(list((folder / store.REJECTED).glob("*")))
        if dead and error is None:
            store.remove(folder)
        lock.release()
    iteration_id = delivery.iteration.id if delivery.iteration else run.origin.iteration_id
    return Outcome(iteration_id, delivery.delivered, left, refused, not dead, error)


def send_left_of(client: Client, run: Run, root: Path, *, repeated: bool = False) -> list[Exception]:
    """Send the spools of earlier processes in the same iteration, oldest first, but not the iteration's end.

    Those of another machine too, whose writer may be alive: it may also be a copy, such as SageMaker brings back.
    Return the errors that stopped it, one for each spool that is not sent. A ``repeated`` try does not warn of them.
    """
    errors = [
        _send_if_dead(client, folder, other, ends=False, copies=True, quiet=repeated)
        for folder, other in list(store.spools_in(root))
        if other.spool_id != run.spool_id and _is_same(run, other) and other.url in (None, client.url)
    ]
    return [error for error in errors if error is not None]


def acknowledged_in(run: Run, root: Path) -> frozenset[str]:
    """The ids of the commands that earlier processes of the same iteration have carried out and not reported yet."""
    found: set[str] = set()
    for folder, other in store.spools_in(root):
        if other.spool_id == run.spool_id or not _is_same(run, other):
            continue
        for segment in segments_in(folder):
            with contextlib.suppress(OSError):
                done = (entry.get("acknowledged") for entry in lines.read(segment.read())[0])
                found.update(str(each.get("command_id")) for each in done if isinstance(each, dict))
    return frozenset(found)


def send_left_by_forks(client: Client, run: Run, root: Path) -> None:
    for folder, other in list(store.spools_in(root)):
        if other.forked_from == run.spool_id and other.url in (None, client.url):
            _send_if_dead(client, folder, other)


def send_left_by_others(client: Client, run: Run) -> None:
    """Send the spools of dead processes in other iterations of this server, in a thread; one thread at a time."""
    if _busy.acquire(blocking=False):
        threading.Thread(target=_send_all, args=(client.clone(), run), name="deardiary-recovery", daemon=True).start()


def _send_all(client: Client, run: Run) -> None:
    try:
        for folder, other in list(store.spools_in(settings.spool_folder())):
            if other.url == client.url and not other.offline and not _is_same(run, other):
                _send_if_dead(client, folder, other)
    except (OSError, RuntimeError) as error:
        _log.debug("What others left was not looked through: %s", error)
    finally:
        client.disconnect()
        _busy.release()


def _send_if_dead(
    client: Client, folder: Path, run: Run, *, ends: bool = True, copies: bool = False, quiet: bool = False
) -> Exception | None:
    """Send a dead process's records, with ``copies`` also those of another machine, which stay in the folder.

    Return the error that kept them from the server. A ``quiet`` call does not warn of it, nor does a repeated one.
    """
    try:
        if not _is_work(folder, run, copies=copies):
            return None
    except OSError as error:
        _log.debug("%s was passed over: %s", folder, error)
        return None
    try:
        outcome = send_spool(client, folder, run, ends=ends, newest=copies)
    except Exception as error:  # noqa: BLE001 - a damaged spool must not block the others
        _log.log(_level(folder, quiet), "What is in %s cannot be sent, and others go on", folder, exc_info=True)
        return error
    if outcome.error is None:
        _log.warning("Sent what an earlier process had left of iteration %s", outcome.iteration_id)
    elif not folder.is_dir():
        _log.debug("Another process has sent what was left in %s", folder)
        return None
    else:
        why = f"{reason_of(outcome.error)}{hint(outcome.error, folder)}"
        text = "An earlier process has left something in %s that cannot be sent now: %s"
        _log.log(_level(folder, quiet), text, folder, why)
    return outcome.error


def _level(folder: Path, quiet: bool) -> int:
    if quiet or folder in _reported:
        return logging.DEBUG
    _reported.add(folder)
    return logging.WARNING


def _is_work(folder: Path, run: Run, *, copies: bool) -> bool:
    """True if a dead process, with ``copies`` also one of another machine, has left unsent segments.

    Remove a dead process's spool without segments.
    """
    probe = FolderLock(folder)
    if not store.is_dead(folder, run, probe):
        return copies and not runs.is_of_this_boot(run) and bool(segments_in(folder))
    try:
        something = bool(segments_in(folder))
        if not something:
            store.remove(folder)
        return something
    finally:
        probe.release()


def _is_same(run: Run, other: Run) -> bool:
    mine, theirs = run.origin, other.origin
    if mine.iteration_id is not None and mine.iteration_id == theirs.iteration_id:
        return True
    keys = {mine.id_key, mine.resume} - {None}
    is_same_experiment = (mine.project, mine.experiment) == (theirs.project, theirs.experiment)
    return is_same_experiment and bool(keys & {theirs.id_key, theirs.resume})


def _send(delivery: Delivery, folder: Path, *, dead: bool, newest: bool) -> None:
    delivery.find_iteration()
    complete, last = store.may_be_sent(folder, alone=dead or newest)
    # Another machine may see a file without its last lines, so it must not discard the writer's segments.
    discard = dead or runs.is_of_this_boot(delivery.run)
    for segment in complete:
        _deliver(delivery, segment, discard=discard)
    if last is not None:
        _deliver(delivery, last, discard=False)
    if dead:
        delivery.close()


def _deliver(delivery: Delivery, segment: FileSegment, *, discard: bool) -> None:
    try:
        delivery.deliver(segment)
    except FileNotFoundError:
        return  # another process has delivered it
    if discard:
        segment.discard()
