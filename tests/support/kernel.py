"""A Jupyter kernel that a test runs cells in, interrupts, restarts and shuts down."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60


class Kernel:
    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._client = self._connect()

    def run(self, cell: str) -> str:
        """Run a cell that is expected to go through; what it wrote to stdout."""
        error, output = self._run(cell)
        assert error is None, f"{cell}: {error}"
        return output["stdout"].strip()

    def evaluate(self, cell: str, expression: str) -> Any:
        """Run a cell that is expected to go through; the value of the expression after it.

        It comes with the reply to the cell; what a cell prints comes on a channel of its own, and may come late.
        """
        reply = self._client.execute_interactive(
            cell, timeout=SECONDS, user_expressions={"value": expression}, output_hook=lambda _message: None
        )["content"]
        assert reply["status"] == "ok", f"{cell}: {reply}"
        return ast.literal_eval(reply["user_expressions"]["value"]["data"]["text/plain"])

    def fail(self, cell: str) -> str:
        """Run a cell that is expected to raise; the name of the exception's class."""
        error, _ = self._run(cell)
        assert error is not None, f"{cell} raised nothing"
        return error

    def stderr(self, cell: str) -> str:
        """Run a cell that is expected to go through; what it wrote to stderr."""
        error, output = self._run(cell)
        assert error is None, f"{cell}: {error}"
        return output["stderr"]

    def interrupt(self, cell: str) -> None:
        """Run a cell that prints "ready", interrupt it then, and wait for it to end so."""
        sent = self._client.execute(cell)
        while self._next(sent).get("text", "").strip() != "ready":
            pass
        self._manager.interrupt_kernel()
        assert self._client.get_shell_msg(timeout=SECONDS)["content"]["ename"] == "KeyboardInterrupt"

    def restart(self) -> None:
        """Restart it as the menu of a notebook does: ask for a shutdown, then start a new process."""
        self.disconnect()
        self._manager.restart_kernel(now=False)
        self._client = self._connect()

    def disconnect(self) -> None:
        self._client.stop_channels()

    def _run(self, cell: str) -> tuple[str | None, dict[str, str]]:
        output = {"stdout": "", "stderr": ""}

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                output[message["content"]["name"]] += message["content"]["text"]

        reply = self._client.execute_interactive(cell, timeout=SECONDS, output_hook=keep)["content"]
        return reply.get("ename"), output

    def _next(self, sent: str) -> dict[str, Any]:
        message = self._client.get_iopub_msg(timeout=SECONDS)
        content: dict[str, Any] = message["content"]
        return content if message["parent_header"].get("msg_id") == sent else {}

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
