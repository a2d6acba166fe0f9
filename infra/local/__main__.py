"""`python -m infra.local run` (make run), `run --no-demo` (make serve), `demo` (make demo) and `serve DIRECTORY`."""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.emulator.launcher import REPOSITORY
from infra.failure import InfraError
from infra.local.demo import log_demo
from infra.local.server import FIRST_PORT
from infra.local.system import running_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.system import System

STATE = REPOSITORY / ".deardiary"
ADDRESS = STATE / "server.json"
DEMO_LOGGED = STATE / "demo-logged"


def main(*arguments: str) -> int:
    """0 when it ended as asked, by Ctrl-C or SIGTERM too; 1 with the reason on stderr; 2 for wrong arguments."""
    options = vars(_parser().parse_args(arguments))
    command: Callable[..., None] = options.pop("command")
    # Both, for a shell starts a background job with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        command(**options)
    except InfraError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if command is run:
            print("\nStopped; everything logged is kept in .deardiary/")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The whole system on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(function: Callable[..., None], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(function.__name__, help=text, description=text)
        command.set_defaults(command=function)
        return command

    add(run, "start emulator and server, log an example").add_argument(
        "--no-demo", dest="with_demo", action="store_false", help="log no example"
    )
    add(demo, "log the example into the running server")
    add(serve, "serve a directory on a free port, for programs").add_argument("directory")
    return parser


def run(*, with_demo: bool = True) -> None:
    """Start everything, log the example if the state holds none, serve until interrupted."""
    url = _url_of_running_server()
    if url:
        raise InfraError(f"DearDiary runs already, at {url}; `make demo` logs into it")
    with running_system(STATE, say=functools.partial(print, flush=True)) as system, _recorded_address(system):
        _print_address(system.url)
        if with_demo:
            _log_demo_once(system.url)
        print(f"\nServing at {system.url} until Ctrl-C", flush=True)
        system.emulator.process.wait()
        raise InfraError(f"The emulator ended; see {STATE / 'emulator.log'}")


def serve(directory: str) -> None:
    """Print the address as one line of JSON and serve until SIGTERM, or until stdin ends: its starter has died."""
    with running_system(Path(directory), first_port=0, say=lambda _line: None) as system:
        print(json.dumps(system.address()), flush=True)
        sys.stdin.read()


def demo() -> None:
    """Log the example once more into the server that `run` serves."""
    url = _url_of_running_server()
    if not url:
        raise InfraError("No server runs here; start one with `make run`")
    try:
        log_demo(url)
    except subprocess.CalledProcessError as error:
        raise InfraError(str(error)) from None


def _print_address(url: str) -> None:
    """The URL; and how to point the client at it, if that is not where the client looks by default."""
    print(f"DearDiary serves at {url}, also to browsers", flush=True)
    if urlsplit(url).port != FIRST_PORT:
        print(
            f"Another program uses port {FIRST_PORT}, where the client looks by default. In other terminals, run:\n"
            f"  export DEARDIARY_URL={url}",
            flush=True,
        )


def _log_demo_once(url: str) -> None:
    """Log the example into a new state. A failure is printed, and the next start tries again."""
    if DEMO_LOGGED.exists():
        print("The example was logged at an earlier start; `make demo` logs it once more", flush=True)
        return
    try:
        log_demo(url)
    except subprocess.CalledProcessError as error:
        print(f"The example did not run to its end: {error}", file=sys.stderr)
    else:
        DEMO_LOGGED.touch()


@contextlib.contextmanager
def _recorded_address(system: System) -> Iterator[None]:
    """Where to find this server, for `make demo` and other programs of this machine."""
    ADDRESS.write_text(json.dumps(system.address()))
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
    sys.exit(main(*sys.argv[1:]))
