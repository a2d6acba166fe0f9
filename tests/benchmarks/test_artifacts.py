"""The slow network of the benchmark of artifacts, without servers of ours."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from benchmarks.kit.slow_network import VARIABLE, slow_network

CLIENT = """
import http.client, sys
from benchmarks.kit.slow_network import take_detours
take_detours()
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range(2):
    connection.request("POST", "/", b"x" * 300_000)
    answer = connection.getresponse()
    print(answer.status, answer.read() == b"x" * 300_000, connection.sock.getpeername()[1])
"""


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hosts: list[str] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.hosts.append(str(self.headers["Host"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
        """Write no access log."""


def test_the_slow_network_carries_all_bytes_and_names_the_real_host(tmp_path: Path) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        with slow_network([port], tmp_path / "log") as network:
            detour = json.loads(network[VARIABLE])[str(port)]
            done = subprocess.run(  # noqa: S603 - the client above
                [sys.executable, "-c", CLIENT, str(port)],
                env=os.environ | network,
                capture_output=True,
                text=True,
                check=True,
            )
        server.shutdown()
    assert done.stdout.splitlines() == [f"200 True {detour}"] * 2
    assert Echo.hosts == [f"127.0.0.1:{port}"] * 2
