"""Commands to a running iteration: each is carried out once, in the thread that logs.

The sender's thread receives them. A record in the spool acknowledges a command before it is carried out, so a process
that resumes the iteration does not carry it out again.
"""

import collections
import logging
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from deardiary.terminal import one_line
from deardiary.wire.shapes import IterationStatus, PendingCommand

Function = Callable[[PendingCommand], object]

STOP = "stop"

_log = logging.getLogger(__name__)


class Owner(Protocol):
    @property
    def ends_after_interrupt(self) -> bool:
        """True if the iteration ends after a KeyboardInterrupt in the thread that has started it."""

    @property
    def is_over(self) -> bool: ...

    def acknowledge(self, command_id: str, step: int | None) -> None: ...

    def unless_ended(self, work: Callable[[], None]) -> None:
        """Do this work while no other thread ends the iteration; do nothing after its end."""

    def finish(self, status: IterationStatus) -> None: ...


class Commands:
    """The commands of one iteration in the process that carries them out.

    ``due`` holds the commands that the next call of `log` carries out. ``step`` is the step logged last.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        # Reentrant: a signal handler may register a function while this thread registers another one.
        self._lock = threading.RLock()
        self._known: set[str] = set()
        self._functions: dict[str, Function] = {}
        self._parked: list[PendingCommand] = []  # until a function for them is registered
        self._asks = False  # the program reads `stop_requested`
        self._asked_for: PendingCommand | None = None  # a stop for a program that asks
        self.due: collections.deque[PendingCommand] = collections.deque()
        self.step: int | None = None
        self.stopped: PendingCommand | None = None  # the stop that was carried out

    def receive(self, commands: Iterable[PendingCommand]) -> None:
        """Accept the commands of an answer, unless it answers the last flush: the end lets open commands lapse."""
        for command in commands:
            if command.id not in self._known and not self._owner.is_over:
                self._known.add(command.id)
                with self._lock:
                    self._accept(command)

    def on(self, kind: str, function: Function) -> None:
        """Have this function carry out all commands of a kind, also those that wait already."""
        if not callable(function):
            raise TypeError(f"on_command takes a function, not {type(function).__name__}")
        with self._lock:
            self._functions[kind] = function
            waiting = [each for each in self._parked if each.kind == kind]
            self._parked = [each for each in self._parked if each.kind != kind]
            self.due.extend(waiting)

    def stop_requested(self) -> bool:
        """True once a stop has come. From the first call on, a stop does not interrupt the program."""
        self._asks = True
        stop, self._asked_for = self._asked_for, None
        if stop is not None:
            self._owner.acknowledge(stop.id, self.step)
            self.stopped = stop
        return self.stopped is not None

    def carry_out(self) -> None:
        """Carry out what is due, in the calling thread. KeyboardInterrupt for a stop without a function."""
        while self.due:
            try:
                command = self.due.popleft()
            except IndexError:  # another thread was faster
                return
            self._owner.acknowledge(command.id, self.step)
            function = self._functions.get(command.kind)
            if command.kind == STOP:
                self.stopped = command
            if function is None:
                self._raise(command)
            else:
                _call(function, command)

    def outcome(self, status: IterationStatus, error_message: str) -> tuple[IterationStatus, str]:
        """Status and error message at the end: after a stop KILLED, with the name of its sender."""
        if self.stopped is None:
            return status, error_message
        return IterationStatus.KILLED, f"{reason_of(self.stopped)}\n\n{error_message}".rstrip()

    def _accept(self, command: PendingCommand) -> None:
        if command.kind in self._functions:
            self.due.append(command)
        elif command.kind != STOP:
            self._parked.append(command)
            _log.info("Command %r waits until a function is registered with on_command", command.kind)
        elif self._asks:
            self._asked_for = command
        else:
            self._stop(command)

    def _stop(self, command: PendingCommand) -> None:
        """Interrupt the main thread as Ctrl-C would. Where that has no effect, let the next `log` raise."""
        if not (self._in_main_thread and callable(signal.getsignal(signal.SIGINT))):
            self.due.append(command)
            if self._in_main_thread and not self._owner.ends_after_interrupt:
                self._end_in_thread(command)
            return
        self._owner.acknowledge(command.id, self.step)
        _log.warning("%s", reason_of(command))
        ends = self._owner.ends_after_interrupt
        self._owner.unless_ended(lambda: self._interrupt(command))
        if not ends and self.stopped is command:
            self._end_in_thread(command)

    def _interrupt(self, command: PendingCommand) -> None:
        self.stopped = command
        interrupt_main_thread()

    def _end_in_thread(self, command: PendingCommand) -> None:
        """End the iteration, which a prompt or a kernel leaves open, while the sender's thread sends the rest."""

        def end() -> None:
            if self.stopped is None:
                self._owner.acknowledge(command.id, self.step)
                self.stopped = command
            self._owner.finish(IterationStatus.KILLED)

        threading.Thread(target=end, name="deardiary-stop", daemon=True).start()

    def _raise(self, command: PendingCommand) -> None:
        _log.warning("%s", reason_of(command))
        if not self._owner.ends_after_interrupt:
            self._owner.finish(IterationStatus.KILLED)
        raise KeyboardInterrupt(reason_of(command))


def interrupt_main_thread() -> None:
    """Send SIGINT to the main thread, so that it also ends a wait of the main thread in the kernel."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()


def reason_of(stop: PendingCommand) -> str:
    """The first line of the error message. Another user wrote the text: it must not control the terminal."""
    sender = f"Stopped by {stop.requested_by}" if stop.requested_by else "Stopped by a command"
    return one_line(f"{sender}: {stop.text}" if stop.text else sender)


def _call(function: Function, command: PendingCommand) -> None:
    try:
        function(command)
    except Exception:  # noqa: BLE001 - a command from afar must not end the program
        _log.warning("The function for the command %r failed", command.kind, exc_info=True)
