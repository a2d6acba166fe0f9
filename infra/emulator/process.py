"""The AWS emulator of this machine: MiniStack on a free loopback port, with its state always on disk.

`python -m infra.emulator.process DIRECTORY` prints its endpoint when it is ready. It runs until SIGTERM, or until its
stdin ends, which happens when its parent process ends. `infra.emulator.launcher` starts it.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
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
IN_USE = 3  # the exit status if another emulator holds the directory


def main(directory: Path) -> None:
    """Serve the state in this directory. Exit status 3 if another process serves it already."""
    directory.mkdir(parents=True, exist_ok=True)
    lock = _lock_or_exit(directory)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listener.getsockname()[1]
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(_settings(directory, port) | CREDENTIALS)  # presigned requests are checked against them
    # Ctrl-C reaches the whole process group; the parent process decides when this one ends.
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
    """The settings that MiniStack reads on import: where its state is, and only the services that DearDiary uses."""
    return {
        "GATEWAY_PORT": str(port),
        "SERVICES": "cloudwatch,dynamodb,events,iam,logs,s3,sns,sqs,ssm,sts",
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

    from infra.emulator.frontdoor import install_front_door
    from infra.emulator.guard import Gate
    from infra.emulator.persistence import ItemStore
    from infra.emulator.speedups import install_speedups

    item_store = ItemStore(directory / "items.sqlite")
    item_store.restore()
    item_store.listen()
    install_speedups(item_store.database)
    install_front_door()
    expiry = asyncio.create_task(item_store.remove_expired_forever())
    # The modules stay, and the items of a large answer are no garbage: do not search them again and again.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    gate: Any = Gate(on_ready=lambda: _announce(endpoint))
    await serve(gate, config, shutdown_trigger=_stop_event().wait)
    expiry.cancel()
    item_store.close()


def _stop_event() -> asyncio.Event:
    """An event set by SIGTERM, or by the end of stdin: the other end of that pipe closes with the parent process."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def watch_stdin() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch_stdin, daemon=True).start()
    return stop


def _announce(endpoint: str) -> None:
    """Print the endpoint for the launcher. Later output goes to the log."""
    print(endpoint, flush=True)
    os.dup2(2, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
