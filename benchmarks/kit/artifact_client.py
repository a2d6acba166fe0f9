"""A client that stores a file, stores it again and downloads it.

`python -m benchmarks.kit.artifact_client URL FILE TARGET` prints one JSON object: seconds, the bytes that it sent the
second time, and its memory peak in MB.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import deardiary
from benchmarks.kit.slow_network import take_detours
from deardiary.http.transport import Request, Response, Transport

T = TypeVar("T")


class Counting:
    """A transport that counts the bytes that go to stores, and the calls of the API."""

    def __init__(self, inner: Transport, url: str) -> None:
        self._inner, self._url = inner, url
        self._lock = threading.Lock()
        self.sent_bytes = self.api_calls = 0

    def send(self, request: Request) -> Response:
        with self._lock:
            if request.url.startswith(self._url):
                self.api_calls += 1
            elif request.method == "PUT":
                self.sent_bytes += request.size_bytes
        return self._inner.send(request)

    def close(self) -> None:
        self._inner.close()


def main(url: str, file: Path, target: Path) -> None:
    take_detours()
    counting = Counting(deardiary.RetryingTransport(deardiary.HttpTransport()), url)
    client = deardiary.connect(url, transport=counting)
    experiment = client.experiments.create(client.projects.create("artifacts").id, "artifacts")
    stored, upload_s = timed(lambda: client.resources.upload(experiment.id, file))
    first_bytes = counting.sent_bytes
    _, second_upload_s = timed(lambda: client.resources.upload(experiment.id, file, "again"))
    _, download_s = timed(lambda: client.resources.download(stored.id, target))
    figures = {
        "upload_s": upload_s,
        "first_upload_bytes": first_bytes,
        "second_upload_s": second_upload_s,
        "second_upload_bytes": counting.sent_bytes - first_bytes,
        "download_s": download_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }
    client.projects.delete(experiment.project_id, purge=True)
    print(json.dumps(figures))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    begin = time.monotonic()
    return work(), time.monotonic() - begin


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
