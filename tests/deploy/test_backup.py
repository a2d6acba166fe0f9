"""A backup of the deployed stage becomes a stage in another region."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import deardiary
from infra.stage import Stage
from tests.deploy.rehearsal import Deployed, Deployment, found

STANDBY = Stage("standby", "000000000000", "eu-west-1")
BACKUP = "s3://backups-of-dev/daily"


def test_a_backup_becomes_a_stage_in_another_region(deployment: Deployment, tmp_path: Path) -> None:
    here = deployment.checkout
    there = replace(here, region=STANDBY.region)
    client = deployment.server.client()
    (tmp_path / "model.pkl").write_bytes(b"weights" * 1000)
    with deardiary.start("Safe", "first", parameters={"lr": 0.1}, client=client) as run:
        run.log({"loss": 0.5})
        resource = run.log_resource(tmp_path / "model.pkl")
    here.aws("s3").create_bucket(Bucket="backups-of-dev")
    here.infra("backup", "--stage", "dev", "--to", BACKUP)

    there.infra("restore", "--stage", "standby", "--from", BACKUP)
    url = found(r"\nurl: (\S+)", there.infra("deploy", "--stage", "standby"))
    server = Deployed(url, found(r"password: (\S+)", deployment.printed))  # passwords are those of the backup
    copy = server.client()
    assert [point.value for point in copy.metrics.list(run.id)] == [0.5]
    assert copy.resources.download(resource.id, tmp_path / "copy").read_bytes() == b"weights" * 1000
    server.transport.close()

    assert STANDBY.table in there.aws("dynamodb").list_tables()["TableNames"]
    assert STANDBY.table not in here.aws("dynamodb").list_tables()["TableNames"]
    there.infra("down", "--stage", "standby", "--yes", "--delete-data")
    assert there.aws("dynamodb").list_tables()["TableNames"] == []
