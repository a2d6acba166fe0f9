"""Processes in the environment of a SageMaker training job."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import pytest

import deardiary
from deardiary import Client, IterationOverview, IterationStatus
from tests.support.live import LiveServer, end, exit_code, line_of, live_server, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.support.emulator import Emulator

TRAIN = """
import deardiary, json, os, sys
from deardiary import sagemaker
with sagemaker.start(
    "Jobs",
    os.environ["EXPERIMENT"],
    parameters=json.loads(os.environ.get("PARAMETERS", "{}")),
    other_ranks=os.environ.get("OTHERS", "silent"),
) as iteration:
    for step in range(5):
        iteration.log({"loss": step / 7})
    iteration.flush(20)
    print(iteration.id, flush=True)
    if "wait" in sys.argv:
        sys.stdin.read()
    if "fail" in sys.argv:
        raise ValueError("no data")
"""


@pytest.fixture(scope="module")
def live(emulator: Emulator) -> Iterator[LiveServer]:
    with live_server(emulator) as server:
        yield server


class Container:
    """A folder like /opt/ml, and the variables of a job in it."""

    def __init__(self, folder: Path, url: str, experiment: str, *, checkpoints: bool = True) -> None:
        self.base = folder / "opt" / "ml"
        (self.base / "input" / "config").mkdir(parents=True)
        if checkpoints:
            (self.base / "checkpoints").mkdir()
        self.experiment = experiment
        self.job = f"job-{experiment}"
        self.variables = {
            "DEARDIARY_URL": url,
            "EXPERIMENT": experiment,
            "SAGEMAKER_BASE_DIR": str(self.base),
            "TRAINING_JOB_NAME": self.job,
            "XDG_CONFIG_HOME": str(folder),
        }
        self.write("hyperparameters", {"epochs": "3", "learning_rate": "0.01"})
        self.write("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]})

    def write(self, name: str, content: Any) -> None:
        (self.base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))

    def start(self, *arguments: str, stdin: bool = False, **variables: str) -> subprocess.Popen[str]:
        settings = self.variables | variables
        return run(TRAIN, *arguments, settings=settings, stdin=stdin, quiet=True)

    def train(self, *arguments: str, **variables: str) -> str:
        """Return the id that the process printed before it ended."""
        process = run(TRAIN, *arguments, settings=self.variables | variables, quiet=True)
        printed = line_of(process)
        assert exit_code(process) == (1 if "fail" in arguments else 0)
        return printed

    def iterations(self, client: Client) -> list[IterationOverview]:
        project = next(client.projects.list(name="Jobs"))
        (experiment,) = client.experiments.list(project.id, name=self.experiment)
        return list(client.iterations.list(experiment.id, include=["parameters", "metrics", "tags"]))


@pytest.fixture
def client(live: LiveServer) -> Iterator[Client]:
    with live.client() as client:
        yield client


def test_a_job_that_is_interrupted_goes_on_in_its_iteration(live: LiveServer, client: Client, tmp_path: Path) -> None:
    container = Container(tmp_path, live.url, "spot")
    first = container.start("wait", stdin=True)
    printed = line_of(first)
    end(first)
    assert (container.base / "checkpoints" / "deardiary" / "spool").is_dir()
    assert container.train() == printed
    (iteration,) = container.iterations(client)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert iteration.parameters is not None
    assert iteration.metrics is not None
    assert (iteration.parameters["epochs"], iteration.parameters["sagemaker_job_name"]) == ("3", "job-spot")
    assert set(iteration.tags or ()) == {"sagemaker", "job-spot"}
    assert (iteration.metrics["loss"].count, iteration.metrics["loss"].last_step) == (10, 9)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("same", {"epochs": 3, "learning_rate": 1e-2}, {"epochs": "3", "learning_rate": "0.01"}),
        ("number", {"epochs": 5}, {"epochs": "5", "sagemaker_hyperparameter_epochs": "3", "learning_rate": "0.01"}),
        ("text", {"epochs": "all"}, {"epochs": "all", "sagemaker_hyperparameter_epochs": "3", "learning_rate": "0.01"}),
    ],
)
def test_parameters_of_the_script_take_precedence_over_hyperparameters_and_lose_none(
    live: LiveServer, client: Client, tmp_path: Path, name: str, given: dict[str, object], kept: dict[str, str]
) -> None:
    container = Container(tmp_path, live.url, f"given-{name}")
    container.train(PARAMETERS=json.dumps(given))
    (iteration,) = container.iterations(client)
    of_the_job = ("sagemaker_job", "sagemaker_hosts")
    found = {key: value for key, value in (iteration.parameters or {}).items() if not key.startswith(of_the_job)}
    assert found == kept


def test_a_job_that_fails_tells_sagemaker(live: LiveServer, client: Client, tmp_path: Path) -> None:
    container = Container(tmp_path, live.url, "failing")
    container.train("fail")
    (iteration,) = container.iterations(client)
    assert iteration.status_id == IterationStatus.FAILED
    reason = (container.base / "output" / "failure").read_text()
    assert reason.startswith("ValueError: no data\n\nTraceback")


def test_ranks_are_children_if_they_shall(live: LiveServer, client: Client, tmp_path: Path) -> None:
    container = Container(tmp_path, live.url, "ranks")
    processes = [container.start(RANK=str(rank), WORLD_SIZE="3", OTHERS="children") for rank in (2, 1, 0)]
    ids = [line_of(process) for process in processes]
    assert [exit_code(process) for process in processes] == [0, 0, 0]
    found = {each.id: each for each in container.iterations(client)}
    assert set(found) == set(ids)
    assert [found[each].parent_iteration_id for each in ids] == [ids[2], ids[2], None]
    ranks = [(found[each].parameters or {}).get("sagemaker_rank") for each in ids]
    assert ranks == ["2", "1", None]
    assert container.train(RANK="1", WORLD_SIZE="2") == ""
    assert len(container.iterations(client)) == 3


def test_the_jobs_of_a_tuning_job_have_one_parent(live: LiveServer, client: Client, tmp_path: Path) -> None:
    container = Container(tmp_path, live.url, "tuning")
    container.write("hyperparameters", {"_tuning_objective_metric": "loss", "epochs": "3"})
    trials = [container.train(TRAINING_JOB_NAME=f"sweep-00{at}-0a1b2c3d") for at in (1, 2)]
    found = {each.id: each for each in container.iterations(client)}
    (parent,) = set(found) - set(trials)
    assert {found[each].parent_iteration_id for each in trials} == {parent}
    assert found[parent].status_id == IterationStatus.SUCCEEDED


def test_an_isolated_job_is_sent_afterwards(live: LiveServer, client: Client, tmp_path: Path) -> None:
    container = Container(tmp_path, live.url, "isolated", checkpoints=False)
    container.train(DEARDIARY_OFFLINE="1", OTHERS="children", RANK="1", WORLD_SIZE="2")
    container.train(DEARDIARY_OFFLINE="1")
    output = container.base / "output" / "data"
    assert (output / "deardiary" / "spool").is_dir()
    deardiary.sync(output, client=client, tell=lambda _: None)
    child, parent = sorted(container.iterations(client), key=lambda each: each.parent_iteration_id is None)
    assert child.parent_iteration_id == parent.id
    assert [(each.metrics or {})["loss"].count for each in (child, parent)] == [5, 5]
    assert parent.status_id == IterationStatus.SUCCEEDED


_FORKS = """
import json, os, runpy, signal, sys, joblib, sklearn.datasets, sklearn.model_selection
from sklearn.linear_model import SGDClassifier
def run(script, at, variables, *arguments):
    os.environ.update(variables)
    calls, train, dump = {"train": 0, "dump": 0}, SGDClassifier.partial_fit, joblib.dump
    die = lambda: os.kill(os.getpid(), signal.SIGKILL)
    def training(*given, **named):
        calls["train"] += 1
        return train(*given, **named)
    def dumping(*given, **named):
        calls["dump"] += 1
        calls["dump"] == 3 and at == "before" and die()
        dump(*given, **named)
        calls["dump"] == 3 and at == "within" and die()
    from deardiary import ActiveIteration
    def told(method):
        def telling(*given, **named):
            result = method(*given, **named)
            print(method.__name__, given[1:], named, "->", result, file=sys.stderr)
            return result
        return telling
    SGDClassifier.partial_fit, joblib.dump = training, dumping
    ActiveIteration.log, ActiveIteration.flush = told(ActiveIteration.log), told(ActiveIteration.flush)
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
    print(calls["train"], flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        sys.exit(run(*json.loads(line)))
    print("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Examples:
    """Runs the example in processes forked from one that has imported scikit-learn, because the import is slow."""

    def __init__(self) -> None:
        self._process = run(_FORKS, stdin=True)

    def train(self, container: Container, at: str = "") -> tuple[int, int]:
        """Return exit status and trained epochs; the process kills itself ``at`` its third checkpoint."""
        script = Path(__file__).parents[2] / "examples" / "sagemaker" / "train.py"
        model = container.base / "model"
        model.mkdir(exist_ok=True)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(script), at, container.variables, "--model_dir", str(model)]) + "\n")
        self._process.stdin.flush()
        epochs = 0
        while not (line := line_of(self._process)).startswith("exit "):
            epochs = int(line)
        return int(line.removeprefix("exit ")), epochs

    def end(self) -> None:
        end(self._process)


@pytest.fixture(scope="module")
def examples() -> Iterator[Examples]:
    running = Examples()
    yield running
    running.end()


@pytest.fixture(scope="module")
def uninterrupted(live: LiveServer, tmp_path_factory: pytest.TempPathFactory, examples: Examples) -> Container:
    """The example without interruption, and without the toolkit, so that its hyperparameters are in a file only."""
    container = Container(tmp_path_factory.mktemp("example"), live.url, "example")
    container.write("hyperparameters", {"epochs": "6"})
    assert examples.train(container) == (0, 6)
    return container


def test_the_example_trains(client: Client, uninterrupted: Container) -> None:
    iteration = _iteration_of_example(client, uninterrupted)
    assert (iteration.metrics or {})["valid_accuracy"].count == 6
    resources = client.resources.list(iteration.experiment_id, iteration_id=iteration.id)
    assert [each.name for each in resources] == ["model.joblib"]
    assert client.iterations.get(iteration.id).python_version.startswith(f"{sys.version_info.major}.")


@pytest.mark.parametrize(
    ("at", "lost", "left"),
    [
        pytest.param("before", False, 4, id="an epoch is logged and not in the checkpoint"),
        pytest.param("within", False, 4, id="the checkpoint is half written"),
        pytest.param("before", True, 6, id="SageMaker has not copied the checkpoint"),
    ],
)
def test_the_example_goes_on_from_its_checkpoint(
    live: LiveServer,
    client: Client,
    tmp_path: Path,
    examples: Examples,
    uninterrupted: Container,
    at: str,
    *,
    lost: bool,
    left: int,
) -> None:
    container = Container(tmp_path, live.url, f"{at}-{lost}")
    container.write("hyperparameters", {"epochs": "6"})
    assert examples.train(container, at) == (-signal.SIGKILL, 0)
    if lost:
        (container.base / "checkpoints" / f"{container.job}.joblib").unlink()
    assert examples.train(container) == (0, left)
    iteration = _iteration_of_example(client, container)
    steps = list(client.metrics.curves(iteration.id)["valid_accuracy"].step)
    assert steps == [0, 1, 2, 3, 4, 5], _evidence(client, iteration, container)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert (_weights(container) == _weights(uninterrupted)).all()


def _evidence(client: Client, iteration: IterationOverview, container: Container) -> str:
    """The points and the summary on the server, and the files that the processes left."""
    points = [(each.step, each.id) for each in client.metrics.list(iteration.id)]
    files = [(str(path), path.stat().st_size) for path in container.base.rglob("*") if path.is_file()]
    return f"{points=} summary={client.metrics.summary(iteration.id)} {files=}"


def _weights(container: Container) -> Any:
    return joblib.load(container.base / "model" / "model.joblib").coef_


def _iteration_of_example(client: Client, container: Container) -> IterationOverview:
    project = next(client.projects.list(name="Digits"))
    (experiment,) = client.experiments.list(project.id, name="sagemaker")
    (iteration,) = client.iterations.list(experiment.id, filter=f'tags = "{container.job}"', include=["metrics"])
    return iteration
