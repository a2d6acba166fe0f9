"""The AWS emulator of this machine: MiniStack on a free port of loopback, its state on disk at every moment.

`python -m infra.emulator.process DIRECTORY` prints its endpoint when it is ready and runs until SIGTERM, or until its
stdin ends, which happens when whoever started it dies. Start it with `infra.emulator.launcher`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
IN_USE = 3  # the exit status when another emulator holds the directory


def main(directory: Path) -> None:
    """Serve the state in this directory; exit status 3 when another process does already."""
    directory.mkdir(parents=True, exist_ok=True)
    lock = _lock_or_exit(directory)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listener.getsockname()[1]
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(_settings(directory, port) | CREDENTIALS)  # presigned requests are checked against them
    # Ctrl-C reaches the whole process group; who started this process decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(directory, listener, f"http://127.0.0.1:{port}"))
    lock.close()


def _lock_or_exit(directory: Path) -> TextIO:
    lock = (directory / "emulator.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(IN_USE)
    return lock


def _settings(directory: Path, port: int) -> dict[str, str]:
    """What MiniStack reads when it is imported: where its state is, and only what DearDiary uses."""
    return {
        "GATEWAY_PORT": str(port),
        "SERVICES": "cloudwatch,dynamodb,logs,s3,ssm,sts",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "objects"),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",  # no socket there: MiniStack leaves Docker alone
        "LOG_LEVEL": "WARNING",
    }


async def _serve(directory: Path, listener: socket.socket, endpoint: str) -> None:
    # MiniStack reads its settings on import.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from infra.emulator.guard import Gate
    from infra.emulator.persistence import Journal
    from infra.emulator.speedups import be_quick

    journal = Journal(directory / "items.sqlite")
    journal.restore()
    journal.listen()
    be_quick()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    gate: Any = Gate(on_ready=lambda: _announce(endpoint))
    await serve(gate, config, shutdown_trigger=_stop_event().wait)
    journal.close()


def _stop_event() -> asyncio.Event:
    """Set by SIGTERM, or by the end of stdin: the other end of that pipe dies with the process that holds it."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def watch_stdin() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch_stdin, daemon=True).start()
    return stop


def _announce(endpoint: str) -> None:
    """Tell the launcher where to go; what is printed from then on goes to the log."""
    print(endpoint, flush=True)
    os.dup2(2, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
