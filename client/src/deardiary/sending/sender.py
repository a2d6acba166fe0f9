"""The thread that sends a writer's segments to the server, and retries without limit."""

import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence

from deardiary.errors import ClientError, reason_of
from deardiary.http.backoff import wait_seconds
from deardiary.sending.delivery import Delivery
from deardiary.sending.earlier import FIRST_BACKOFF, HURRIED_BACKOFF, LONGEST_BACKOFF, REFUSED_SECONDS, Earlier
from deardiary.spool.writer import Writer

FLUSH_SECONDS = 5.0  # between two flushes if the server sets no pace; between two looks at the folder
FASTEST_SECONDS, SLOWEST_SECONDS = 0.5, 60.0  # of a pace that the server sets
OFFLINE_SECONDS = 60.0  # a copy of the spool may lack the records of this time
BEAT_SECONDS = 60.0
WATCHED_BEAT_SECONDS = 15.0  # at a short pace, because a person may be waiting
SLOW_SECONDS = 2.0  # a caller of `wait` who waits for longer is told so
SILENCE_SECONDS = 300.0  # between two equal log messages

_log = logging.getLogger(__name__)


class Sender:
    """Cuts and sends at the pace that the server sets, or when a segment is full; sends a heartbeat after silence.

    Without a ``delivery`` (offline) it only flushes segments to the disk. Before it sends, the thread calls ``first``,
    which sends what earlier processes left and returns the errors that stopped it. The thread calls it again until
    there is none. The thread calls ``look`` before each send, to check that the folder still exists.
    """

    def __init__(
        self,
        writer: Writer,
        delivery: Delivery | None,
        first: Callable[[], Sequence[Exception]] = lambda: (),
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._writer = writer
        self._delivery = delivery
        self._earlier = Earlier(first)
        self._look = look
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()  # its `put` is safe in a signal handler
        self._stopping = self._hurried = self._is_due = False
        self._failures = 0
        self._away_since = math.inf  # since then the server has not answered
        self._not_before = self._asked_until = 0.0
        self._let_in = True
        self._told_at = -SILENCE_SECONDS
        self._sent_at = self._cut_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="deardiary-sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wakes.put(None)

    def send_soon(self) -> None:
        """Send what is written without waiting for the next flush."""
        self._is_due = True
        self.wake()

    def wait(
        self, seconds: float | None, slow: Callable[[], None] = lambda: None, *, away_seconds: float = math.inf
    ) -> bool:
        """Wait until all written records are sent, and what earlier processes left. False if not within ``seconds``.

        While the server does not answer, wait for ``away_seconds`` only. Call ``slow`` once after two seconds. Take no
        lock: a signal handler may call this and interrupt a thread that holds one.
        """
        begun = time.monotonic()
        until = None if seconds is None else begun + seconds
        slow_at = begun + SLOW_SECONDS
        self._hurried = True
        self.wake()
        try:
            while self._is_behind() and self._thread.is_alive() and (self._let_in or not self._failures):
                if until is not None and time.monotonic() >= until:
                    return False
                if time.monotonic() - max(begun, self._away_since) >= away_seconds:
                    return False
                if time.monotonic() >= slow_at:
                    slow_at = math.inf
                    slow()
                time.sleep(0.005)
        finally:
            self._hurried = False
        return not self._is_behind() and self._earlier.is_sent

    def _is_behind(self) -> bool:
        return not self._earlier.is_settled or self._writer.waiting

    @property
    def is_away(self) -> bool:
        return self._away_since < math.inf

    def stop(self, seconds: float = 1.0) -> None:
        """Let the thread end after its current request, if any."""
        self._stopping = True
        self.wake()
        with contextlib.suppress(
            RuntimeError
        ):  # the thread calls this itself, or an interrupted start has not begun it
            self._thread.join(seconds)

    def _run(self) -> None:
        self._earlier.send_if_due(hurried=self._hurried)
        while not self._stopping:
            if (self._pause() and self._may_cut()) or self._hurried or self._is_due or self._stopping:
                self._is_due = False
                self._cut_at = time.monotonic()
                self._writer.cut()
            self._look()
            self._writer.settle()
            self._earlier.send_if_due(hurried=self._hurried)
            if self._delivery is not None and not self._stopping and time.monotonic() >= self._allowed_at():
                self._try(self._delivery)
        self._writer.settle()

    def _pause(self) -> bool:
        """Wait for the next flush (True) or for `wake` (False), but at least until the server allows the next try."""
        until = max(time.monotonic() + self._interval(), self._not_before)
        while (seconds := until - time.monotonic()) > 0 and not self._stopping:
            try:
                self._wakes.get(timeout=min(seconds, self._longest_without_a_look()))
            except queue.Empty:
                if time.monotonic() >= until:
                    return True
                self._look()
                self._writer.sync()
            else:
                until = max(time.monotonic(), self._allowed_at())
        return False

    def _may_cut(self) -> bool:
        """False while a segment waits after a failure: each segment is a request more for an overloaded server."""
        return not self._failures or time.monotonic() - self._cut_at >= self._asked_pace()

    def _longest_without_a_look(self) -> float:
        return OFFLINE_SECONDS if self._delivery is None else FLUSH_SECONDS

    def _allowed_at(self) -> float:
        """The time of the next try. While a caller waits, skip the backoff but obey the server's Retry-After."""
        return self._asked_until if self._hurried else self._not_before

    def _interval(self) -> float:
        if self._hurried and self._writer.waiting:
            return 0.0
        if self._delivery is None:
            return OFFLINE_SECONDS
        until_beat = self._beat_seconds() - (time.monotonic() - self._sent_at)
        due = min(until_beat, self._earlier.due_in(hurried=self._hurried))
        return min(self.pace(), max(due, FASTEST_SECONDS))

    def pace(self) -> float:
        # After a failure the last answer's pace is out of date.
        return FLUSH_SECONDS if self._failures else self._asked_pace()

    def _asked_pace(self) -> float:
        asked = None if self._delivery is None else self._delivery.flush_after_seconds
        return FLUSH_SECONDS if asked is None else min(max(asked, FASTEST_SECONDS), SLOWEST_SECONDS)

    def _beat_seconds(self) -> float:
        return min(BEAT_SECONDS, WATCHED_BEAT_SECONDS) if self.pace() < FLUSH_SECONDS else BEAT_SECONDS

    def _try(self, delivery: Delivery) -> None:
        try:
            self._send(delivery)
        except (ClientError, OSError) as error:
            self._failed(error, delivery)
        except Exception as error:  # noqa: BLE001
            # A fault of the client must not end the sending: a training may run for days.
            _log.exception("Sending went wrong in a way that it should not")
            self._failed(OSError(str(error)), delivery)
        else:
            if self._failures and self._told_at > 0:
                _log.warning("The server takes what is logged again")
            self._failures, self._not_before, self._let_in, self._away_since = 0, 0.0, True, math.inf

    def _send(self, delivery: Delivery) -> None:
        delivery.find_iteration()
        while not self._stopping and (segment := self._writer.oldest()):
            try:
                delivery.deliver(segment)
            except FileNotFoundError:
                self._look()
                if self._writer.oldest() is not segment:
                    continue  # it is lost with its folder
                _log.debug("Another process has delivered segment %d", segment.number)
            self._writer.acknowledge()
            self._sent_at = time.monotonic()
        if time.monotonic() - self._sent_at >= self._beat_seconds():
            delivery.beat()
            self._sent_at = time.monotonic()

    def _failed(self, error: ClientError | OSError, delivery: Delivery) -> None:
        """Set the time of the next try by backoff and Retry-After, and warn from time to time."""
        now = time.monotonic()
        self._let_in = not isinstance(error, ClientError) or error.is_passing
        is_away = isinstance(error, ClientError) and error.status == 0
        self._away_since = min(self._away_since, now) if is_away else math.inf
        longest = HURRIED_BACKOFF if self._hurried else LONGEST_BACKOFF
        backoff = wait_seconds(self._failures, first=FIRST_BACKOFF, longest=longest, least_share=0.5)
        self._asked_until = now + (error.retry_after if isinstance(error, ClientError) else 0.0)
        self._not_before = max(now + backoff, self._asked_until) if self._let_in else now + REFUSED_SECONDS
        self._failures += 1
        refused_later = not self._let_in and delivery.iteration is not None  # else `start` reports it
        if now - self._told_at > SILENCE_SECONDS and (self._failures > 1 or refused_later):
            self._told_at = now
            _log.warning("What is logged waits to be sent: %s%s", reason_of(error), delivery.hint(error))
