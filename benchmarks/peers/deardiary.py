"""Our client, to a server. The spool of the killed process is sent before the count."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import deardiary
from benchmarks.kit.pace import KEYS, Log, main

_WORK = 20_000  # additions in a step: about a millisecond


def begin(folder: Path) -> Log:
    iteration = deardiary.start("benchmark", folder.name)
    (folder / "id").write_text(iteration.id)
    return iteration.log


def count(folder: Path) -> int:
    deardiary.sync(tell=lambda _: None)
    with deardiary.connect() as client:
        summaries = client.metrics.summary((folder / "id").read_text())
    return sum(summaries[key].count for key in KEYS if key in summaries)  # the load of the machine is not ours to count


def train(folder: Path, steps: int) -> None:
    """Print the milliseconds of the first `start` of this process, and of a training after it."""
    start = deardiary.start  # imported now, as `client_import` measures
    begun = time.perf_counter()
    iteration = start("benchmark", folder.name)
    started = time.perf_counter()
    for step in range(steps):
        iteration.log({"loss": float(sum(range(_WORK)))}, step)
    trained = time.perf_counter()
    iteration.finish()
    print(json.dumps({"start_ms": (started - begun) * 1e3, "train_ms": (trained - started) * 1e3}))


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(begin, count)
