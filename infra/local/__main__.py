"""`python -m infra.local run` (make run) and `python -m infra.local demo` (make demo)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.failure import InfraError
from infra.local.demo import log_demo
from infra.local.launcher import REPOSITORY, running_emulator
from infra.local.server import HOST, serving
from infra.stage import locate
from infra.up import bring_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalice.app import Chalice

    from infra.local.launcher import Emulator

STATE = REPOSITORY / ".deardiary"
ADDRESS = STATE / "server.json"
UPKEEP_SECONDS = 30.0


def main(command: str) -> int:
    """0 when it ended as asked, by Ctrl-C or SIGTERM too; 1 with the reason on stderr."""
    # Both, for a shell starts a background job with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        {"run": run, "demo": demo}[command]()
    except InfraError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; everything logged is kept in .deardiary/")
    return 0


def run() -> None:
    """Start everything, log the example, serve until interrupted."""
    url = _url_of_running_server()
    if url:
        raise InfraError(f"DearDiary runs already, at {url}; `make demo` logs into it")
    _forget_the_cloud()
    with running_emulator(STATE) as emulator:
        app = _app_on(emulator)
        threading.Thread(target=_upkeep, daemon=True).start()
        with serving(app) as url, _recorded_address(url, emulator.endpoint_url):
            print(f"DearDiary serves at {url}", flush=True)
            _log_demo_or_say_why_not(url)
            print(f"\nServing at {url} until Ctrl-C", flush=True)
            emulator.process.wait()
            raise InfraError(f"The emulator ended; see {STATE / 'emulator.log'}")


def demo() -> None:
    """Log the example once more into the server that `run` serves."""
    url = _url_of_running_server()
    if not url:
        raise InfraError("No server runs here; start one with `make run`")
    try:
        log_demo(url)
    except subprocess.CalledProcessError as error:
        raise InfraError(str(error)) from None


def _app_on(emulator: Emulator) -> Chalice:
    """The app on a stage that has all it needs. The environment is set before the server's code is imported."""
    os.environ.update(emulator.environment())
    stage, clients = locate("local")
    os.environ.update(stage.settings(), DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN=HOST)
    for line in bring_up(stage, clients, cors_origins=(), username="admin", password=None):
        print(line, flush=True)
    from app import app

    return app


def _upkeep() -> None:
    """What a schedule does in the cloud."""
    from chalicelib.services import deletion

    while True:
        deletion.resume_deletions(UPKEEP_SECONDS)
        time.sleep(UPKEEP_SECONDS)


def _forget_the_cloud() -> None:
    """What the user's shell says of AWS and of other servers must not reach this one."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "DEARDIARY_")):
            del os.environ[name]


def _log_demo_or_say_why_not(url: str) -> None:
    try:
        log_demo(url)
    except subprocess.CalledProcessError as error:
        print(f"The example did not run to its end: {error}", file=sys.stderr)


@contextlib.contextmanager
def _recorded_address(url: str, endpoint_url: str) -> Iterator[None]:
    """Where to find this server, for `make demo` and other programs of this machine."""
    ADDRESS.write_text(json.dumps({"url": url, "aws_endpoint_url": endpoint_url, "pid": os.getpid()}))
    try:
        yield
    finally:
        ADDRESS.unlink(missing_ok=True)


def _url_of_running_server() -> str | None:
    """The recorded address, if something answers there: a killed server leaves its address behind."""
    try:
        url: str = json.loads(ADDRESS.read_text())["url"]
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        connection.request("GET", "/health")
        alive = connection.getresponse().status == http.HTTPStatus.OK
        connection.close()
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    return url if alive else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
