"""A stage is backed up into another bucket, lost, and restored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import deardiary
from chalicelib.services.lifecycle import packing
from chalicelib.storage.blocks import head, request
from infra import backup
from infra.__main__ import main
from infra.failure import InfraError
from infra.resources.table import delete_table
from infra.stage import locate
from tests.support.server import ADMIN, PASSWORD, Reply, Server
from tests.support.world import make_world

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "backups-of-tests"


@pytest.fixture
def s3(real_server: Server) -> S3Client:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def stage_of_tests() -> str:
    from chalicelib import config

    return config.settings().table.removeprefix("deardiary-")


def test_a_backup_restores_everything(
    real_server: Server,
    s3: S3Client,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup, "FILE_BYTES", 2000)  # several files
    world, stage = make_world(real_server), stage_of_tests()
    client = real_server.client()
    experiment = client.experiments.get(world.ids["experiment_id"])
    client.iterations.update(world.ids["iteration_id"], status_id=deardiary.IterationStatus.SUCCEEDED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "QUIET_US", 0)
        patch.setattr(request, "ENOUGH_ROWS", 1)
        assert packing.pack(experiment)
    before = everything(client, world.ids)
    assert main(["backup", "--stage", stage, "--to", f"s3://{BUCKET}/first"]) == 0
    assert main(["down", "--stage", stage, "--yes", "--delete-data"]) == 0
    assert main(["restore", "--stage", stage, "--from", f"s3://{BUCKET}/first"]) == 0
    assert "password:" not in capsys.readouterr().out
    from chalicelib.storage import keyring

    monkeypatch.setattr(keyring, "_kept", None)
    monkeypatch.setattr(real_server, "tokens", {})  # the secret is a new one
    again = real_server.client()
    assert everything(again, world.ids) == before
    # A copy of what may have changed between the reads of two items: the upkeep writes it again.
    assert head.read_head(experiment.id).blocks == ()
    copy = again.resources.download(world.ids["resource_id"], tmp_path / "copy")
    assert copy.stat().st_size == again.resources.get(world.ids["resource_id"]).size_bytes
    table = locate(stage)[1].dynamodb.describe_table(TableName=f"deardiary-{stage}")["Table"]
    assert table["DeletionProtectionEnabled"]


OTHER = "another good password"


def sign_in(server: Server, password: str) -> Reply:
    return server.call("POST", "/auth", {"username": "anna", "password": password}, token=None)


def test_a_restored_table_accepts_no_earlier_token(
    real_server: Server, s3: S3Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the same secret, which only `infra down` deletes."""
    stage, (located, clients) = stage_of_tests(), locate(stage_of_tests())
    anna = real_server.newcomer("anna")
    me, before = anna.whoami().id, real_server.token("anna")
    deleted_later = anna.tokens.create("laptop")
    kept = anna.tokens.create("ci")
    assert main(["backup", "--stage", stage, "--to", f"s3://{BUCKET}/tokens"]) == 0
    anna.tokens.delete(deleted_later.id)
    anna.users.update(me, password=OTHER, current_password=PASSWORD)
    after = sign_in(real_server, OTHER).body["access_token"]
    list(delete_table(clients.dynamodb, located.table))

    assert main(["restore", "--stage", stage, "--from", f"s3://{BUCKET}/tokens"]) == 0
    printed = capsys.readouterr().out
    assert "every session of 2 users and 2 API tokens ended" in printed
    assert "passwords: as they were at 20" in printed
    for token in (before, after, kept.token, deleted_later.token):
        assert real_server.call("GET", "/auth/me", token=token).error == (401, "TOKEN_INVALID")
    assert sign_in(real_server, OTHER).status == 401
    renewed = sign_in(real_server, PASSWORD).body["access_token"]
    assert real_server.call("POST", "/auth/refresh", token=renewed).status == 200


def test_end_tokens_ends_all_tokens(real_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    stage = stage_of_tests()
    session = real_server.token()
    token = real_server.client().tokens.create("ci").token
    assert main(["rotate", "--stage", stage]) == 0
    assert "API tokens do not depend on the secret" in capsys.readouterr().out
    assert real_server.call("GET", "/auth/me", token=token).status == 200
    assert main(["end-tokens", "--stage", stage, "--table", "no-such-table"]) == 1
    assert "no table no-such-table" in capsys.readouterr().err
    assert main(["end-tokens", "--stage", stage]) == 0
    assert "every session of 1 users and 1 API tokens ended" in capsys.readouterr().out
    for each in (session, token):
        assert real_server.call("GET", "/auth/me", token=each).error == (401, "TOKEN_INVALID")
    again = real_server.call("POST", "/auth", {"username": ADMIN, "password": PASSWORD}, token=None)
    assert real_server.call("GET", "/auth/tokens", token=again.body["access_token"]).body["data"] == []


def everything(client: deardiary.Client, ids: dict[str, str]) -> list[object]:
    return [
        client.projects.get(ids["project_id"]),
        client.iterations.get(ids["iteration_id"]),
        list(client.metrics.list(ids["iteration_id"])),
        list(client.parameters.list(ids["iteration_id"])),
        list(client.resources.list(ids["experiment_id"])),
        list(client.modelversions.list(ids["model_id"])),
        list(client.users.list()),
    ]


def test_a_backup_that_was_cut_short_is_none(
    real_server: Server, s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, clients = locate(stage_of_tests())
    list(backup.back_up(stage, clients, f"s3://{BUCKET}/second"))
    steps: Any = backup.back_up(stage, clients, f"s3://{BUCKET}/second")
    next(steps)
    steps.close()
    with pytest.raises(InfraError, match="no complete backup"):
        next(backup.restore(stage, clients, f"s3://{BUCKET}/second"))


def test_a_bucket_that_is_not_there_is_named(real_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    stage = stage_of_tests()
    assert main(["backup", "--stage", stage, "--to", "s3://nowhere-of-tests/first"]) == 1
    assert "aws s3 mb s3://nowhere-of-tests" in capsys.readouterr().err
    assert main(["restore", "--stage", f"{stage}-2", "--from", "s3://nowhere-of-tests/first"]) == 1
    assert "no complete backup in s3://nowhere-of-tests/first" in capsys.readouterr().err


def test_nothing_is_written_over(real_server: Server, s3: S3Client) -> None:
    stage, clients = locate(stage_of_tests())
    list(backup.back_up(stage, clients, f"s3://{BUCKET}/third"))
    with pytest.raises(InfraError, match="exists"):
        next(backup.restore(stage, clients, f"s3://{BUCKET}/third"))
    with pytest.raises(InfraError, match="own bucket"):
        next(backup.back_up(stage, clients, f"s3://{stage.bucket}/x"))


@pytest.mark.parametrize("url", ["bucket/prefix", "s3://", "s3://bucket", "s3://bucket/", "https://bucket/prefix"])
def test_where_a_backup_goes_has_a_bucket_and_a_prefix(url: str) -> None:
    with pytest.raises(InfraError, match="s3://BUCKET/PREFIX"):
        backup.BackupLocation.parse(url)
