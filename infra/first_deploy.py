"""Name in one sentence what Chalice's own commands need on a fresh clone, instead of a traceback.

`app.py` calls this while Chalice's command line loads it, before it imports any installed package.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = Path(__file__).parents[1]
_INSTALLED = ("bcrypt", "jwt", "msgspec", "pynamodb")
_NEED_A_STAGE = ("deploy", "package", "plan")
_DEFAULT_STAGE = "dev"


def require_ready(arguments: Sequence[str], project: Path = PROJECT) -> None:
    """Exit with the reason unless the requirements are installed and the stage that the command names is set up."""
    command = next((each for each in _NEED_A_STAGE if each in arguments), None)
    stage = _stage(arguments)
    installed = all(find_spec(name) is not None for name in _INSTALLED)
    if installed and (command is None or _is_set_up(stage, project)):
        return
    if command == "deploy":
        sys.exit(
            f"Stage {stage} is not set up: run `make deploy STAGE={stage}` first, which installs the requirements, "
            "makes the table, the bucket and the secret, and deploys; then `.venv/bin/chalice deploy` works too."
        )
    if not installed:
        sys.exit("The requirements are not installed: run `make install` first, then use `.venv/bin/chalice`.")
    sys.exit(f"Stage {stage} is not set up: run `.venv/bin/python -m infra up --add-stage --stage {stage}` first.")


def _stage(arguments: Sequence[str]) -> str:
    for index, each in enumerate(arguments):
        if each == "--stage" and index + 1 < len(arguments):
            return arguments[index + 1]
        if each.startswith("--stage="):
            return each.removeprefix("--stage=")
    return _DEFAULT_STAGE


def _is_set_up(stage: str, project: Path) -> bool:
    """True if `infra up` has written the settings and the policy of this stage."""
    folder = project / ".chalice"
    entry = json.loads((folder / "config.json").read_text())["stages"].get(stage, {})
    return "environment_variables" in entry and (folder / f"policy-{stage}.json").exists()
