"""The writer of a spool."""

import collections
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from deardiary.errors import reason_of
from deardiary.files import write_whole
from deardiary.spool import lines
from deardiary.spool.segment import MemorySegment, OwnSegment, Segment, close_quietly, path_of
from deardiary.wire import limits

# A segment must fit in one request, where a point takes up to 100 bytes more.
MAX_POINTS = limits.MAX_BATCH_POINTS
MAX_BYTES = limits.MAX_BODY_BYTES // 2
MAX_MEMORY_BYTES = 64 * 2**20
# The newest waiting segments stay open, so that they can be read if the folder is removed. On Windows an open file
# could not be deleted, not even by `sync`.
KEPT_OPEN = 0 if os.name == "nt" else 16

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)

_log = logging.getLogger(__name__)


class Writer:
    """Appends to the newest segment, with one ``write`` per line; threads may share it.

    A line survives SIGKILL once `append` has returned. A power failure may lose the lines after the last `settle`.
    Without room on the disk, or without a ``folder``, lines stay in memory, up to 64 MiB. Beyond that, points are
    dropped and counted in ``dropped``; all other records are kept.
    """

    def __init__(self, folder: Path | None, on_full: Callable[[], None] = lambda: None) -> None:
        """``on_full`` is called after each full segment, once the next one has begun."""
        self._folder = folder
        self._on_full = on_full
        # Reentrant: a signal handler may append while this thread holds the lock.
        self._lock = threading.RLock()
        self._number = 0
        self._fd = -1
        self._memory: MemorySegment | None = None
        self._points = self._bytes = self._records = self._memory_bytes = 0
        self._closed: collections.deque[OwnSegment | MemorySegment] = collections.deque()
        self._unsettled: list[OwnSegment] = []
        self._warned = self._is_closed = False
        self._synced = (0, 0)  # number and bytes of the newest segment, at its last `sync`
        self.dropped = 0

    def append(self, body: str, points: int = 0) -> None:
        line = lines.seal(body)
        with self._lock:
            full = self._make_room(len(line), points)
            if self._fd >= 0 or (self._memory is None and self._begin()):
                self._write(line)
            if self._memory is not None:
                self._remember(self._memory, line, points)
            self._points += points
            self._bytes += len(line)
            self._records += 1
        if full:
            self._on_full()

    def cut(self) -> None:
        with self._lock:
            if self._fd >= 0 and self._folder is not None:
                segment = OwnSegment(self._number, path_of(self._folder, self._number), self._records, self._fd)
                self._closed.append(segment)
                self._unsettled.append(segment)
            elif self._memory is not None:
                self._closed.append(self._memory)
            self._fd, self._memory = -1, None
            self._points = self._bytes = self._records = 0

    def settle(self) -> None:
        """Flush the closed segments to the disk. This takes milliseconds, so the training thread must not call it."""
        with self._lock:
            segments, self._unsettled = self._unsettled, []
            kept = self._kept_open()
        for segment in segments:
            segment.fsync()
        for segment in kept[: max(0, len(kept) - KEPT_OPEN)]:
            if segment.is_there:
                with self._lock:  # two threads would close the number twice, and with it a file of the user's program
                    segment.close()

    def sync(self) -> None:
        """Flush the newest segment to the disk, as `settle` does with the closed ones."""
        with self._lock:
            is_new = self._fd >= 0 and self._synced != (self._number, self._bytes)
            self._synced = (self._number, self._bytes)
            copy = os.dup(self._fd) if is_new else -1
        if copy >= 0:
            with contextlib.suppress(OSError):
                os.fsync(copy)
            close_quietly(copy)

    def rescue(self) -> int:
        """Write the waiting segments into a folder that was removed and created again.

        Return the number of lost records, which can no longer be read from anywhere.
        """
        with self._lock:
            self.cut()
            found = [(segment.records, self._rescued(segment)) for segment in self._closed]
            self._closed = collections.deque(rescued for _, rescued in found if rescued is not None)
        return sum(records for records, rescued in found if rescued is None)

    def oldest(self) -> Segment | None:
        return self._closed[0] if self._closed else None

    @property
    def first_waiting(self) -> int:
        """The number of the oldest segment that is not acknowledged, which may be empty."""
        with self._lock:
            return self._closed[0].number if self._closed else self._number + (self._fd < 0 and self._memory is None)

    @property
    def newest(self) -> int:
        return self._number

    def acknowledge(self) -> None:
        segment = self._closed[0]
        with self._lock:
            if isinstance(segment, MemorySegment):
                self._memory_bytes -= sum(map(len, segment.lines))
            self._closed.popleft()
            with contextlib.suppress(OSError):  # a segment that stays is sent again, without a second effect
                segment.discard()

    @property
    def waiting(self) -> bool:
        return bool(self._closed) or self._bytes > 0

    def close(self) -> int:
        """Refuse further records, and try again to write those in memory.

        Return the bytes that remain in memory only; the end of the process loses them.
        """
        with self._lock:
            self._is_closed = True
            self.rescue()
            self.settle()
            kept = self._kept_open()
            left = self._memory_bytes + sum(len(segment.read()) for segment in kept if not segment.is_there)
            for segment in kept:
                segment.close()
            return left

    def abandon(self) -> None:
        """Close the files in a forked process: they belong to its parent."""
        for segment in self._kept_open():
            segment.close()
        if self._fd >= 0:
            close_quietly(self._fd)

    def _kept_open(self) -> list[OwnSegment]:
        return [segment for segment in self._closed if isinstance(segment, OwnSegment) and segment.fd >= 0]

    def _make_room(self, size: int, points: int) -> bool:
        """Cut the segment if the line does not fit. True if it was cut. RuntimeError after `close`."""
        if self._is_closed:
            raise RuntimeError("Nothing more can be logged: the iteration has ended")
        full = self._points + points > MAX_POINTS or (self._bytes > 0 and self._bytes + size > MAX_BYTES)
        if full:
            self.cut()
        return full

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._fd, line)
        except OSError as error:
            self._leave_file(error)
        else:
            if written < len(line):
                self._leave_file(None)

    def _begin(self) -> bool:
        """Begin a segment. True if it is on disk, False if it has to be in memory."""
        self._number += 1
        if self._folder is not None:
            try:
                self._fd = os.open(path_of(self._folder, self._number), _NEW_FILE, 0o600)
            except (FileNotFoundError, NotADirectoryError):
                pass  # the sender finds the folder missing, warns, and creates it again
            except OSError as error:
                self._warn(error)
            else:
                return True
        self._memory = MemorySegment(self._number, [])
        return False

    def _rescued(self, segment: OwnSegment | MemorySegment) -> OwnSegment | MemorySegment | None:
        """The segment, written into the folder if possible; None if its content is lost."""
        if self._folder is None or (isinstance(segment, OwnSegment) and segment.is_there):
            return segment
        path = path_of(self._folder, segment.number)
        try:
            content = segment.read()
        except FileNotFoundError:
            return None
        except OSError:
            return segment
        try:
            write_whole(path, content)
        except OSError:
            return segment
        if isinstance(segment, OwnSegment):
            return segment
        self._memory_bytes -= len(content)
        return OwnSegment(segment.number, path, segment.records)

    def _leave_file(self, error: OSError | None) -> None:
        """Leave a file that cannot be written: continue in memory until the next segment, which tries a file again."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self._bytes)
        self._warn(error)
        if self._bytes:
            self.cut()
        else:
            close_quietly(self._fd)
            self._fd = -1
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    path_of(self._folder, self._number).unlink()
        self._number += 1
        self._memory = MemorySegment(self._number, [])

    def _remember(self, memory: MemorySegment, line: bytes, points: int) -> None:
        if points and self._memory_bytes + len(line) > MAX_MEMORY_BYTES:
            if not self.dropped:
                _log.warning("Nothing can be written or sent, and the memory for it is full: points are being lost")
            self.dropped += points
            return
        memory.lines.append(line)
        self._memory_bytes += len(line)

    def _warn(self, error: OSError | None) -> None:
        if not self._warned:
            self._warned = True
            reason = reason_of(error) if error else "no space left"
            _log.warning("Cannot write to %s (%s): what is logged waits in memory to be sent", self._folder, reason)
