"""The line that tells the user where an iteration is."""

import contextlib
import sys

from deardiary import settings, terminal
from deardiary.tracking.console import uncaptured
from deardiary.tracking.iteration import ActiveIteration


def announce(active: ActiveIteration) -> None:
    """Print one line to stderr, as stdout belongs to the program; ignore a stream that cannot be written."""
    stream = sys.stderr
    if settings.is_quiet() or stream is None:
        return
    names = "/".join(name for name in (active.ref.project, active.ref.experiment) if name)
    parts = [names] if names else []
    if active.url:
        parts.append(f"{active.name} at {active.url}")
    else:
        called = f"{active.name}, " if active.name else ""
        parts.append(f"{called}offline, waits for `deardiary sync` in {active.folder}")
    with contextlib.suppress(OSError, ValueError):
        # A resumed iteration has its names from the server, where other users chose them.
        line = terminal.one_line(" ".join(["deardiary:", *parts]))
        uncaptured(stream)(f"{terminal.wrapped(line, stream)}\n")
        stream.flush()
