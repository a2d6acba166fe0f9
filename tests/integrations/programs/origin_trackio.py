"""Log runs with an unmodified Trackio into TRACKIO_DIR, for `deardiary import trackio`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import trackio

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da6364f8cf500f000386018059b17cc10000000049454e44ae426082"
)


def first() -> None:
    run = trackio.init(
        project="digits",
        name="first",
        group="sweep",
        config={"rate": 0.1, "model": {"depth": 3}},
        embed=False,
        auto_log_gpu=False,
    )
    for step in (0, 1, 2, 5):
        trackio.log({"loss": 1.5 / (step + 1), "eval": {"accuracy": step / 10}}, step=step)
    trackio.log({"odd": math.nan, "big": 2**53 + 1}, step=-3)
    trackio.log({"odd": math.inf, "word": "seven", "flag": True}, step=6)
    trackio.log({"odd": -math.inf}, step=7)
    Path("image.png").write_bytes(PNG)
    trackio.log({"samples": trackio.Image("image.png", caption="a digit")}, step=8)
    trackio.log({"errors": trackio.Table(columns=["image", "seen"], data=[["7.png", 1], ["1.png", 7]])}, step=9)
    trackio.log({"hist": trackio.Histogram([1, 2, 2, 3, 3, 3], num_bins=3)}, step=10)
    trackio.log_system({"memory": 12.5})
    trackio.alert("slow", "the loader waits")
    Path("weights.bin").write_bytes(bytes(range(256)))
    for version in range(2):
        artifact = trackio.Artifact("digits-model", "model", description="weights", metadata={"version": version})
        artifact.add_file("weights.bin")
        Path("more.txt").write_text(f"version {version}\n")
        artifact.add_file("more.txt", "docs/more.txt")
        run.log_artifact(artifact, aliases=["best"])
    trackio.finish()


def second() -> None:
    trackio.init(project="digits", name="second", group="sweep", embed=False, auto_log_gpu=False)
    trackio.log({"loss": 0.5})
    trackio.log({"loss": 0.25})
    trackio.use_artifact("digits-model:v0")
    trackio.finish()
    trackio.init(project="letters", embed=False, auto_log_gpu=False)
    trackio.log({"loss": 7})
    trackio.finish()
    print(json.dumps({}))


first()
second()
