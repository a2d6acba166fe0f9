from __future__ import annotations

import json
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ActiveIteration
from deardiary.tracking.machine import samples as machine_samples
from tests.support import transports
from tests.support.transports import FakeServer, client_of, experiment, iteration, page, project

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary.http.transport import Request

LOG = "POST /iterations/i1/log"


class Machine(FakeServer):
    """A server that accepts everything, and keeps the uploads."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, bytes] = {}
        self.answers = {
            "GET /projects": (200, page(project())),
            "GET /projects/p1/experiments": (200, page(experiment())),
            "POST /experiments/e1/iterations": (201, iteration()),
            "PATCH /iterations/i1": (200, iteration()),
            LOG: transports.taken,
            "PUT /iterations/i1/snapshot": (200, iteration()),
            "GET /experiments/e1/resources": (200, page()),
            "POST /experiments/e1/resources": self.announce,
            "POST /resources/r1/upload": self.upload,
            "PUT store.example/put": self.store,
            "POST /resources/r1/complete": (200, transports.resource(state="ready")),
        }

    def announce(self, request: Request) -> tuple[int, Any]:
        return 201, transports.resource(**json.loads(transports.body_of(request)))

    def upload(self, request: Request) -> tuple[int, Any]:
        body = self.bodies("POST /experiments/e1/resources")[-1]
        signed = {"method": "PUT", "url": "https://store.example/put", "headers": {}, "offset": 0}
        return 200, {"requests": [{**signed, "size_bytes": body["size_bytes"]}], "expires_at": transports.NOW}

    def store(self, request: Request) -> tuple[int, Any]:
        body = self.bodies("POST /experiments/e1/resources")[-1]
        self.stored[body["name"]] = transports.body_of(request)
        return 200, None

    def begin(self) -> ActiveIteration:
        return deardiary.start("Iris", "sweep", client=client_of(self))

    def samples(self) -> dict[str, list[float]]:
        """All values by key."""
        found: dict[str, list[float]] = {}
        for body in self.bodies(LOG):
            for key, column in body.get("metrics", {}).items():
                found.setdefault(key, []).extend(column["value"])
        return found


def gpus(count: int) -> Any:
    nvml: Any = ModuleType("pynvml")
    nvml.NVMLError = type("NVMLError", (Exception,), {})
    nvml.nvmlInit = lambda: None
    nvml.nvmlDeviceGetCount = lambda: count
    nvml.nvmlDeviceGetHandleByIndex = lambda at: at
    nvml.nvmlDeviceGetUtilizationRates = lambda at: SimpleNamespace(gpu=10 + at)
    nvml.nvmlDeviceGetMemoryInfo = lambda at: SimpleNamespace(used=1, total=4)
    return nvml


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)


def test_the_machine_is_watched_until_the_iteration_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pynvml")
    machine, sampled = Machine(), threading.Semaphore(0)
    with machine.begin() as active:
        log_sample = type(active).log_sample

        def log_and_tell(*arguments: Any) -> None:
            log_sample(*arguments)
            sampled.release()

        monkeypatch.setattr(type(active), "log_sample", log_and_tell)
        active.watch_system(seconds=0.01)
        for _ in range(3):
            assert sampled.acquire(timeout=60)
    assert "deardiary-system" not in {thread.name for thread in threading.enumerate()}
    samples = machine.samples()
    assert set(samples) == {"system/cpu_percent", "system/memory_percent", "system/process_memory_mb"}
    assert len(samples["system/cpu_percent"]) >= 3
    assert 0 < samples["system/memory_percent"][0] <= 100
    assert 1 < samples["system/process_memory_mb"][0] < 100_000
    assert machine.names()[-1] == "PATCH /iterations/i1"


def test_every_gpu_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", gpus(2))
    machine = Machine()
    with machine.begin() as active:
        active.watch_system(seconds=100)
    samples = machine.samples()
    assert (samples["system/gpu_0_percent"], samples["system/gpu_1_percent"]) == ([10], [11])
    assert samples["system/gpu_1_memory_percent"] == [25]


def test_a_gpu_that_fails_takes_nothing_else_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nvml = gpus(1)
    nvml.nvmlDeviceGetUtilizationRates = lambda at: 1 / 0
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    machine = Machine()
    with machine.begin() as active:
        active.watch_system(seconds=100)
    assert set(machine.samples()) == {"system/cpu_percent", "system/memory_percent", "system/process_memory_mb"}
    assert "given up" in caplog.text


def test_without_the_extra_proc_tells_the_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without(monkeypatch, "psutil")
    without(monkeypatch, "pynvml")
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n")
    (tmp_path / "self" / "statm").write_text("5000 100 10 1 0 20 0\n")
    (tmp_path / "stat").write_text("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 10 0 10 70 10 0 0 0 5 0\n")
    monkeypatch.setattr("deardiary.tracking.machine._PROC", tmp_path)
    monkeypatch.setattr("os.sysconf", lambda _: 4096)
    sample, *_ = machine_samples()
    (tmp_path / "stat").write_text("cpu  40 0 10 120 30 0 0 0 5 0\n")
    assert sample() == {
        "cpu_percent": pytest.approx(30.0),
        "memory_percent": pytest.approx(75.0),
        "process_memory_mb": pytest.approx(0.4096),
    }
    assert sample()["cpu_percent"] == 0.0, "no time has passed"


def test_the_driver_tells_of_gpus_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without(monkeypatch, "pynvml")
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '10, 1000, 4000'\necho '20, 3000, 4000'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    _, sample = machine_samples()
    assert sample() == {
        "gpu_0_percent": 10.0,
        "gpu_0_memory_percent": 25.0,
        "gpu_1_percent": 20.0,
        "gpu_1_memory_percent": 75.0,
    }
    program.write_text("#!/bin/sh\nexit 9\n")
    with pytest.raises(OSError, match="status 9"):
        sample()


def test_without_the_extra_and_proc_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without(monkeypatch, "psutil")
    monkeypatch.setattr("deardiary.tracking.machine._PROC", tmp_path)
    with pytest.raises(ImportError, match="pip install psutil"):
        Machine().begin().watch_system()


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Machine().begin().watch_system(seconds=0)


def test_a_failing_finish_hook_does_not_keep_the_iteration_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    machine, done = Machine(), []
    with machine.begin() as active:
        active.finish_hooks.add(lambda status, message: done.append((status, message)))
        active.finish_hooks.add(lambda status, message: 1 / 0)
    assert done == [(deardiary.IterationStatus.SUCCEEDED, "")]
    assert machine.names()[-1] == "PATCH /iterations/i1"
    assert "Something before the end" in caplog.text


def test_the_environment_becomes_the_snapshot(tmp_path: Path) -> None:
    machine = Machine()
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with machine.begin() as active:
        environment = active.snapshot_environment(tmp_path, diff=False)
    (body,) = machine.bodies("PUT /iterations/i1/snapshot")
    assert body["project_toml"] == environment.project_toml == "[project]\n"
    assert body["python_version"] == environment.python_version


def test_an_iteration_that_has_ended_takes_none_of_it() -> None:
    active = Machine().begin()
    active.finish()
    for method in (active.snapshot_environment, active.watch_system, active.capture_output):
        with pytest.raises(RuntimeError, match="has ended"):
            method()
