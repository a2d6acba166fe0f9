"""Two processes of one job, started with the variables of a launcher, log by the ranks that the program names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deardiary import IterationStatus
from tests.support.live import exit_code, run

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary import Client, Iteration

pytestmark = pytest.mark.usefixtures("settings")

LAUNCHERS = {
    "torchrun": {"RANK": "{rank}", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"},
    "SLURM": {"SLURM_PROCID": "{rank}", "SLURM_STEP_NUM_TASKS": "2", "SLURM_JOB_ID": "42", "SLURM_STEP_ID": "3"},
    "Open MPI": {"OMPI_COMM_WORLD_RANK": "{rank}", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_NAMESPACE": "prterun-a-1@1"},
}
# The first rank ends an iteration after the others have logged, as behind a barrier of the framework.
_TRAIN = """
import sys
import time
from pathlib import Path
import deardiary

rank, experiment, folder = sys.argv[1:]
for mode in ("first", "children", "all"):
    with deardiary.start("Ranks", experiment, name=mode, ranks=mode, parameters={"lr": 0.1}) as iteration:
        for step in range(3):
            iteration.log({f"loss_{rank}": step}, step=step)
        print(f"{mode}: hello from rank {rank}")
        Path(folder, f"{mode}-{rank}").touch()
        while rank == "0" and not Path(folder, f"{mode}-1").exists():
            time.sleep(0.02)
"""


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_processes_of_a_job_log_as_the_program_says(client: Client, launcher: str, tmp_path: Path) -> None:
    processes = [
        run(_TRAIN, str(rank), launcher, str(tmp_path), settings=variables_of(launcher, rank)) for rank in (1, 0)
    ]
    assert [exit_code(each) for each in processes] == [0, 0]
    (project,) = client.projects.list(name="Ranks")
    (experiment,) = client.experiments.list(project.id, name=launcher)
    found = {each.name: each for each in client.iterations.list(experiment.id)}
    assert {name: metrics_of(client, each) for name, each in found.items()} == {
        "first": {"loss_0"},
        "children": {"loss_0"},
        "rank 1": {"loss_1"},
        "all": {"loss_0", "loss_1"},
    }
    assert {name for name, each in found.items() if each.parent_iteration_id == found["children"].id} == {"rank 1"}
    assert {each.status_id for each in found.values()} == {IterationStatus.SUCCEEDED}
    assert {name: lines_of(client, each) for name, each in found.items()} == {
        "first": ["first: hello from rank 0"],
        "children": ["children: hello from rank 0"],
        "rank 1": ["children: hello from rank 1"],
        "all": ["all: hello from rank 0"],
    }


def variables_of(launcher: str, rank: int) -> dict[str, str]:
    return {name: value.format(rank=rank) for name, value in LAUNCHERS[launcher].items()}


def metrics_of(client: Client, iteration: Iteration) -> set[str]:
    return set(client.metrics.summary(iteration.id))


def lines_of(client: Client, iteration: Iteration) -> list[str]:
    return [line.text for line in client.iterations.output(iteration.id) if line.stream == "stdout"]
