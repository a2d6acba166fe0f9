from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

import deardiary
from deardiary import ClientError, IterationStatus, sagemaker, settings
from deardiary.sagemaker.failure import explain
from deardiary.secretsmanager import read_token
from deardiary.tracking.files import Artifacts
from deardiary.tracking.journal import Journal
from deardiary.tracking.silent import NullArtifacts, NullJournal
from tests.support.transports import URL, FakeServer

if TYPE_CHECKING:
    from pathlib import Path

NAME = "digits-2026-01-01"
ARN = f"arn:aws:sagemaker:eu-west-1:111122223333:training-job/{NAME}"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a job's process, in a folder of the test."""
    base = tmp_path / "opt" / "ml"
    (base / "input" / "config").mkdir(parents=True)
    write(base, "hyperparameters", {"epochs": "20", "optimizer": '"adam"', "sagemaker_program": '"train.py"'})
    write(base, "resourceconfig", resources("algo-1", "algo-1"))
    write(base, "inputdataconfig", {"train": {"TrainingInputMode": "FastFile"}, "valid": {}})
    for variable in ("RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base))
    monkeypatch.setenv("TRAINING_JOB_NAME", NAME)
    monkeypatch.setenv("TRAINING_JOB_ARN", ARN)
    return base


def write(base: Path, name: str, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (base / "input" / "config" / f"{name}.json").write_text(text)


def resources(current: str, *hosts: str) -> dict[str, Any]:
    return {"current_host": current, "hosts": hosts, "current_instance_type": "ml.m5.large"}


def found() -> sagemaker.Job:
    job = sagemaker.find_job()
    assert job is not None
    return job


def test_a_job_says_what_it_is(base: Path) -> None:
    assert found().parameters() == {
        "epochs": "20",
        "optimizer": "adam",
        "sagemaker_job_name": NAME,
        "sagemaker_job_arn": ARN,
        "sagemaker_hosts": "algo-1",
        "sagemaker_instance_type": "ml.m5.large",
        "sagemaker_input_train": "FastFile",
        "sagemaker_input_valid": "File",
    }
    assert found().tags() == ["sagemaker", NAME]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('"s3://bucket/job/source/sourcedir.tar.gz"', "s3://bucket/job/source/sourcedir.tar.gz"),
        ("s3://bucket/job/source/sourcedir.tar.gz", "s3://bucket/job/source/sourcedir.tar.gz"),
        ("https://ada:sesame@git.example/digits.git", "https://***@git.example/digits.git"),
        ("https://b.s3.amazonaws.com/source.tar.gz?X-Amz-Signature=sesame", "https://b.s3.amazonaws.com/source.tar.gz"),
        ("", None),
    ],
)
def test_a_job_keeps_where_its_sources_are_without_a_credential(base: Path, given: str, kept: str | None) -> None:
    write(base, "hyperparameters", {"sagemaker_submit_directory": given})
    assert found().parameters().get("sagemaker_source") == kept


@pytest.mark.parametrize("missing", ["TRAINING_JOB_NAME", "files"])
def test_elsewhere_there_is_no_job(base: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    if missing == "files":
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(base / "nowhere"))
    else:
        monkeypatch.delenv("TRAINING_JOB_NAME")
    assert sagemaker.find_job() is None


@pytest.mark.parametrize("content", ["{", "[]", "null", ""])
def test_a_file_that_says_nothing_is_passed_over(base: Path, content: str) -> None:
    for name in ("hyperparameters", "resourceconfig", "inputdataconfig"):
        write(base, name, content)
    assert found().parameters() == {"sagemaker_job_name": NAME, "sagemaker_job_arn": ARN}
    assert found().rank == 0


@pytest.mark.parametrize(
    ("variables", "current", "rank"),
    [
        ({}, "algo-1", 0),
        ({}, "algo-2", 1),
        ({}, "algo-10", 2),
        ({"RANK": "3", "WORLD_SIZE": "6"}, "algo-1", 3),
        ({"RANK": "0", "WORLD_SIZE": "6"}, "algo-2", 0),
        ({"OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_SIZE": "6"}, "algo-1", 5),
        ({"RANK": "none", "WORLD_SIZE": "6"}, "algo-2", 1),
    ],
)
def test_the_rank_is_the_launchers_or_the_hosts(
    base: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], current: str, rank: int
) -> None:
    write(base, "resourceconfig", resources(current, "algo-10", "algo-2", "algo-1"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert found().rank == rank
    assert found().hosts == ("algo-1", "algo-2", "algo-10")


@pytest.mark.parametrize(
    ("name", "hyperparameters", "tuning_job"),
    [
        ("sweep-007-0a1b2c3d", {"_tuning_objective_metric": "loss"}, "sweep"),
        ("sweep-007-0a1b2c3d", {}, None),
        ("sweep", {"_tuning_objective_metric": "loss"}, None),
    ],
)
def test_the_jobs_of_a_tuning_job_know_it(
    base: Path, monkeypatch: pytest.MonkeyPatch, name: str, hyperparameters: dict[str, str], tuning_job: str | None
) -> None:
    monkeypatch.setenv("TRAINING_JOB_NAME", name)
    write(base, "hyperparameters", hyperparameters)
    assert found().tuning_job == tuning_job
    assert "_tuning_objective_metric" not in found().parameters()


def test_unsent_records_are_in_a_folder_that_sagemaker_keeps(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.spool_folder() == base / "output" / "data" / "deardiary" / "spool"
    assert found().checkpoint_folder is None
    (base / "checkpoints").mkdir()
    assert found().checkpoint_folder == base / "checkpoints"
    assert settings.spool_folder() == base / "checkpoints" / "deardiary" / "spool"
    monkeypatch.setenv("DEARDIARY_DIR", "/mine")
    assert str(settings.spool_folder()) == "/mine/spool"


@pytest.mark.parametrize(
    ("null", "real"), [(NullJournal, Journal), (NullArtifacts, Artifacts)], ids=["journal", "artifacts"]
)
def test_the_parts_of_a_silent_iteration_take_every_call(null: type, real: type) -> None:
    # `Artifacts` alone keeps files and writes their operations.
    public = {name for name in vars(real) if not name.startswith("_")} - {"keep_file"}
    assert public - set(vars(null)) == set()


def test_a_silent_iteration_refuses_what_an_iteration_refuses(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    iteration = sagemaker.start("Digits", "sagemaker")
    with pytest.raises(TypeError, match="loss"):
        iteration.log({"loss": "low"})  # type: ignore[dict-item]
    iteration.finish()
    with pytest.raises(RuntimeError, match="has ended"):
        iteration.log({"loss": 1})


def test_other_ranks_are_silent(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("DEARDIARY_URL", "http://127.0.0.1:9")  # where nothing answers
    with sagemaker.start("Digits", "sagemaker") as iteration:
        iteration.log({"loss": 1})
        iteration.log_parameters({"a": 1})
        iteration.add_tags(["x"])
        iteration.watch_system().stop()
        iteration.snapshot_environment()
        with iteration.capture_output(), iteration.child() as child:
            child.log({"loss": 1})
        assert iteration.log_resource(tmp_path / "model.bin").name == "model.bin"
        assert iteration.register_model("m", "model.bin").version == 0
        assert (iteration.id, iteration.flush()) == ("", True)
    assert not (base / "output").exists()


@pytest.mark.parametrize(
    ("before", "status", "expected"),
    [
        (None, IterationStatus.FAILED, "ValueError: no data\n\nTraceback\nValueError: no data\n"),
        ("", IterationStatus.FAILED, "ValueError: no data\n\nTraceback\nValueError: no data\n"),
        ("mine", IterationStatus.FAILED, "mine"),
        (None, IterationStatus.KILLED, None),
        (None, IterationStatus.SUCCEEDED, None),
    ],
)
def test_a_failure_is_told_unless_it_has_been(
    tmp_path: Path, before: str | None, status: IterationStatus, expected: str | None
) -> None:
    file = tmp_path / "failure"
    if before is not None:
        file.write_text(before)
    explain(file, status, "Traceback\nValueError: no data\n")
    assert (file.read_text() if file.exists() else None) == expected


def test_a_silent_rank_tells_of_its_failure_too(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ZeroDivisionError), sagemaker.start("Digits", "sagemaker"):
        raise ZeroDivisionError("on rank 1")
    assert (base / "output" / "failure").read_text().startswith("ZeroDivisionError: on rank 1\n")


@pytest.fixture
def refusing(secrets: Any, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A server that requires sign-in, while AWS has no secret."""
    assert secrets.list_secrets()["SecretList"] == []
    server = FakeServer()
    server.answers = {"GET /projects": (401, {"code": "UNAUTHORIZED", "message": "not you"})}
    monkeypatch.setattr("deardiary.client._default_transport", lambda: server)
    monkeypatch.setenv("DEARDIARY_URL", URL)
    return server


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DEARDIARY_PROJECT", "", "ValueError: Name a project and an experiment"),
        ("DEARDIARY_URL", "ftp://diary.example", "ValueError: A DearDiary URL looks like https://host/api"),
        (
            "DEARDIARY_TOKEN_SECRET",
            "diary/token",
            "deardiary.errors.ClientError: The secret diary/token cannot be",
        ),
    ],
)
def test_an_error_in_start_is_told_too(
    base: Path, refusing: FakeServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv("DEARDIARY_PROJECT", "Digits")
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", "sagemaker")
    monkeypatch.setenv(variable, value)
    with pytest.raises((ValueError, ClientError)):
        sagemaker.start(strict=True)
    assert (base / "output" / "failure").read_text().startswith(reason)


def test_an_error_in_start_is_raised_where_it_cannot_be_told(base: Path) -> None:
    (base / "output").write_text("no folder")
    with pytest.raises(ValueError, match="Name a project"):
        sagemaker.start()


def test_a_secret_that_may_not_be_read_does_not_end_the_training(
    base: Path, refusing: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DEARDIARY_TOKEN_SECRET", "diary/token")
    (base / "checkpoints").mkdir()
    with sagemaker.start("Digits", "sagemaker") as iteration:
        iteration.log({"loss": 1})
    assert "The secret diary/token cannot be read (ResourceNotFoundException)" in caplog.text
    assert list((base / "checkpoints" / "deardiary").rglob("*.log"))
    assert not (base / "output" / "failure").exists()


def test_the_module_is_there_without_importing_it() -> None:
    assert deardiary.sagemaker is sagemaker


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager", "eu-west-1")


@pytest.mark.parametrize("content", ["sesame\n", '{"token": "sesame"}'])
def test_a_token_is_read_from_a_secret_by_name_or_arn(secrets: Any, content: str) -> None:
    arn = secrets.create_secret(Name="diary/token", SecretString=content)["ARN"]
    assert read_token("diary/token") == "sesame"
    assert read_token(arn) == "sesame"


@pytest.mark.parametrize("content", ["{", "{}", '{"token": 1}', " "])
def test_a_secret_without_a_token_is_refused(secrets: Any, content: str) -> None:
    secrets.create_secret(Name="diary/token", SecretString=content)
    with pytest.raises(ClientError, match="SECRET_INVALID") as caught:
        read_token("diary/token")
    assert content.strip() == "" or content not in str(caught.value).replace('{"token": "…"}', "")


def test_a_secret_that_is_not_there_is_named(secrets: Any) -> None:
    with pytest.raises(ClientError, match="GetSecretValue") as caught:
        read_token("diary/token")
    assert (caught.value.status, caught.value.is_passing) == (404, False)


def test_a_network_that_is_not_there_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ClientError, match="SECRET_UNREADABLE") as caught:
        read_token("diary/token")
    assert caught.value.is_passing


def test_the_secrets_name_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_TOKEN_SECRET", "diary/token")
    assert settings.find_settings().token_secret == "diary/token"
    monkeypatch.setenv("DEARDIARY_TOKEN", "sesame")
    assert (settings.find_settings().token, settings.find_settings().token_secret) == ("sesame", None)
