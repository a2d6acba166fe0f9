"""Log offline runs with an unmodified wandb into the working folder, for tests of `deardiary import wandb`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import wandb

SETTINGS = wandb.Settings(mode="offline", silent=True, x_disable_stats=True, username="ada", x_save_requirements=False)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da6364f8cf500f000386018059b17cc10000000049454e44ae426082"
)


def begin(name: str, **more: object) -> wandb.Run:
    return wandb.init(project="digits", name=name, dir=".", settings=SETTINGS, **more)


def main() -> None:
    run = begin(
        "first",
        group="sweep",
        job_type="train",
        tags=["baseline", "lr=0.1"],
        notes="a first try",
        config={"rate": 0.1, "model": {"depth": 3, "sizes": [3, 4]}, "none": None},
    )
    for step in (0, 1, 2, 5):
        run.log({"loss": 1.5 / (step + 1), "eval": {"accuracy": step / 10}}, step=step)
    run.log({"odd": math.nan, "big": 2**53 + 1}, step=6)
    run.log({"odd": math.inf, "word": "seven", "flag": True}, step=7)
    run.log({"odd": -math.inf, "hist": wandb.Histogram(np_histogram=([1, 2, 3], [0, 1, 2, 3]))}, step=8)
    Path("image.png").write_bytes(PNG)
    run.log(
        {
            "samples": wandb.Image("image.png", caption="a digit"),
            "errors": wandb.Table(columns=["image", "seen"], data=[["7.png", 1], ["1.png", 7]]),
        },
        step=9,
    )
    run.summary["best"] = 0.5
    run.config.update({"late": "x"})
    Path("weights.bin").write_bytes(bytes(range(256)))
    run.save("weights.bin")
    artifact = wandb.Artifact("digits-model", "model", description="weights", metadata={"a": 1})
    artifact.add_file("weights.bin", "weights.bin")
    run.log_artifact(artifact, aliases=["best"])
    print("a line of output")
    run.finish()
    run = begin("second", group="sweep", resume="allow", id="fixed-id")
    run.log({"loss": 0.1})
    run.log({"loss": 0.05})
    run.finish(exit_code=0)
    run = begin("second", resume="allow", id="fixed-id")  # the same run, a second time
    run.log({"loss": 0.025}, step=2)
    run.alert("slow", "the loader waits")
    run.finish(exit_code=3)
    print(json.dumps({}))


main()
