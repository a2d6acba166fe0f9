"""The shared part of the integrations: which iteration a training logs into, and how it ends."""

from __future__ import annotations

import itertools
import pickle
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
import deardiary.client
from deardiary import ActiveIteration, IterationStatus
from deardiary.integrations import active
from deardiary.integrations._run import Run, current, ends_with
from deardiary.tracking import ranks
from tests.support.server import URL

if TYPE_CHECKING:
    from tests.support.server import Server


@pytest.fixture(autouse=True)
def _signed_in(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token())
    monkeypatch.setenv("DEARDIARY_CAPTURE", "none")
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: server.transport)


@pytest.fixture
def client(server: Server) -> deardiary.Client:
    return server.client()


def train(run: Run, epochs: int = 3) -> None:
    run.begin()
    run.parameters({"epochs": epochs, "optimizer": {"lr": 0.1}})
    for epoch in range(epochs):
        run.log({"loss": 1 / (epoch + 1), "name": "not a number"}, step=epoch)
    run.finish()


def parameters(client: deardiary.Client, iteration: ActiveIteration) -> dict[str, str]:
    assert iteration.flush()
    return {each.key: each.value for each in client.parameters.list(iteration.id)}


def test_a_training_joins_the_iteration_that_runs_and_leaves_its_end_to_the_caller(client: deardiary.Client) -> None:
    with deardiary.start("Iris", "joined") as iteration:
        train(Run())
        assert not iteration.is_over
        assert parameters(client, iteration) == {"epochs": "3", "optimizer.lr": "0.1"}
        assert client.metrics.summary(iteration.id).keys() == {"loss"}
    assert len([*client.iterations.list(iteration.experiment_id)]) == 1


@pytest.mark.parametrize("given", [{"experiment": "other", "project": "Iris"}, {"name": "x", "parent": None}])
def test_names_and_options_are_for_a_new_iteration(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_PROJECT", "Iris")
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", "options")
    with deardiary.start("Iris", "outer") as iteration:
        run = Run(**given)
        run.begin()
        assert run.active is not iteration
        run.finish()
        assert run.active.id != iteration.id


def test_a_failing_training_ends_its_own_iteration_with_the_traceback(client: deardiary.Client) -> None:
    run = Run("Iris", "failing")

    def fit(error: BaseException) -> None:
        run.begin()
        raise error

    framework = SimpleNamespace(fit=fit)
    ends_with(framework, "fit")
    for error, status in (
        (ValueError("bad data"), IterationStatus.FAILED),
        (KeyboardInterrupt(), IterationStatus.KILLED),
    ):
        with pytest.raises(type(error)):
            framework.fit(error)
        ended = client.iterations.get(entered(run).id)
        assert ended.status_id == status
        assert f"in fit\n    raise error\n{type(error).__name__}" in ended.error_message


def entered(run: Run) -> ActiveIteration:
    """The iteration of a run that has ended, which `active` would resume."""
    assert run._own is not None
    return run._own


def test_a_failing_training_leaves_the_end_of_the_callers_iteration_to_the_caller() -> None:
    def fit(run: Run) -> None:
        run.begin()
        raise ValueError

    framework = SimpleNamespace(fit=fit)
    ends_with(framework, "fit")
    with deardiary.start("Iris", "caller") as iteration:
        with pytest.raises(ValueError):  # noqa: PT011
            framework.fit(Run())
        assert not iteration.is_over


def test_an_evaluation_after_the_training_resumes_its_iteration(client: deardiary.Client) -> None:
    run = Run("Iris", "evaluated")
    train(run)
    first = entered(run).id
    run.log({"test_loss": 0.5}, step=3)
    assert entered(run).id == first
    assert client.iterations.get(first).status_id == IterationStatus.RUNNING
    run.finish()
    assert client.iterations.get(first).status_id == IterationStatus.SUCCEEDED
    assert client.metrics.summary(first).keys() == {"loss", "test_loss"}
    train(run)
    assert entered(run).id != first


def test_of_two_values_of_a_parameter_the_first_stays(
    client: deardiary.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with deardiary.start("Iris", "clash", parameters={"lr": 1}) as iteration:
        Run().parameters({"before": 1, "lr": 2, "after": {"last": 3}})
        assert parameters(client, iteration) == {"lr": "1", "before": "1", "after.last": "3"}
    assert "'lr' is '1' already" in caplog.text


@pytest.fixture
def _torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run-7")
    monkeypatch.setattr(ranks, "_starts", itertools.repeat(0))  # each training is the first one of its process


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (None, {"lead": {"loss": 3, "late": 1}}),
        ("first", {"lead": {"loss": 3, "late": 1}}),
        ("children", {"lead": {"loss": 3, "late": 1}, "rank 1": {"loss": 3, "late": 1}}),
        ("all", {"lead": {"loss": 6, "late": 2}}),
    ],
)
@pytest.mark.usefixtures("_torchrun")
def test_ranks_says_which_processes_of_a_training_log(
    client: deardiary.Client, monkeypatch: pytest.MonkeyPatch, mode: str | None, expected: dict[str, dict[str, int]]
) -> None:
    for rank in (1, 0):
        monkeypatch.setenv("RANK", str(rank))
        run = Run("Iris", "ranks", name="lead", ranks=mode)
        train(run)
        run.log({"late": rank}, step=9)  # an evaluation after the training
        run.finish()
    (project,) = client.projects.list()
    found = client.iterations.list(project=project.id, include=["metrics"])
    logged = {each.name: {key: summary.count for key, summary in (each.metrics or {}).items()} for each in found}
    assert logged == expected


@pytest.mark.parametrize("names", [(), ("Iris", "ranks")])
@pytest.mark.usefixtures("_torchrun")
def test_of_a_distributed_training_the_first_process_logs(
    client: deardiary.Client, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RANK", "1")
    train(Run(*names))
    assert [*client.projects.list()] == []
    monkeypatch.setenv("RANK", "0")
    train(Run("Iris", "ranks"))
    assert len([*client.projects.list()]) == 1


def test_each_thread_has_a_trial_of_its_own() -> None:
    with deardiary.start("Iris", "trials") as study:
        children = [study.child(name=f"trial {number}") for number in range(2)]
        both, joined = threading.Barrier(2), {}

        def work(child: ActiveIteration) -> None:
            with current(child):
                both.wait()
                joined[child.name] = Run().active
                assert active() is child

        threads = [threading.Thread(target=work, args=(child,)) for child in children]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert joined == {child.name: child for child in children}
        for child in children:
            child.finish()
        assert active() is study
    with pytest.raises(RuntimeError, match="No iteration runs"):
        active()


def test_a_copy_for_another_process_logs_into_the_same_iteration_and_does_not_end_it(client: deardiary.Client) -> None:
    run = Run("Iris", "copied", tags=["spawned"])
    run.begin()
    copy = pickle.loads(pickle.dumps(run))  # noqa: S301
    copy.log({"loss": 0.5}, step=0)
    copy.finish()
    assert copy.active.flush()
    assert client.metrics.summary(entered(run).id)["loss"].last == 0.5
    assert client.iterations.get(entered(run).id).status_id == IterationStatus.RUNNING
    run.finish()
