"""Log runs with an unmodified GoodSeed below GOODSEED_HOME, for `deardiary import goodseed`."""

from __future__ import annotations

import os

import goodseed

QUIET = {"capture_hardware_metrics": False, "capture_stderr": False, "storage": "local", "git_ref": False}


def main() -> None:
    run = goodseed.Run(
        project="team/digits",
        run_id="first",
        name="first",
        description="a first try",
        tags=["baseline", "lr=0.1"],
        created_at="2023-11-14T22:13:20+00:00",
        **QUIET,
    )
    run.log_configs({"rate": 0.1, "layers": 3, "on": True, "nothing": None, "model/depth": "deep"})
    for step in (0, 1, 2, 5):
        run.log_metrics({"loss": 1.5 / (step + 1)}, step=step)
    run.log_metrics({"half": 1.0}, step=0.5)
    run.log_metrics({"below": 2.0}, step=-3)
    run.log_metrics({"odd": float("inf")}, step=1)  # NaN is refused
    run.log_strings({"notes": "seven"}, step=0)
    run["stages"].log("warm", step=1)
    print("a line of output")
    run.close()
    other = goodseed.Run(project="team/digits", run_id="failed", **QUIET)
    other.log_metrics({"loss": 9.0}, step=0)
    other.close(status="failed")
    lost = goodseed.Run(project="team/digits", run_id="lost", **QUIET)
    lost.log_metrics({"loss": 9.0}, step=0)
    print("{}", flush=True)
    os._exit(0)  # as a process that is killed


main()
