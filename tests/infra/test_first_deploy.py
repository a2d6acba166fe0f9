"""Chalice's own commands on a fresh clone: one sentence with the command to run first, and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MAKE_DEPLOY = "run `make deploy STAGE=dev` first"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of a fresh clone that Chalice's command line reads; `.chalice` has only the tracked file."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("chalicelib", "client", "infra", "vendor"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, symlinks=True, ignore=ignore)
    shutil.copy(REPOSITORY / "app.py", tmp_path)
    (tmp_path / ".chalice").mkdir()
    config = json.loads((REPOSITORY / ".chalice" / "config.json").read_text())
    for stage in config["stages"].values():
        stage.pop("environment_variables", None)
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    return tmp_path


def chalice(clone: Path, *arguments: str, without: str = "") -> tuple[int, str]:
    """Status and output of the command `chalice`; ``without`` hides a package, as in an environment of its own."""
    hidden = f"import sys; sys.modules[{without!r}] = None; " if without else "import sys; "
    program = f"{hidden}sys.argv[0] = 'chalice'; from chalice.cli import main; sys.exit(main())"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DEARDIARY_"))}
    account = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program, *arguments],
        cwd=clone,
        env=kept | account | {"PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "without", "advice"),
    [
        (("deploy",), "", MAKE_DEPLOY),
        (("deploy", "--stage", "dev"), "", MAKE_DEPLOY),
        (("deploy",), "msgspec", MAKE_DEPLOY),
        (("deploy", "--stage=alice"), "", "run `make deploy STAGE=alice` first"),
        (("package", "out"), "", "run `.venv/bin/python -m infra up --add-stage --stage dev` first"),
        (("package", "--stage", "nope", "out"), "", "infra up --add-stage --stage nope` first"),
        (("package", "out"), "pynamodb", "run `make install` first"),
        (("local", "--no-autoreload"), "msgspec", "run `make install` first"),
    ],
)
def test_chalice_on_a_fresh_clone_says_what_to_run_first(
    clone: Path, arguments: tuple[str, ...], without: str, advice: str
) -> None:
    status, printed = chalice(clone, *arguments, without=without)
    assert status == 1
    assert advice in printed
    assert len(printed.strip().splitlines()) == 1
