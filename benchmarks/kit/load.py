"""Clients that send prepared requests to a server at the same time: one process each, with no other work.

`python -m benchmarks.kit.load URL FILE` is one client. It reads its requests (a JSON array of method, path and body on
each line), prints "ready", waits for a line on stdin and sends them one after the other. It then prints the times of
its start and end, by the clock that all processes of a machine share, and the duration of each request.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.kit.connection import RequestFailed, connected
from benchmarks.kit.processes import REPOSITORY, running


@dataclass(frozen=True, slots=True)
class Sending:
    """One request of a client."""

    path: str
    body: bytes | None = None
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Sent:
    """The result: seconds from the first client's start to the last one's end, and of each request."""

    seconds: float
    latencies: Sequence[float]


def send_all(url: str, clients: Sequence[Iterable[Sending]]) -> Sent:
    """Send each client's requests at the same time. RequestFailed if the status of an answer is not 2xx."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        processes = []
        for number, requests in enumerate(clients):
            file = _written(Path(directory) / f"{number}.jsonl", requests)
            processes.append(stack.enter_context(_client(url, file)))
        for process in processes:
            _line_of(process)
        for process in processes:
            assert process.stdin is not None  # noqa: S101 - for the type checker; it is a pipe
            process.stdin.write("go\n")
            process.stdin.flush()
        ends = [json.loads(_line_of(process)) for process in processes]
    begin, end = min(each["begin"] for each in ends), max(each["end"] for each in ends)
    return Sent(end - begin, [latency for each in ends for latency in each["latencies"]])


def main(url: str, file: Path) -> int:
    requests = [json.loads(line) for line in file.read_text().splitlines()]
    ready = [(method, path, None if body is None else body.encode()) for method, path, body in requests]
    print("ready", flush=True)
    sys.stdin.readline()
    marks = [time.monotonic()]
    try:
        with connected(url) as connection:
            for method, path, body in ready:
                connection.send(method, path, body)
                marks.append(time.monotonic())
    except (RequestFailed, OSError) as error:
        print(json.dumps({"failed": str(error)}), flush=True)
        return 1
    latencies = [after - before for before, after in pairwise(marks)]
    print(json.dumps({"begin": marks[0], "end": marks[-1], "latencies": latencies}), flush=True)
    return 0


def _client(url: str, file: Path) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.kit.load", url, str(file)]
    log = file.with_suffix(".log")
    return running(command, log, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _written(file: Path, requests: Iterable[Sending]) -> Path:
    with file.open("w") as lines:
        for each in requests:
            body = None if each.body is None else each.body.decode()
            lines.write(json.dumps([each.method, each.path, body]) + "\n")
    return file


def _line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
    line = process.stdout.readline()
    if not line or line.startswith('{"failed"'):
        raise RequestFailed(json.loads(line)["failed"] if line else "a client of the benchmark ended before its time")
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
