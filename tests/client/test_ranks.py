"""The processes of one job, started by a launcher: the first logs, or every one has a child, or all share one."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ActiveIteration, IterationStatus, settings
from deardiary.testing import MemoryServer, Recorded
from deardiary.tracking import ranks as places

if TYPE_CHECKING:
    from collections.abc import Callable

TORCHRUN = {"RANK": "{rank}", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "run-7"}
LAUNCHERS: dict[str, tuple[dict[str, str], str | None]] = {
    "torchrun": (TORCHRUN, "run-7"),
    "torchrun of several machines without an id": (
        {**TORCHRUN, "LOCAL_WORLD_SIZE": "1", "TORCHELASTIC_RUN_ID": "none"},
        None,
    ),
    "torchrun of several machines in a job of SLURM": (
        {
            **TORCHRUN,
            "LOCAL_WORLD_SIZE": "1",
            "TORCHELASTIC_RUN_ID": "none",
            "SLURM_JOB_ID": "42",
            "SLURM_STEP_ID": "0",
            "SLURM_PROCID": "0",
        },
        "42.0",
    ),
    "SLURM": (
        {"SLURM_PROCID": "{rank}", "SLURM_STEP_NUM_TASKS": "2", "SLURM_JOB_ID": "42", "SLURM_STEP_ID": "3"},
        "42.3",
    ),
    "Open MPI": (
        {"OMPI_COMM_WORLD_RANK": "{rank}", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_NAMESPACE": "prterun-a-1@1"},
        "prterun-a-1@1",
    ),
    "Open MPI 4": (
        {"OMPI_COMM_WORLD_RANK": "{rank}", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_MCA_ess_base_jobid": "12"},
        "12",
    ),
    "MVAPICH": ({"MV2_COMM_WORLD_RANK": "{rank}", "MV2_COMM_WORLD_SIZE": "2"}, None),
    "PMI": ({"PMI_RANK": "{rank}", "PMI_SIZE": "2", "PMI_JOBID": "9.0"}, "9.0"),
}


@pytest.fixture(autouse=True)
def _no_launcher(_no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SLURM_", "OMPI_", "PMI_", "MV2_", "PMIX_", "TORCHELASTIC_", "SM_", "TRAINING_JOB")):
            monkeypatch.delenv(name)
    for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def memory() -> MemoryServer:
    return MemoryServer()


@pytest.fixture
def start(memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ActiveIteration]:
    """Start an iteration as this rank of a job does, by default in its first call."""

    def start(rank: int, *, of: dict[str, str] = TORCHRUN, before: int = 0, **options: Any) -> ActiveIteration:
        for name, value in of.items():
            monkeypatch.setenv(name, value.format(rank=rank))
        monkeypatch.setattr(places, "_starts", itertools.count(before))
        return deardiary.start("Iris", "sweep", client=memory.client(), **options)

    return start


def by_name(memory: MemoryServer) -> dict[str, Recorded]:
    return {each.name: each for each in memory.iterations}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_says_the_rank_and_a_key_for_all(monkeypatch: pytest.MonkeyPatch, launcher: str) -> None:
    variables, key = LAUNCHERS[launcher]
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(rank=1))
    found = places.place()
    assert found is not None
    assert (found.rank, found.size, found.key) == (1, 2, key)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"RANK": "1"},
        {"RANK": "0", "WORLD_SIZE": "1"},
        {"RANK": "one", "WORLD_SIZE": "2"},
        {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_JOB_ID": "42"},
    ],
)
def test_a_process_alone_has_no_rank(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert places.place() is None


# A job of SLURM may start torchrun several times, each time for another training.
@pytest.mark.parametrize("job", [{}, {"SLURM_JOB_ID": "42"}, {"SLURM_JOB_ID": "42", "SLURM_STEP_ID": "0"}])
def test_the_ranks_of_one_machine_have_the_key_of_their_parent(
    monkeypatch: pytest.MonkeyPatch, job: dict[str, str]
) -> None:
    for name, value in {**TORCHRUN, "TORCHELASTIC_RUN_ID": "none", **job}.items():
        monkeypatch.setenv(name, value.format(rank=1))
    found = places.place()
    assert found is not None
    assert found.key is not None
    assert f"-{os.getppid()}-" in found.key


@pytest.mark.parametrize(("named", "setting"), [(None, None), ("first", "all"), (None, "first")])
def test_only_the_first_rank_logs_by_default(
    memory: MemoryServer,
    start: Callable[..., ActiveIteration],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    named: str | None,
    setting: str | None,
) -> None:
    if setting is not None:
        monkeypatch.setenv("DEARDIARY_RANKS", setting)
    for rank in (0, 1, 2):
        with start(rank, ranks=named) as active:
            active.log({"loss": rank})
            active.child().finish()
    (parent, child) = memory.iterations
    assert (parent.metrics, child.parent_id) == ({"loss": [0]}, parent.id)
    assert capfd.readouterr().err.count("the first logs") == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("options", [{}, {"id_key": "mine"}, {"resume": "mine"}, {"name": "big"}])
def test_every_other_rank_has_a_child(
    memory: MemoryServer, start: Callable[..., ActiveIteration], order: tuple[int, int], options: dict[str, str]
) -> None:
    active = {rank: start(rank, ranks="children", **options) for rank in order}
    for rank, each in active.items():
        each.log({"loss": rank})
    for rank in (1, 0):
        active[rank].finish()
    parent, child = (next(each for each in memory.iterations if each.id == active[rank].id) for rank in (0, 1))
    assert len(memory.iterations) == 2
    assert (parent.metrics, child.metrics) == ({"loss": [0]}, {"loss": [1]})
    assert (parent.parent_id, child.parent_id) == (None, parent.id)
    assert (child.name, parent.status) == ("rank 1", IterationStatus.SUCCEEDED)
    assert parent.name == options.get("name", parent.name)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_all_ranks_share_one_iteration_that_the_first_ends(
    memory: MemoryServer, start: Callable[..., ActiveIteration], order: tuple[int, int]
) -> None:
    active = {rank: start(rank, ranks="all", parameters={"lr": 1}) for rank in order}
    for rank, each in active.items():
        each.log({f"loss_{rank}": 1, "shared": rank})
    with pytest.raises(ZeroDivisionError), active[1]:
        raise ZeroDivisionError
    assert memory.iterations[0].status == IterationStatus.RUNNING
    active[0].finish()
    (found,) = memory.iterations
    assert found.status == IterationStatus.SUCCEEDED
    assert {point.step for point in found.points["shared"]} == {0, 1}
    assert set(found.metrics) == {"loss_0", "loss_1", "shared"}


def test_a_late_rank_does_not_reopen_what_the_first_has_ended(
    memory: MemoryServer, start: Callable[..., ActiveIteration]
) -> None:
    start(0, ranks="all").finish()
    late = start(1, ranks="all")
    assert late.id == memory.iterations[0].id
    late.finish()
    assert memory.iterations[0].status == IterationStatus.SUCCEEDED


def test_each_start_of_a_program_is_an_iteration_of_its_own(
    memory: MemoryServer, start: Callable[..., ActiveIteration]
) -> None:
    for before in (0, 1):
        for rank in (1, 0):
            start(rank, before=before, ranks="all").finish()
    assert len(memory.iterations) == 2


def test_a_job_without_a_key_says_what_to_give(memory: MemoryServer, start: Callable[..., ActiveIteration]) -> None:
    several = {**TORCHRUN, "LOCAL_WORLD_SIZE": "1", "TORCHELASTIC_RUN_ID": "none"}
    with pytest.raises(ValueError, match=r"id_key.*--rdzv-id"):
        start(0, of=several, ranks="all")
    start(0, of=several, ranks="all", id_key="mine").finish()
    start(1, of=several, ranks="first").finish()
    assert len(memory.iterations) == 1


def test_an_unknown_word_for_the_ranks_is_refused(start: Callable[..., ActiveIteration]) -> None:
    with pytest.raises(ValueError, match="first, children, all"):
        start(0, ranks="second")


def test_a_child_follows_its_parent(memory: MemoryServer, start: Callable[..., ActiveIteration]) -> None:
    parent = start(1, ranks="children")
    with parent.child(name="fold 1"):
        pass
    parent.finish()
    assert by_name(memory)["fold 1"].parent_id == by_name(memory)["rank 1"].id


def test_the_default_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.default_ranks() is None
    monkeypatch.setenv("DEARDIARY_RANKS", "children")
    assert settings.default_ranks() == "children"
