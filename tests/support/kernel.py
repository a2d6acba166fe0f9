"""A Jupyter kernel that a test runs cells in, interrupts, restarts and shuts down."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from textwrap import indent
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60


class Kernel:
    """All results come with the reply to the cell: output comes on a channel of its own, and may come late."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._client = self._connect()

    def run(self, cell: str) -> None:
        """Run a cell that is expected to succeed."""
        self.evaluate(cell, "None")

    def evaluate(self, cell: str, expression: str) -> Any:
        """Run a cell that is expected to succeed. Return the value of the expression after it, a literal."""
        reply = self._reply(cell, value=expression)
        assert reply["status"] == "ok", f"{cell}: {reply}"
        return ast.literal_eval(reply["user_expressions"]["value"]["data"]["text/plain"])

    def fail(self, cell: str) -> str:
        """Run a cell that is expected to raise. Return the name of the exception's class."""
        reply = self._reply(cell)
        assert reply["status"] == "error", f"{cell} raised nothing: {reply}"
        return str(reply["ename"])

    def stderr(self, cell: str) -> str:
        """Run a cell that is expected to succeed. Return what it wrote to stderr."""
        begin = "import contextlib, io\nwith contextlib.redirect_stderr(io.StringIO()) as _stderr:"
        block = f"{begin}\n{indent(cell, ' ')}"
        return str(self.evaluate(block, "_stderr.getvalue()"))

    def interrupt(self, cell: str) -> None:
        """Run a cell that prints "ready", interrupt it then, and wait for its end."""
        sent = self._client.execute(cell, stop_on_error=False)
        while self._client.get_iopub_msg(timeout=SECONDS)["content"].get("text", "").strip() != "ready":
            pass
        self._manager.interrupt_kernel()
        # A slow kernel may also have answered several questions of `wait_for_ready` by now.
        while (reply := self._client.get_shell_msg(timeout=SECONDS))["parent_header"].get("msg_id") != sent:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"

    def restart(self) -> None:
        """Restart it as the menu of a notebook does: ask for a shutdown, then start a new process."""
        self.disconnect()
        self._manager.restart_kernel(now=False)
        self._client = self._connect()

    def disconnect(self) -> None:
        self._client.stop_channels()

    def _reply(self, cell: str, **expressions: str) -> dict[str, Any]:
        """Run a cell. With `stop_on_error` the kernel may abort the next cell, even one sent after the reply."""
        reply = self._client.execute_interactive(
            cell,
            timeout=SECONDS,
            user_expressions=expressions,
            stop_on_error=False,
            output_hook=lambda _message: None,
        )
        content: dict[str, Any] = reply["content"]
        return content

    def _connect(self) -> Any:
        client = self._manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=SECONDS)
        return client


@contextmanager
def kernel() -> Iterator[Kernel]:
    """A kernel with the environment of this process."""
    manager = KernelManager(kernel_name="python3")
    manager.shutdown_wait_time = SECONDS
    manager.start_kernel()
    try:
        running = Kernel(manager)
        yield running
        running.disconnect()
    finally:
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
