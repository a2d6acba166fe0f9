"""``deardiary mcp``: serve language-model agents over stdin and stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.cli.command import Call, verb

if TYPE_CHECKING:
    from deardiary.cli.command import Subparsers


def add(commands: Subparsers) -> None:
    import mcp.server.mcpserver  # noqa: F401 - ImportError without the extra, which the caller reports

    parser = verb(commands, "mcp", "serve language-model agents over stdin and stdout (MCP)", serve)
    parser.add_argument(
        "--allow-writes", action="store_true", help="add tools for notes, tags and stopping a run (default: read only)"
    )


def serve(call: Call) -> None:
    from deardiary import HttpTransport, RetryingTransport, connect
    from deardiary_exchange.agents.read_only import ReadOnly
    from deardiary_exchange.agents.server import build

    writes: bool = call.given.allow_writes
    client = call.client if writes else connect(call.given.url, transport=ReadOnly(RetryingTransport(HttpTransport())))
    build(client, writes=writes).run("stdio")
