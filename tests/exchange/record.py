"""Record small runs of other trackers, as the tests of `deardiary import` read them.

    python -m tests.exchange.record [NAME …]

Each program of tests/integrations/programs runs with the real tracker, in an environment of its own. What the tracker
writes becomes recorded/NAME.tar.xz. tests/integrations/test_origins.py runs the same programs again.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kit.environments import Environment, Peer, environment_of
from tests.integrations.environments import AIM, NEWEST, ORIGINS

RECORDED = Path(__file__).parent / "recorded"
PROGRAMS = Path(__file__).parents[1] / "integrations" / "programs"


@dataclass(frozen=True)
class Recording:
    """``location``: what is imported, below the folder in which the program runs."""

    program: str
    peer: Peer
    location: str
    variables: dict[str, str]


_MLFLOW = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
RECORDINGS = {
    "mlflow": Recording(
        "origin_mlflow", NEWEST, "mlflow.db", {**_MLFLOW, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    ),
    "mlruns": Recording("origin_mlflow", NEWEST, "mlruns", {**_MLFLOW, "MLFLOW_TRACKING_URI": "mlruns"}),
    "wandb": Recording("origin_wandb", ORIGINS, "wandb", {"WANDB_SILENT": "true", "WANDB_DATA_DIR": "data"}),
    "tensorboard": Recording("origin_tensorboard", ORIGINS, "runs", {}),
    "trackio": Recording("origin_trackio", ORIGINS, "store", {"TRACKIO_DIR": "store", "HF_HUB_OFFLINE": "1"}),
    "goodseed": Recording("origin_goodseed", ORIGINS, "home", {"GOODSEED_HOME": "home"}),
    "aim": Recording("origin_aim", AIM, "store", {"AIM_REPOSITORY": "store"}),
}


@dataclass(frozen=True, slots=True)
class _With(Environment):
    given: dict[str, str]

    def variables(self) -> dict[str, str]:
        return Environment.variables(self) | self.given


def log(recording: Recording, environment: Environment, folder: Path) -> Path:
    """Run the program in this folder. Return what is to be imported."""
    variables = {name: _below(folder, value) for name, value in recording.variables.items()}
    shutil.copy(PROGRAMS / f"{recording.program}.py", folder)  # some trackers record where the program is
    _With(environment.directory, variables).run("-W", "ignore", f"{recording.program}.py", cwd=folder)
    return folder / recording.location


def unpack(name: str, folder: Path) -> Path:
    """What was recorded of this name, below the folder."""
    with tarfile.open(RECORDED / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / RECORDINGS[name].location


def _below(folder: Path, value: str) -> str:
    """A folder as a path that is whole: some trackers change their working folder."""
    return str(folder / value) if value in ("store", "home", "data") else value


def _record(name: str) -> None:
    recording = RECORDINGS[name]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        log(recording, environment_of(recording.peer), folder)
        with tarfile.open(RECORDED / f"{name}.tar.xz", "w:xz", dereference=True) as archive:
            for path in sorted(folder.iterdir()):
                if path.name != "files":
                    archive.add(path, path.name, filter=_plain)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A file without its owner. Logs, locks and second paths of a tracker are left out."""
    name = Path(entry.name)
    # A database of RocksDB has its newest entries in a log with a number.
    is_data = name.name == "output.log" or name.stem.isdigit()
    is_log = (name.suffix in (".log", ".lock") and not is_data) or name.name == "LOG"
    if is_log or {"logs", "latest-run", "tmp", "__pycache__"} & {*name.parts} or name.suffix == ".py":
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    RECORDED.mkdir(exist_ok=True)
    for each in sys.argv[1:] or RECORDINGS:
        _record(each)
        print(each, (RECORDED / f"{each}.tar.xz").stat().st_size)
