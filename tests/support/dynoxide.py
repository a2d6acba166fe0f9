"""A second implementation of DynamoDB for the tests: dynoxide, a binary on SQLite that npm installs.

The server was written against the first emulator, so their shared errors stay hidden; a second one shows them. S3 and
the parameter store stay those of the first emulator: a gateway sends each request to the right one.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

PACKAGE, VERSION = "@dynoxide/linux-x64", "1.2.1"
_PER_HOP = {"connection", "expect", "keep-alive", "transfer-encoding"}
_START_SECONDS = 60
# dynoxide has no backups; tell `bring_up` that they are on.
_BACKUPS_ON = {
    "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
    }
}


class NotInstallable(Exception):
    """This machine cannot install the binary; the message has the reason."""


def installed_binary() -> Path:
    """The path of the binary; npm installs it into the user's cache at the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deardiary" / f"dynoxide-{VERSION}"
    binary = cache / "node_modules" / PACKAGE / "dynoxide"
    cache.mkdir(parents=True, exist_ok=True)
    # Of several test workers at once, one installs.
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _install(cache)
    if not binary.exists():
        raise NotInstallable(f"npm has installed no {binary}")
    return binary


def _install(cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstallable("npm is not on the PATH")
    options = ["--prefix", str(cache), "--no-save", "--silent", "--fetch-retries=0"]
    command = [npm, "install", *options, f"{PACKAGE}@{VERSION}"]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip()[-300:]
        raise NotInstallable(f"npm cannot install {PACKAGE}@{VERSION} here: {said or error}") from None
    except subprocess.TimeoutExpired:
        raise NotInstallable(f"npm did not install {PACKAGE}@{VERSION} in time") from None


@contextmanager
def with_dynoxide(binary: Path, emulator_url: str) -> Iterator[str]:
    """Yield an endpoint for all services: DynamoDB is dynoxide, empty and in memory; the rest is the emulator."""
    port = _free_port()
    process = subprocess.Popen([binary, "serve", "--port", str(port)], stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(port, process)
        with _gateway(f"127.0.0.1:{port}", urlsplit(emulator_url).netloc) as url:
            yield url
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _gateway(dynamodb: str, others: str) -> Iterator[str]:
    handler = type("Handler", (_Gateway,), {"dynamodb": dynamodb, "others": others})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Gateway(BaseHTTPRequestHandler):
    """One connection of a client, with its own connection to each service."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    dynamodb = others = ""

    def setup(self) -> None:
        super().setup()
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def finish(self) -> None:
        for connection in self._connections.values():
            connection.close()
        super().finish()

    def _pass_on(self) -> None:
        target = self.headers.get("X-Amz-Target", "")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if target.endswith(".DescribeContinuousBackups"):
            self._answer(200, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(_BACKUPS_ON).encode())
            return
        answer = self._ask(self.dynamodb if target.startswith("DynamoDB_") else self.others, body)
        self._answer(answer.status, answer.getheaders(), answer.read())

    def _ask(self, service: str, body: bytes) -> http.client.HTTPResponse:
        """Forward a request. Keep the gateway's host, which the signature includes."""
        connection = self._connections.setdefault(service, http.client.HTTPConnection(service, timeout=30))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _PER_HOP}
        connection.request(self.command, self.path, body or None, headers)
        return connection.getresponse()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        # The answer to HEAD has the length of a GET's body.
        length = dict(headers).get("Content-Length") if self.command == "HEAD" else None
        for name, value in headers:
            if name.lower() not in {*_PER_HOP, "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"dynoxide did not start (exit status {process.poll()})")
