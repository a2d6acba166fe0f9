"""Load of the machine, as metrics ``system/…`` of an iteration. psutil and nvidia-ml-py are extras."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deardiary.tracking.finish_hooks import FinishHooks
    from deardiary.wire.shapes import IterationStatus

    Sample = Callable[[], dict[str, float]]

_MB = 1e6
_PATIENCE_SECONDS = 2.0


class Logging(Protocol):
    """The part of an iteration that records the samples."""

    finish_hooks: FinishHooks

    def log(self, metrics: Mapping[str, float], /) -> None: ...


class SystemWatch:
    """Log a sample at once and then every ``seconds``, in its own thread, until the iteration ends."""

    def __init__(self, iteration: Logging, seconds: float = 15.0) -> None:
        """ValueError if ``seconds`` is not positive, ImportError if psutil is not installed."""
        if not seconds > 0:
            raise ValueError(f"The seconds between two samples are more than 0, not {seconds!r}")
        self._iteration = iteration
        self._seconds = seconds
        self._samples = [_machine(), *_gpus()]
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
            with contextlib.suppress(RuntimeError):  # the iteration has ended meanwhile
                self._iteration.log(self._sample())
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


def _machine() -> Sample:
    try:
        import psutil
    except ImportError as error:
        raise ImportError("System metrics need psutil: pip install psutil") from error
    process = psutil.Process()
    psutil.cpu_percent()  # discard the first value: it has no interval to measure

    def sample() -> dict[str, float]:
        return {
            "cpu_percent": psutil.cpu_percent(),
            "memory_percent": psutil.virtual_memory().percent,
            "process_memory_mb": process.memory_info().rss / _MB,
        }

    return sample


def _gpus() -> Iterator[Sample]:
    """Yield one sampler for each NVIDIA GPU; none without a GPU, pynvml or driver."""
    try:
        import pynvml
    except ImportError:
        return
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return
    for number, handle in enumerate(handles):
        yield _gpu(pynvml, number, handle)


def _gpu(nvml: Any, number: int, handle: Any) -> Sample:
    def sample() -> dict[str, float]:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return {
            f"gpu_{number}_percent": float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
            f"gpu_{number}_memory_percent": 100 * memory.used / memory.total,
        }

    return sample
