"""A client that stores a folder of small files.

`python -m benchmarks.kit.folder_client URL FOLDER` prints one JSON object: seconds, and the calls of the API.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import deardiary
from benchmarks.kit.artifact_client import Counting, timed
from benchmarks.kit.slow_network import take_detours


def main(url: str, folder: Path) -> None:
    take_detours()
    counting = Counting(deardiary.RetryingTransport(deardiary.HttpTransport()), url)
    client = deardiary.connect(url, transport=counting)
    experiment = client.experiments.create(client.projects.create("artifacts").id, "artifacts")
    before = counting.api_calls
    stored, upload_s = timed(lambda: client.resources.upload_folder(experiment.id, folder))
    figures = {"upload_s": upload_s, "api_calls": counting.api_calls - before, "stored": len(stored)}
    client.projects.delete(experiment.project_id, purge=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
