"""Status and error message of an iteration, from the exception that ended its work."""

import traceback

from deardiary.wire import limits
from deardiary.wire.shapes import IterationStatus


def status_of(error: BaseException | None) -> IterationStatus:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return IterationStatus.SUCCEEDED
    if isinstance(error, KeyboardInterrupt):
        return IterationStatus.KILLED
    return IterationStatus.FAILED


def message_of(error: BaseException | None) -> str:
    """Return the traceback, cut to its last 64 KiB of UTF-8; empty for a success."""
    if error is None or status_of(error) == IterationStatus.SUCCEEDED:
        return ""
    return shortened("".join(traceback.format_exception(error)))


def shortened(text: str) -> str:
    """Return the last 64 KiB of the text in UTF-8. TypeError if it is not a str."""
    if not isinstance(text, str):
        raise TypeError(f"An error message is text, not {type(text).__name__}")
    return text.encode("utf-8", "replace")[-limits.MAX_TEXT_BYTES :].decode("utf-8", "ignore")
