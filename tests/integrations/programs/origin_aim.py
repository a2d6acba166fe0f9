"""Log runs with an unmodified Aim into `.aim` in the working folder, for tests of `deardiary import aim`."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import aim
import numpy


def main() -> None:
    run = aim.Run(
        repo=".",
        experiment="sweep",
        system_tracking_interval=None,
        log_system_params=False,
        capture_terminal_logs=False,
    )
    run.name = "first"
    run.description = "a first try"
    run.add_tag("baseline")
    run.add_tag("lr=0.1")
    run["hparams"] = {"rate": 0.1, "model": {"depth": 3, "sizes": [3, 4]}, "none": None}
    for step in (0, 1, 2, 5):
        run.track(1.5 / (step + 1), name="loss", step=step, epoch=step // 2, context={"subset": "train"})
        run.track(2.5 / (step + 1), name="loss", step=step, context={"subset": "val"})
    for step, value in ((0, math.nan), (1, math.inf), (2, -math.inf)):
        run.track(value, name="odd", step=step)
    run.track(aim.Image(numpy.zeros((2, 2, 3), numpy.uint8), caption="a digit"), name="samples", step=7)
    run.track(aim.Text("seven"), name="words", step=7)
    run.track(aim.Distribution([1, 2, 2, 3], bin_count=3), name="weights", step=7)
    Path("weights.bin").write_bytes(bytes(range(256)))
    run.close()
    other = aim.Run(repo=".", system_tracking_interval=None, log_system_params=False, capture_terminal_logs=True)
    other.track(1.0, name="loss", step=-3)
    print("a line of output")
    other.report_successful_finish(block=True)
    other.close()
    cut = aim.Run(
        repo=".",
        experiment="sweep",
        system_tracking_interval=None,
        log_system_params=False,
        capture_terminal_logs=False,
    )
    cut.track(9.0, name="loss", step=0)
    cut.archived = True
    print(json.dumps({"first": run.hash, "other": other.hash, "cut": cut.hash}), flush=True)
    os._exit(0)


main()
