"""One process's part of an iteration: its records, on their way to the server."""

import collections
import contextlib
import functools
import logging
import math
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deardiary import settings
from deardiary.client import Client
from deardiary.errors import ClientError, reason_of
from deardiary.files import sha256_of
from deardiary.sending import leftover, recovery
from deardiary.sending.delivery import Delivery
from deardiary.sending.sender import Sender
from deardiary.spool import lines, store
from deardiary.spool import output as outputs
from deardiary.spool import run as runs
from deardiary.spool.lock import FolderLock
from deardiary.spool.output import Line
from deardiary.spool.points import bodies
from deardiary.spool.run import Run, RunRef
from deardiary.spool.writer import Writer
from deardiary.tracking.creation import Creation
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration, PendingCommand

_FIELDS_PER_LINE = 100
# Of output that waits in the spool, and in memory without one.
_MOST_OUTPUT_BYTES = limits.MAX_OUTPUT_BYTES
_MOST_OUTPUT_IN_MEMORY = limits.MAX_OUTPUT_BYTES // 4
_NONE: Mapping[str, str | None] = MappingProxyType({})

_log = logging.getLogger(__name__)


class Journal:
    """A spool with its writer and, unless offline, its sender. Threads may share it.

    Only `wait` and `close` wait for the network. No call raises because the server cannot be reached, and only
    `keep_file` because the disk cannot be used.
    """

    def __init__(
        self,
        run: Run,
        client: Client | None,
        creation: Creation | None = None,
        receive: Callable[[Iterable[PendingCommand]], None] | None = None,
    ) -> None:
        """Without ``client`` the run is offline. The sender's thread carries out the ``creation`` first.

        ``receive`` is called in the sender's thread with the commands of each answer; None leaves them to others.
        """
        self._run = run
        self._client = client
        self._creation = None if client is None else creation
        self.has_forked = False
        self.folder, self._lock = _open(run)
        self._writer = Writer(self.folder, on_full=self._wake)
        self._delivery = None if client is None else Delivery(client, run, self.folder, creation, patient=False)
        self._receive = receive
        self._has_sent_earlier = self._is_flushed = False
        self._done_earlier: frozenset[str] = frozenset()
        if self._delivery is not None and receive is not None:
            self._delivery.receive_commands = self._pass_on
        self._looking = threading.RLock()  # a signal handler may end the iteration in the middle of its end
        self._is_gone = False
        # Of the output that waits: the number of the segment, and the bytes.
        self._output: collections.deque[tuple[int, int]] = collections.deque()
        self._sender = Sender(self._writer, self._delivery, self._send_earlier, self._look)
        if self._creation is None:
            self._sender.start()

    def begin(self) -> None:
        """Start to send, with the creation of the iteration; without one the constructor has done so."""
        if self._creation is not None:
            self._sender.start()

    @property
    def run(self) -> Run:
        return self._delivery.run if self._delivery else self._run

    @property
    def iteration(self) -> Iteration | None:
        """The iteration; None until the server has answered."""
        return self._delivery.iteration if self._delivery else None

    def created(self) -> Iteration | None:
        """The iteration, after the first try to create it; None if the server could not be reached then."""
        if self._creation is not None and self._client is not None:
            self._creation.wait(self._client.url)
        return self.iteration

    def points(self, texts: list[str], steps: Sequence[int | None], recorded_ms: int) -> None:
        """Write points in the form of `PointEncoder`, with one step each and one time for all."""
        for body, count in bodies(texts, steps, recorded_ms):
            self._writer.append(body, count)

    def fields(
        self, parameters: Mapping[str, str], tags: Sequence[str], labels: Mapping[str, str | None] = _NONE
    ) -> None:
        for piece in _pieces(list(parameters.items())):
            self._writer.append(lines.dump({"parameters": dict(piece)}))
        for piece in _pieces(list(tags)):
            self._writer.append(lines.dump({"tags": piece}))
        for piece in _pieces(list(labels.items())):
            self._writer.append(lines.dump({"labels": dict(piece)}))

    def operation(self, kind: str, arguments: Mapping[str, Any]) -> None:
        """Write an operation of `sending.operations`, to be done when the server can be reached."""
        self._writer.append(lines.dump({kind: arguments}))

    def output(self, printed: Sequence[Line], *, last: bool = False) -> bool:
        """Write printed lines. False if too many wait already; the ``last`` ones of an iteration are always written."""
        while self._output and self._output[0][0] < self._writer.first_waiting:
            self._output.popleft()
        size = sum(line.size_bytes for line in printed)
        most = _MOST_OUTPUT_IN_MEMORY if self.folder is None else _MOST_OUTPUT_BYTES
        if not last and sum(waiting for _, waiting in self._output) + size > most:
            return False
        for body in outputs.bodies(printed):
            self._writer.append(body)
        self._output.append((self._writer.newest, size))
        return True

    def acknowledge(self, command_id: str, step: int | None) -> None:
        """Record that a command is carried out; nothing after the end, when the server has closed all commands."""
        with contextlib.suppress(RuntimeError):
            self._writer.append(lines.dump({"acknowledged": {"command_id": command_id, "step": step}}))
            self._sender.send_soon()

    def _pass_on(self, commands: Iterable[PendingCommand]) -> None:
        if self._receive is not None:
            self._receive([each for each in commands if each.id not in self._done_earlier])

    def _send_earlier(self) -> list[Exception]:
        """Send the spools of earlier processes of this iteration. Return the errors that stopped it.

        If an acknowledgement cannot be sent, the server repeats the command: remember that it is carried out.
        """
        self._flush_run()
        if self._delivery is not None and self._creation is not None and not self._creation.is_tried:
            with contextlib.suppress(ClientError):  # the creation has told of it, and the sender tries again
                self._delivery.find_iteration()
        if self._client is None or self.folder is None or not self._run.reopens:
            return []
        repeated, self._has_sent_earlier = self._has_sent_earlier, True
        errors = recovery.send_left_of(self._client, self.run, self.folder.parent, repeated=repeated)
        if errors:
            self._done_earlier = recovery.acknowledged_in(self.run, self.folder.parent)
        return errors

    def _flush_run(self) -> None:
        """Once, in the sender's thread: a flush takes milliseconds, for which `start` should not wait."""
        if self.folder is not None and not self._is_flushed:
            self._is_flushed = True
            with contextlib.suppress(OSError):  # the folder may vanish; `_look` creates it again
                runs.flush(self.folder)

    @property
    def flush_seconds(self) -> float:
        return self._sender.pace()

    def keep_file(self, content: bytes | Path, name: str) -> dict[str, str]:
        """Copy a file into the spool until it is uploaded as ``name``; return its path in the spool and its SHA-256.

        Copy, do not link: training scripts overwrite the last checkpoint with the next one. OSError if the file cannot
        be read or the disk is full.
        """
        if self.folder is None:
            raise OSError(f"There is no folder to keep {name} in until the server can be reached")
        target = store.path_for(self.folder, name.rpartition("/")[2])
        try:
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                shutil.copyfile(content, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return {"file": target.relative_to(self.folder).as_posix(), "hash": sha256_of(target)}

    def send_soon(self) -> None:
        self._sender.send_soon()

    def wait(self, seconds: float | None, away_seconds: float = math.inf) -> bool:
        """See `Sender.wait`; False offline."""
        return self._delivery is not None and self._sender.wait(seconds, away_seconds=away_seconds)

    def close(self, seconds: float, away_seconds: float = math.inf) -> None:
        """Send the records for at most ``seconds``, and leave the rest to `sync`.

        While the server does not answer, wait for ``away_seconds`` only. Ctrl-C ends the waiting; KeyboardInterrupt is
        raised when everything is closed.
        """
        try:
            if self._delivery is not None:
                slow = functools.partial(self._say_that_it_waits, seconds)
                self._sender.wait(seconds, slow, away_seconds=away_seconds)
        finally:
            if self._creation is not None and self._creation.refusal is not None:
                self._close_refused(self._creation.refusal)
            else:
                self._close()

    def _close(self) -> None:
        sent = self._delivery is not None and not self._writer.waiting
        self._sender.stop()
        if sent and self._delivery is not None:
            with contextlib.suppress(ClientError):
                self._delivery.close()
            self._gather_forks()
        if not sent:
            self._look()
        left = self._writer.close()
        if left or self._writer.dropped:
            _log.warning("%d bytes could be neither sent nor written, and are lost", left)
        if self.folder is not None and self._lock is not None:
            gone = sent and _remove(self.folder)
            self._lock.release()
            if not gone and self.folder.is_dir():
                self._say_what_is_left(self.folder, sent)

    def _close_refused(self, refusal: Exception) -> None:
        """Remove the folder, unless there is a point or a file in it: the user may want them."""
        self._sender.stop()
        self._writer.close()
        if self.folder is None or self._lock is None:
            return
        found = leftover.waiting_in(self.folder, self._run)
        self._lock.release()
        if found.points or found.files:
            # `sync` must not reopen an iteration that has SUCCEEDED.
            with contextlib.suppress(OSError):
                runs.save(self.folder, replace(self._run, reopens=False))
            _log.warning("What was logged before the refusal is kept in %s: %s", self.folder, reason_of(refusal))
        else:
            leftover.discard(self.folder, self._run)

    def abandon(self) -> None:
        """Release the files and the lock: in a forked process they belong to the parent process."""
        self._writer.abandon()
        if self._lock is not None:
            self._lock.release()

    def _gather_forks(self) -> None:
        if self.has_forked and self._client is not None and self.folder is not None:
            with contextlib.suppress(OSError):  # the folder may vanish meanwhile
                recovery.send_left_by_forks(self._client, self._run, self.folder.parent)

    def _look(self) -> None:
        """Create the folder again if it is gone: deleted, renamed, unmounted or taken by another machine."""
        with self._looking:
            if self.folder is None or self._lock is None:
                return
            if self._lock.is_there() and (self.folder / runs.FILE).is_file():
                self._lock.touch()
                return
            has_begun = self._begin_again(self.folder, self._lock)
            lost = self._writer.rescue()
            if lost or not self._is_gone:
                _say_that_it_is_gone(self.folder, has_begun, lost)
            self._is_gone = not has_begun

    def _begin_again(self, folder: Path, held: FolderLock) -> bool:
        run = self.run
        try:
            if held.is_there():
                runs.save(folder, run)
            else:
                self._lock = store.begin(folder, run)
                held.release()
        except OSError as error:
            _log.debug("%s cannot be begun anew: %s", folder, error)
            return False
        return True

    def _wake(self) -> None:
        self._sender.wake()

    def _say_that_it_waits(self, seconds: float) -> None:
        kept = (
            f"Nothing is lost if it cannot be sent: it is in {self.folder}, and `deardiary sync` sends it. "
            if self.folder is not None
            else ""
        )
        _log.warning(
            "Waiting to send what is logged to %s, for %.0f s at most. %sCtrl-C ends the waiting",
            self._client.url if self._client else "the server",
            seconds,
            kept,
        )

    def _say_what_is_left(self, folder: Path, sent: bool) -> None:
        if sent and any((folder / store.REJECTED).glob("*")):
            _log.warning("The server has refused some of what was logged: see %s", folder / store.REJECTED)
        elif sent:
            _log.warning("Everything logged has arrived, but %s cannot be removed", folder)
        elif self._delivery is None:
            _log.warning("Logged offline into %s: `deardiary sync` sends it", folder)
        else:
            _log.warning(
                "Not everything logged could be sent%s; the rest is in %s: `deardiary sync` sends it",
                f": {self._client.url} does not answer" if self._client and self._sender.is_away else "",
                folder,
            )


def new_run(ref: RunRef, client: Client | None, *, offline: bool, reopens: bool, forked_from: str | None = None) -> Run:
    return Run(
        spool_id=runs.new_spool_id(),
        started_at=datetime.now(timezone.utc),
        host=runs.this_host(),
        boot=runs.this_boot(),
        url=_named_url() if client is None else client.url,
        offline=offline,
        reopens=reopens,
        forked_from=forked_from,
        origin=ref,
    )


def _named_url() -> str | None:
    """Return the URL in the settings, or None, also if they are damaged: then `sync` uses its caller's server."""
    try:
        return settings.named_url()
    except ValueError:
        return None


def _open(run: Run) -> tuple[Path | None, FolderLock | None]:
    try:
        return store.create(settings.spool_folder(), run)
    except (OSError, RuntimeError) as error:
        _log.warning(
            "There is no folder to write to (%s): what is logged is in memory only until it is sent", reason_of(error)
        )
        return None, None


def _remove(folder: Path) -> bool:
    try:
        return store.remove(folder)
    except OSError as error:
        _log.debug("%s cannot be removed: %s", folder, error)
        return False


def _say_that_it_is_gone(folder: Path, has_begun: bool, lost: int) -> None:
    now = "it has been begun anew" if has_begun else "what is logged waits in memory to be sent"
    what = (
        f"{lost} records that were not sent are lost, unless the folder was moved: `deardiary sync FOLDER` sends them"
        if lost
        else "No record is lost"
    )
    _log.warning("The folder %s is gone; %s. %s", folder, now, what)


def _pieces(items: list[Any]) -> Iterator[list[Any]]:
    for first in range(0, len(items), _FIELDS_PER_LINE):
        yield items[first : first + _FIELDS_PER_LINE]
