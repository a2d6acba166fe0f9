"""Log runs with an unmodified Aim into AIM_REPOSITORY, for `deardiary import aim`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy
from aim import Audio, Distribution, Figure, Image, Run, Text

REPO = os.environ["AIM_REPOSITORY"]
SILENT = {"system_tracking_interval": None, "capture_terminal_logs": False, "log_system_params": False}


class Plot:
    """As a figure of Plotly, of which Aim stores the JSON."""

    def to_json(self) -> str:
        return json.dumps({"data": [{"y": [1, 2]}], "layout": {}})


Plot.__name__, Plot.__module__ = "Figure", "plotly.BaseFigure"  # as Aim knows it


def main() -> None:
    Path(REPO).mkdir()
    first = Run(repo=REPO, experiment="digits", **SILENT)
    first.name, first.description = "first", "a first try"
    first.add_tag("baseline")
    first["hparams"] = {"rate": 0.1, "layers": [3, 4], "on": True, "nothing": None, "model": {"depth": "deep"}}
    first["empty"] = {}
    for step in (0, 1, 2, 5):
        first.track(1.5 / (step + 1), name="loss", step=step, epoch=step // 2, context={"subset": "train"})
        first.track(2.5 / (step + 1), name="loss", step=step, context={"subset": "val"})
    first.track(7.0, name="plain")
    first.track(2**53 + 1, name="big", step=7)
    for step, value in enumerate((float("nan"), float("inf"), float("-inf"), 0.1 + 0.2)):
        first.track(value, name="odd", step=step, context={"fold": 3, "subset": "test"})
    first.track(2, name="below", step=-3)
    first.track(Text("seven"), name="notes", step=0)
    image = numpy.zeros((4, 4, 3), dtype=numpy.uint8)
    first.track([Image(image, caption="a digit"), Image(image)], name="samples", step=1, context={"subset": "val"})
    first.track(Audio(b"RIFF....WAVE", format="wav", caption="a sound"), name="sound", step=2)
    first.track(Distribution(hist=[1, 3], bin_range=(0.0, 1.0)), name="weights", step=2)
    first.track(Figure(Plot()), name="plot", step=2)
    first.track([1.0, 2.0], name="pair", step=2)
    first.log_warning("slow", seconds=3)
    Path("artifacts").mkdir()
    first.set_artifacts_uri(f"file://{Path('artifacts').absolute()}")
    Path("weights.bin").write_bytes(bytes(range(256)))
    first.log_artifact("weights.bin", name="model/weights.bin", block=True)
    first.close()

    second = Run(repo=REPO, system_tracking_interval=None, capture_terminal_logs=True, log_system_params=False)
    second.name = "second"
    # As with log_system_params, without the environment of this machine.
    second["__system_params"] = {
        "packages": {"aim": "3"},
        "env_variables": {"HOME": "/home/ada"},
        "git_info": {"commit": {"hash": "a" * 40}},
        "executable": "/usr/bin/python",
        "arguments": ["train.py", "--fast"],
    }
    second.track(12.5, name="__system__cpu")
    second.track(50.0, name="__system__gpu", context={"gpu": 0})
    print("a line of output\n\nanother one")
    second.close()

    archived = Run(repo=REPO, experiment="digits", **SILENT)
    archived.name, archived.archived = "archived", True
    archived.track(1.0, name="loss", step=0)
    archived.close()

    lost = Run(repo=REPO, experiment="digits", **SILENT)
    lost.name = "lost"
    for step in range(3):
        lost.track(9.0 - step, name="loss", step=step)
    os._exit(0)  # as a process that is killed


main()
