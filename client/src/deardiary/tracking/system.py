"""Load of the machine, as metrics ``system/…`` of an iteration."""

import logging
import threading
from collections.abc import Mapping
from typing import Protocol

from deardiary.tracking import machine
from deardiary.tracking.finish_hooks import FinishHooks
from deardiary.wire.shapes import IterationStatus

_PATIENCE_SECONDS = 2.0


class Logging(Protocol):
    """The part of an iteration that records the samples."""

    finish_hooks: FinishHooks

    def log_sample(self, metrics: Mapping[str, float], /) -> None: ...


class SystemWatch:
    """Log a sample at once and then every ``seconds``, in its own thread, until the iteration ends."""

    def __init__(self, iteration: Logging, seconds: float = 15.0) -> None:
        """ValueError if ``seconds`` is not positive, ImportError without psutil on a system without /proc."""
        if not seconds > 0:
            raise ValueError(f"The seconds between two samples are more than 0, not {seconds!r}")
        self._iteration = iteration
        self._seconds = seconds
        self._samples = machine.samples()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deardiary-system", daemon=True)
        self._thread.start()
        iteration.finish_hooks.add(self.stop)

    def stop(self, status: IterationStatus | None = None, error_message: str = "") -> None:  # noqa: ARG002
        """Stop logging; the end of the iteration calls this too."""
        self._stopped.set()
        # Limit the wait: a signal handler may end the iteration inside a call that this thread waits for.
        self._thread.join(_PATIENCE_SECONDS)
        self._iteration.finish_hooks.remove(self.stop)

    def _run(self) -> None:
        while True:
            try:
                self._iteration.log_sample(self._sample())
            except RuntimeError:  # the iteration has ended meanwhile
                return
            if self._stopped.wait(self._seconds):
                return

    def _sample(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for sample in list(self._samples):
            try:
                found.update(sample())
            except Exception as error:  # noqa: BLE001 - drivers raise errors of any class
                logging.getLogger(__name__).warning("A part of the system metrics is given up: %s", error)
                self._samples.remove(sample)
        return {f"system/{name}": value for name, value in found.items()}
