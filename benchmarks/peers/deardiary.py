"""Our client, to a server. The spool of the killed process is sent before the count."""

from __future__ import annotations

from pathlib import Path

import deardiary
from benchmarks.kit.pace import Log, main


def begin(folder: Path) -> Log:
    iteration = deardiary.start("benchmark", folder.name)
    (folder / "id").write_text(iteration.id)
    return iteration.log


def count(folder: Path) -> int:
    deardiary.sync(tell=lambda _: None)
    with deardiary.connect() as client:
        summaries = client.metrics.summary((folder / "id").read_text())
    return sum(each.count for each in summaries.values())


if __name__ == "__main__":
    main(begin, count)
