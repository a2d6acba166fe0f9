"""An upload by a process that is killed, over real HTTP, with parts of the real size."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import deardiary
from deardiary.wire import limits, parts
from infra.local.server import serving
from tests.support.emulator import Emulator
from tests.support.server import Server, server_on_emulator

REPOSITORY = Path(__file__).parents[2]
SIZE = parts.CUTS["s3"].alone + limits.MIB
PART = parts.CUTS["s3"].part
# Four parts are on their way at a time: when it dies in the fifth, another has arrived.
UPLOADER = """
import os, signal, sys
import deardiary

def die(done, total):
    if done > 64 * 1024 * 1024:
        os.kill(os.getpid(), signal.SIGKILL)

client = deardiary.connect()
client.resources.upload(sys.argv[1], sys.argv[2], progress=die)
"""


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment()) as running:
        yield running


def test_an_upload_whose_process_was_killed_goes_on(server: Server, tmp_path: Path) -> None:
    from app import app

    file = tmp_path / "model.bin"
    file.write_bytes(random.Random(3).randbytes(SIZE))  # noqa: S311
    client = server.client()
    experiment = client.experiments.create(client.projects.create("killed").id, "killed")
    with serving(app, 0) as url:
        environment = os.environ | {"DEARDIARY_URL": url, "DEARDIARY_TOKEN": server.token()}
        command = [sys.executable, "-c", UPLOADER, experiment.id, str(file)]
        died = subprocess.run(command, cwd=REPOSITORY / "client" / "src", env=environment, check=False)  # noqa: S603
        assert died.returncode == -9
        (begun,) = client.resources.list(experiment.id)
        assert begun.state == "pending"
        sent: list[int] = []
        over = deardiary.connect(url, token=server.token())
        stored = over.resources.upload(experiment.id, file, progress=lambda done, _total: sent.append(done))
        over.disconnect()
    assert (stored.id, stored.state) == (begun.id, "ready")
    assert sent[0] >= PART, "what had arrived counts at once"
    assert sent[-1] == SIZE
    assert client.resources.download(stored.id, tmp_path / "copy").read_bytes() == file.read_bytes()
