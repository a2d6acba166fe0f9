"""Samples of the machine's load: of psutil and nvidia-ml-py if installed, else of /proc and nvidia-smi."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deardiary.forks import no_fork

Sample = Callable[[], dict[str, float]]

_MB = 1e6
_PROC = Path("/proc")
_SMI_SECONDS = 10.0
_SMI_QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")


def samples() -> list[Sample]:
    """The samplers of this machine. ImportError without psutil on a system without /proc."""
    return [_machine(), *_gpus()]


def _machine() -> Sample:
    try:
        with no_fork:
            import psutil
    except ImportError as error:
        if not (_PROC / "meminfo").is_file():
            raise ImportError("System metrics need psutil on this system: pip install psutil") from error
        return _of_proc()
    process = psutil.Process()
    psutil.cpu_percent()  # discard the first value: it has no interval to measure

    def sample() -> dict[str, float]:
        return {
            "cpu_percent": psutil.cpu_percent(),
            "memory_percent": psutil.virtual_memory().percent,
            "process_memory_mb": process.memory_info().rss / _MB,
        }

    return sample


def _of_proc() -> Sample:
    """https://man7.org/linux/man-pages/man5/proc.5.html: stat, meminfo, and statm in pages."""
    before = _processor_times()

    def sample() -> dict[str, float]:
        nonlocal before
        now = _processor_times()
        total, idle = now[0] - before[0], now[1] - before[1]
        before = now
        memory = dict(line.split(":") for line in (_PROC / "meminfo").read_text().splitlines())
        free, of = (float(memory[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
        pages = int((_PROC / "self" / "statm").read_text().split()[1])
        return {
            "cpu_percent": 100 * (1 - idle / total) if total else 0.0,
            "memory_percent": 100 * (1 - free / of),
            "process_memory_mb": pages * os.sysconf("SC_PAGE_SIZE") / _MB,
        }

    return sample


def _processor_times() -> tuple[int, int]:
    """All times since the boot, and those without work (idle, iowait). Guests count in user time already."""
    times = [int(text) for text in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(times), sum(times[3:5])


def _gpus() -> Iterator[Sample]:
    try:
        with no_fork:
            import pynvml
    except ImportError:
        yield from _of_smi()
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
        return _values(number, float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu), memory.used, memory.total)

    return sample


def _of_smi() -> Iterator[Sample]:
    with no_fork:
        import shutil

    program = shutil.which("nvidia-smi")
    if program is not None:
        yield lambda: _asked(program)


def _asked(program: str) -> dict[str, float]:
    import subprocess

    with no_fork:
        asking = subprocess.Popen(  # noqa: S603 - the driver's program
            [program, *_SMI_QUERY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    try:
        text, _ = asking.communicate(timeout=_SMI_SECONDS)
    except subprocess.TimeoutExpired:
        asking.kill()
        raise
    if asking.returncode:
        raise OSError(f"nvidia-smi ended with status {asking.returncode}")
    rows = (line.split(",") for line in text.splitlines() if line.strip())
    found = [_values(number, *map(float, row)) for number, row in enumerate(rows)]
    return {name: value for each in found for name, value in each.items()}


def _values(number: int, load: float, used: float, total: float) -> dict[str, float]:
    return {f"gpu_{number}_percent": load, f"gpu_{number}_memory_percent": 100 * used / total}
