"""Test code that logs, without a server, a network or the user's spool.

`recording` redirects the client to a `MemoryServer`, which keeps what the code logs for the test's assertions.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from deardiary import client
from deardiary.testing.server import URL, MemoryServer, Recorded

__all__ = ["MemoryServer", "Recorded", "recording"]


@contextlib.contextmanager
def recording() -> Iterator[MemoryServer]:
    """Send what the block logs to memory. In the block no setting, login or proxy of the machine counts.

    The client's files are in a temporary folder, which is removed at the end of the block.
    """
    server = MemoryServer()
    with (
        tempfile.TemporaryDirectory(prefix="deardiary-test-") as folder,
        _settings_of_test(folder),
        patch.object(client, "_transport", lambda _timeout: server),
    ):
        yield server


def _settings_of_test(folder: str) -> AbstractContextManager[Any]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEARDIARY_")}
    names = ("PROJECT", "EXPERIMENT", "FINISH_SECONDS")
    chosen = {f"DEARDIARY_{name}": os.environ.get(f"DEARDIARY_{name}", "") for name in names}
    ours = {
        "DEARDIARY_CAPTURE": "output",
        "DEARDIARY_URL": URL,
        "DEARDIARY_DIR": folder,
        "DEARDIARY_QUIET": "1",
        "XDG_CONFIG_HOME": folder,
    }
    return patch.dict(os.environ, {**kept, **chosen, **ours}, clear=True)
