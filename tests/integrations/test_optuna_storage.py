"""Optuna's storage on our server: its own tests, workers at once, and a worker that is lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deardiary import IterationStatus
from tests.integrations.conftest import PROGRAMS, Diary
from tests.integrations.environments import OPTUNA

EXAMPLE = Path(__file__).parents[2] / "examples" / "integrations" / "train_optuna_workers.py"


def test_optunas_own_tests_of_storages_pass(diary: Diary, tmp_path: Path) -> None:
    printed = diary.run_ours(OPTUNA, PROGRAMS / "optuna_storage_tests.py", folder=tmp_path)
    assert json.loads(printed.splitlines()[-1])["passed"] >= 40


def test_workers_share_a_study(diary: Diary, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        printed = list(pool.map(lambda _: diary.run_ours(OPTUNA, EXAMPLE, folder=tmp_path), range(3)))
    assert max(int(text.splitlines()[-1].split()[0]) for text in printed) == 60
    client = diary.client()
    project = next(client.projects.list(name="Examples"))
    experiment = next(client.experiments.list(project.id, name="optuna_workers"))
    records = [json.loads(text) for text in client.studies.records(experiment.id, "optuna")]
    finished = [each["trial_id"] for each in records if each["op_code"] == 6 and each["state"] == 1]
    assert sorted(finished) == list(range(60))
    assert list(client.studies.leases(experiment.id, "optuna")) == []
    iterations = list(client.iterations.list(experiment.id))
    (study,) = [each for each in iterations if each.parent_iteration_id is None]
    assert {each.parent_iteration_id for each in iterations} == {None, study.id}
    assert (len(iterations), study.status_id) == (61, IterationStatus.SUCCEEDED)
    assert client.metrics.summary(study.id)["value"].count == 60


def test_a_later_search_in_a_study_replaces_the_best_trial(diary: Diary, tmp_path: Path) -> None:
    printed = diary.run_ours(OPTUNA, PROGRAMS / "optuna_again.py", folder=tmp_path)
    assert json.loads(printed.splitlines()[-1]) == {"warnings": []}
    client = diary.client()
    project = next(client.projects.list(name="Examples"))
    experiment = next(client.experiments.list(project.id, name="optuna again"))
    iterations = client.iterations.list(experiment.id, include=["labels"])
    (study,) = [each for each in iterations if each.parent_iteration_id is None]
    assert study.labels == {"best_trial": "1", "best.x": "2.0"}
    assert [path for path in tmp_path.rglob("rejected/*") if path.is_file()] == []


def test_the_trial_of_a_lost_worker_is_given_out_again(diary: Diary, tmp_path: Path) -> None:
    printed = diary.run_ours(OPTUNA, PROGRAMS / "optuna_lost_worker.py", folder=tmp_path)
    found = json.loads(printed.splitlines()[-1])
    assert found["died"] == 9
    lost, again, new = found["trials"]
    assert (lost["state"], again["state"], new["state"]) == ("FAIL", "COMPLETE", "COMPLETE")
    assert lost["x"] == again["x"] != new["x"]
