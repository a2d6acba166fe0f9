"""Write the reason of a job's failure for SageMaker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from deardiary.tracking import outcome
from deardiary.wire.shapes import IterationStatus


@contextlib.contextmanager
def explaining(file: Path) -> Iterator[None]:
    """Explain an exception that leaves the block; it propagates unchanged."""
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):
            explain(file, outcome.status_of(error), outcome.message_of(error))
        raise


def explain(file: Path, status: IterationStatus, error_message: str) -> None:
    """Write the reason of a failure to the file whose first 1,024 characters SageMaker shows, if it is empty.

    The last line of a traceback comes first: it names the error.
    """
    if status != IterationStatus.FAILED or not error_message.strip() or (file.exists() and file.stat().st_size):
        return
    last = error_message.strip().splitlines()[-1]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{last}\n\n{error_message}", "utf-8", "replace")
