"""Text on a terminal, and questions to the user there."""

import logging
import sys
from typing import TextIO


def printable(text: str) -> str:
    """The text without control characters, escapes and bidirectional marks, which could control the terminal.

    Hostile files or servers may choose names, notes and messages. Line ends stay.
    """
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)


def clear() -> None:
    """Clear the terminal, if stdout is one, for a table that is shown again."""
    if sys.stdout.isatty():
        print("\033[2J\033[H", end="")


def one_line(text: str) -> str:
    """The text as from `printable`, without line ends: a name must not imitate a line of the client."""
    return printable(text.replace("\n", "?"))


def number(count: int, what: str) -> str:
    """The count with its noun: "1 point", "1,000 points"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def size(size_bytes: float) -> str:
    """Like "512 bytes", "1.5 MB"."""
    if size_bytes < 1000:
        return f"{size_bytes:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        size_bytes /= 1000
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
    return f"{size_bytes / 1000:.3g} TB"


def wrapped(text: str, stream: TextIO) -> str:
    """The text in lines of whole words on a terminal; URLs, paths and texts of several lines stay whole."""
    is_terminal = getattr(stream, "isatty", bool)  # a stream of the user's own may lack it
    if not is_terminal() or "\n" in text:
        return text
    # Imported here: most trainings need neither.
    import shutil
    import textwrap

    columns = shutil.get_terminal_size().columns
    return textwrap.fill(text, columns, break_long_words=False, break_on_hyphens=False)


def say(text: str, stream: TextIO | None = None) -> None:
    print(printable(text), file=stream)


def is_attended() -> bool:
    """True if stdin is a terminal, so that the client can ask the user."""
    return sys.stdin is not None and sys.stdin.isatty()


def agrees(question: str) -> bool:
    """Ask on stderr and read a line. True for "y" and "yes" only."""
    print(wrapped(f"{one_line(question)} [y/N]", sys.stderr), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class PrintableFormatter(logging.Formatter):
    """Format log records without control characters; line ends stay in tracebacks only.

    With a ``stream`` that is a terminal, a line is wrapped to its width.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that `logging` calls
        return one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        text = printable(super().format(record))
        return wrapped(text, self._stream) if self._stream else text
