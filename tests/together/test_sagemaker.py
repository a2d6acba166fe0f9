"""Processes that see what a SageMaker training job sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import Client, IterationOverview, IterationStatus
from tests.together.live import LiveServer, end, exit_code, line_of, live_server, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.emulator import Emulator

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
        self.variables = {
            "DEARDIARY_URL": url,
            "EXPERIMENT": experiment,
            "SAGEMAKER_BASE_DIR": str(self.base),
            "TRAINING_JOB_NAME": f"job-{experiment}",
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
        """The id that the process printed before it ended."""
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
def test_what_the_script_gives_goes_before_a_hyperparameter_and_loses_none(
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
    processes = [container.start(RANK=str(rank), OTHERS="children") for rank in (2, 1, 0)]
    ids = [line_of(process) for process in processes]
    assert [exit_code(process) for process in processes] == [0, 0, 0]
    found = {each.id: each for each in container.iterations(client)}
    assert set(found) == set(ids)
    assert [found[each].parent_iteration_id for each in ids] == [ids[2], ids[2], None]
    ranks = [(found[each].parameters or {}).get("sagemaker_rank") for each in ids]
    assert ranks == ["2", "1", None]
    assert container.train(RANK="1") == ""
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
    container.train(DEARDIARY_OFFLINE="1", OTHERS="children", RANK="1")
    container.train(DEARDIARY_OFFLINE="1")
    output = container.base / "output" / "data"
    assert (output / "deardiary" / "spool").is_dir()
    deardiary.sync(output, client=client, tell=lambda _: None)
    child, parent = sorted(container.iterations(client), key=lambda each: each.parent_iteration_id is None)
    assert child.parent_iteration_id == parent.id
    assert [(each.metrics or {})["loss"].count for each in (child, parent)] == [5, 5]
    assert parent.status_id == IterationStatus.SUCCEEDED


def test_the_example_trains(live: LiveServer, client: Client, tmp_path: Path) -> None:
    """Without the toolkit, so that the hyperparameters are in a file only."""
    container = Container(tmp_path, live.url, "sagemaker")
    script = Path(__file__).parents[2] / "examples" / "sagemaker" / "train.py"
    code = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    process = run(
        code,
        *(str(script), "--model_dir", str(tmp_path)),
        settings=container.variables,
    )
    assert exit_code(process) == 0
    project = next(client.projects.list(name="Digits"))
    (experiment,) = client.experiments.list(project.id, name="sagemaker")
    (iteration,) = client.iterations.list(experiment.id, filter='tags = "sagemaker"', include=["metrics"])
    assert (iteration.metrics or {})["valid_accuracy"].count == 3
    assert [each.name for each in client.resources.list(experiment.id, iteration_id=iteration.id)] == ["model.joblib"]
    assert client.iterations.get(iteration.id).python_version.startswith(f"{sys.version_info.major}.")
