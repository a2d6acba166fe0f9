"""`python -m infra.local serve`: the whole system, for a program that starts it and dies; its upkeep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
from moto import mock_aws

from chalicelib import config
from chalicelib.aws import clients
from chalicelib.routes import upkeep
from infra.emulator.launcher import environment_of
from infra.local import system
from tests.support.server import environment


def test_it_serves_until_its_starter_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.local", "serve", str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=pipe, stdout=pipe, text=True) as server:  # noqa: S603
        assert server.stdin is not None
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())
        assert address["pid"] == server.pid
        assert requests.get(f"{address['url']}/auth/me", timeout=60).json()["is_admin"]
        server.stdin.close()
        assert server.wait(timeout=60) == 0


def test_upkeep_goes_on_after_each_failure_and_logs_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fourth = threading.Event()
    runs = 0

    def run(_seconds: float) -> bool:
        nonlocal runs
        runs += 1
        if runs >= 4:
            fourth.set()
            return True
        raise OSError(f"failure {runs}")

    monkeypatch.setattr(upkeep, "run", run)
    monkeypatch.setattr(system, "UPKEEP_SECONDS", 0.01)
    with system._upkeep_running():
        assert fourth.wait(60)
    logged = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert logged == ["failure 1", "failure 2", "failure 3"]
    assert not [each for each in threading.enumerate() if each.name == system.UPKEEP_THREAD]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", ""])
def test_of_the_shell_only_a_store_of_artifacts_stays(tmp_path: Path, endpoint: str) -> None:
    file = tmp_path / "credentials"
    file.write_text("[minio]\naws_access_key_id = AKSTORE\naws_secret_access_key = x\n")
    prefix = system.STORE
    given = {f"{prefix}ENDPOINT": endpoint, f"{prefix}BUCKET": "diary", f"{prefix}PROFILE": "minio"}
    cloud = {"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "AKPROD", "DEARDIARY_URL": "https://diary", "AWS_REGION": "x"}
    with environment({}), pytest.MonkeyPatch.context() as patch:
        for name, value in (given | cloud | {system.KEYS_FILE: str(file)}).items():
            patch.setenv(name, value)
        system._forget_the_cloud()
        assert not set(cloud) & set(os.environ)
        with mock_aws():
            emulated = environment_of("http://127.0.0.1:4566")
            del emulated["AWS_ENDPOINT_URL"]
            stage, _ = system._stage_on(emulated)
        settings = config.read(dict(os.environ) | stage.settings())
        if not endpoint:
            assert (settings.artifact_store, settings.artifact_bucket) == (None, stage.bucket)
            return
        store = settings.artifact_store
        assert store is not None
        assert (store.endpoint_url, store.profile, settings.artifact_bucket) == (endpoint, "minio", "diary")
        keys = clients.session(store).get_credentials()
        assert keys is not None
        assert keys.access_key == "AKSTORE"
