"""A slow network on loopback: 25 MB/s for each connection and direction, and 20 ms for each round trip.

`slow_network([port, …])` runs a proxy in a process of its own, with a port for each given one. A client that calls
`take_detours` then connects to the proxy's ports instead. It still names the real ones in its requests, so signatures
that cover the host stay valid.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

BYTES_PER_S = 25_000_000
ROUND_TRIP_S = 0.020
BLOCK = 64 * 1024
# Blocks on their way in one direction: more than the connection delivers in half a round trip.
ON_THE_WAY = 8
HOST = "127.0.0.1"
VARIABLE = "DEARDIARY_BENCHMARK_DETOURS"


@contextlib.contextmanager
def slow_network(ports: Sequence[int], log: Path) -> Iterator[dict[str, str]]:
    """Run the proxy; yield the environment variable that leads a client to it."""
    from benchmarks.kit.processes import REPOSITORY, ServerFailed, running

    command = [sys.executable, "-m", "benchmarks.kit.slow_network", *map(str, ports)]
    with running(command, log, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
        line = process.stdout.readline()
        if not line:
            raise ServerFailed(f"the slow network did not start; see {log}")
        yield {VARIABLE: line.strip()}


def take_detours() -> None:
    """Lead this process's connections to the ports that the environment names, if it names any."""
    detours: dict[str, int] = json.loads(os.environ.get(VARIABLE, "{}"))
    if not detours:
        return
    connect = socket.socket.connect

    def connect_by_detour(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] == HOST:
            address = (HOST, detours.get(str(address[1]), address[1]))
        connect(self, address)

    socket.socket.connect = connect_by_detour  # type: ignore[assignment]


async def serve(ports: Sequence[int]) -> None:
    """Print the proxy's port for each of these ports, and serve until stdin ends: the starter has died."""
    detours = {}
    for port in ports:
        server = await asyncio.start_server(_carrier_to(port), HOST, 0)
        detours[port] = server.sockets[0].getsockname()[1]
    print(json.dumps(detours), flush=True)
    await asyncio.to_thread(sys.stdin.read)


def _carrier_to(port: int) -> Any:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake of TCP, which loopback has done at once.
        await asyncio.sleep(ROUND_TRIP_S)
        far_reader, far_writer = await asyncio.open_connection(HOST, port, limit=BLOCK)
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))

    return carry


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction: each block arrives half a round trip later, and not before those ahead of it are through."""
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(ON_THE_WAY)
    delivery = asyncio.create_task(_deliver(queue, writer))
    clock = asyncio.get_running_loop().time
    block = b"?"
    while block:
        try:
            block = await reader.read(BLOCK)
        except OSError:
            block = b""
        await queue.put((clock() + ROUND_TRIP_S / 2, block))
    await delivery


async def _deliver(queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    clock = asyncio.get_running_loop().time
    free = 0.0
    while True:
        due, block = await queue.get()
        begin = max(due, free)
        free = begin + len(block) / BYTES_PER_S
        await asyncio.sleep(max(0.0, free - clock()))
        if not block:
            break
        with contextlib.suppress(OSError):
            writer.write(block)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve([int(each) for each in sys.argv[1:]]))
