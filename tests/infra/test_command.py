"""`python -m infra` from a shell, against the emulator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.emulator import Emulator


ROOT = Path(__file__).parents[2]


def infra(
    emulator: Emulator, *arguments: str, stdin: str = "", folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own module, our own interpreter
        [sys.executable, "-m", "infra", *arguments],
        cwd=folder,
        env=os.environ | emulator.environment(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_up_makes_the_admin_once_and_shows_the_password_once(emulator: Emulator) -> None:
    first = infra(emulator, "up", "--stage", "once")
    assert (first.returncode, first.stderr) == (0, "")
    assert "admin admin: created" in first.stdout
    assert first.stdout.count("password:") == 1
    second = infra(emulator, "up", "--stage", "once", "--json")
    assert second.stderr == "nothing to change\n"
    assert json.loads(second.stdout) == {
        "stage": "once",
        "region": "us-east-1",
        "table": "deardiary-once",
        "bucket": "deardiary-once-000000000000-us-east-1",
        "jwt_secret_parameter": "/deardiary/once/jwt-secret",
    }


def test_missing_credentials_are_named_with_what_to_set(tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "infra", "up", "--stage", "dev"]
    done = subprocess.run(  # noqa: S603 - our own module, our own interpreter
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("infra up: No AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID")


def test_a_stage_that_chalice_shall_deploy_is_known_to_it(emulator: Emulator, tmp_path: Path) -> None:
    for name in ("infra", "chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "deployments"))
    command = [sys.executable, "-m", "infra.package.packager", "package", "--stage", "carol", "build"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert refused.returncode == 1
    assert "Stage carol is not in .chalice/config.json" in refused.stderr
    assert "stage carol added" in infra(emulator, "up", "--stage", "carol", "--add-stage", folder=tmp_path).stdout
    config = json.loads((tmp_path / ".chalice" / "config.json").read_text())
    assert config["stages"]["carol"]["environment_variables"]["DEARDIARY_TABLE"] == "deardiary-carol"
    written = {each.name for each in (tmp_path / ".chalice").glob("policy-carol*.json")}
    assert written == {"policy-carol.json", "policy-carol-upkeep.json"}


def test_a_given_password_is_not_shown(emulator: Emulator) -> None:
    given = ("--admin-username", "ada", "--admin-password-stdin")
    up = infra(emulator, "up", "--stage", "given", *given, stdin="correct horse\n")
    assert "admin ada: created" in up.stdout
    assert "correct horse" not in up.stdout + up.stderr
    reset = infra(emulator, "admin", "--stage", "given", "--admin-username", "ada")
    assert "admin ada: new password set" in reset.stdout
    assert reset.stdout.count("password:") == 1


@pytest.mark.parametrize(("stdin", "reason"), [("", "no password on stdin"), ("short\n", "8 characters")])
def test_a_password_that_will_not_do_is_refused(emulator: Emulator, stdin: str, reason: str) -> None:
    infra(emulator, "up", "--stage", "refused")
    answer = infra(emulator, "admin", "--stage", "refused", "--admin-password-stdin", stdin=stdin)
    assert answer.returncode == 1
    assert reason in answer.stderr


def test_down_asks_and_keeps_the_data(emulator: Emulator) -> None:
    infra(emulator, "up", "--stage", "down")
    assert infra(emulator, "down", "--stage", "down", stdin="dwon\n").returncode == 1
    kept = infra(emulator, "down", "--stage", "down", stdin="down\n")
    assert "jwt-secret: deleted" in kept.stdout
    assert "kept: table deardiary-down" in kept.stdout
    gone = infra(emulator, "down", "--stage", "down", "--yes", "--delete-data")
    assert "table deardiary-down: deleted" in gone.stdout
    absent = infra(emulator, "down", "--stage", "down")
    assert (absent.returncode, absent.stdout) == (1, "")
    assert absent.stderr == "infra down: there is no stage down in account 000000000000, region us-east-1\n"


@pytest.mark.parametrize(
    "arguments", [("admin",), ("migrate-artifacts", "--to", "s3"), ("backup", "--to", "s3://nowhere/x"), ("finish",)]
)
def test_a_command_for_a_stage_that_does_not_exist_says_so_in_one_line(
    emulator: Emulator, arguments: tuple[str, ...]
) -> None:
    refused = infra(emulator, *arguments, "--stage", "ghost")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"infra {arguments[0]}: ")
    assert len(refused.stderr.splitlines()) == 1
