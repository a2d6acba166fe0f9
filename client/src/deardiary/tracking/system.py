"""How busy the machine is, as metrics ``system/…`` of an iteration. psutil and nvidia-ml-py are extras."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deardiary.tracking.finish_hooks import Endings
    from deardiary.wire.shapes import IterationStatus

    Sample = Callable[[], dict[str, float]]

_MB = 1e6
_PATIENCE_SECONDS = 2.0


class Logging(Protocol):
    """The part of an iteration that takes the samples."""

    endings: Endings

    def log(self, metrics: Mapping[str, float], /) -> None: ...


class SystemWatch:
    """Logs a sample at once and then every so many seconds, in a thread of its own, until the iteration ends."""

    def __init__(self, iteration: Logging, seconds: float = 15.0) -> None:
        """ValueError for no time between samples, ImportError when psutil is not installed."""
        if not seconds > 0:
            raise ValueError(f"The seconds between two samples are more than 0, not {seconds!r}")
        self._iteration = iteration
        self._seconds = seconds
        self._samples = [_machine(), *_gpus()]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deardiary-system", daemon=True)
        self._thread.start()
        iteration.endings.add(self.stop)

    def stop(self, status: IterationStatus | None = None, error_message: str = "") -> None:  # noqa: ARG002
        """Log no more; the iteration's end does this by itself."""
        self._stopped.set()
        # A signal handler may end the iteration in the middle of a call that the thread is waiting for.
        self._thread.join(_PATIENCE_SECONDS)
        self._iteration.endings.remove(self.stop)

    def _run(self) -> None:
        while True:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                self._iteration.log(self._sample())
            if self._stopped.wait(self._seconds):
                return

    def _sample(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for sample in list(self._samples):
            try:
                found.update(sample())
            except Exception as error:  # noqa: BLE001 - drivers fail in ways of their own
                logging.getLogger(__name__).warning("A part of the system metrics is given up: %s", error)
                self._samples.remove(sample)
        return {f"system/{name}": value for name, value in found.items()}


def _machine() -> Sample:
    try:
        import psutil
    except ImportError as error:
        raise ImportError("System metrics need psutil: pip install psutil") from error
    process = psutil.Process()
    psutil.cpu_percent()  # the first answer means nothing: there is no time before it

    def sample() -> dict[str, float]:
        return {
            "cpu_percent": psutil.cpu_percent(),
            "memory_percent": psutil.virtual_memory().percent,
            "process_memory_mb": process.memory_info().rss / _MB,
        }

    return sample


def _gpus() -> Iterator[Sample]:
    """One sample for each NVIDIA GPU; none where there is none, or no way to ask."""
    try:
        import pynvml
    except ImportError:
        return
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())]
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
