"""Many failures at once, and every point is stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import deardiary
from deardiary import IterationStatus
from tests.support.chaos import MISTREATMENTS, Chaos, chaos
from tests.support.consistency import check_consistency
from tests.support.live import LiveServer, end, exit_code, line_of, live_server, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from tests.support.emulator import Emulator

PER_PROCESS = 2000
BURST = 100

# Each process logs its own steps and reports each burst of calls that has returned. It ends on request.
_TRAIN = """
import sys, time, deardiary
from deardiary.sending import sender
sender.FLUSH_SECONDS = sender.FIRST_BACKOFF = 0.05
sender.LONGEST_BACKOFF = 0.5
first, last, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with deardiary.start("Chaos", "storm", resume="job-1", parameters={name: 1}, tags=["storm"]) as iteration:
    for step in range(first, last):
        iteration.log({"loss": step / 7, "accuracy": -step}, step=step)
        if step % 100 == 99:
            print(step, flush=True)
            time.sleep(0.02)
"""


def storm(proxy: Chaos, server: LiveServer, settings: Mapping[str, str]) -> list[int]:
    """The steps that four processes have certainly logged; three of them and the server (twice) were killed."""
    logged: list[int] = []
    for number in range(4):
        first = number * PER_PROCESS
        process = run(_TRAIN, str(first), str(first + PER_PROCESS), f"p{number}", settings=settings)
        if number == 3:
            assert exit_code(process) == 0
            return [*logged, *range(first, first + PER_PROCESS)]
        at = 0
        while (at := int(line_of(process))) < first + PER_PROCESS // 2:
            if number and at == first + 4 * BURST - 1:
                server.kill()
                server.start()
        end(process)
        logged += range(first, at + 1)
    raise AssertionError("the last process ends by itself")


def test_every_point_is_there_once(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with live_server(emulator) as server, chaos(server.url, seed=10) as proxy, server.client() as client:
        settings = {"DEARDIARY_URL": proxy.url, "DEARDIARY_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        logged = storm(proxy, server, settings)
        for _ in range(20):
            if all(each.is_done for each in deardiary.sync(tell=lambda _: None)):
                break
        project = next(client.projects.list(name="Chaos"))
        experiment = next(client.experiments.list(project.id, name="storm"))
        (iteration,) = client.iterations.list(experiment.id)
        loss, accuracy = client.metrics.curves(iteration.id, "loss", "accuracy").values()
        assert len(loss.step) == len(set(loss.step))
        assert set(loss.step) >= set(logged)
        assert list(loss.value) == [step / 7 for step in loss.step]
        assert (accuracy.step, list(accuracy.value)) == (loss.step, [-step for step in loss.step])
        assert {each.key for each in client.parameters.list(iteration.id)} == {"p0", "p1", "p2", "p3"}
        assert iteration.status_id == IterationStatus.SUCCEEDED
        assert not list((tmp_path / "spool").iterdir())
        assert set(proxy.done) == {*MISTREATMENTS, "nothing"}
        check_consistency()
