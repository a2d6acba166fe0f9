"""Moving a stage's artifact bytes to another store, by the server's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.failure import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator


def migrate_artifacts(to: str) -> Iterator[str]:
    """Move everything there, one line for each thing done. InfraError at the end when something could not be moved.

    `chalicelib` is imported only here, when the stage's settings are in the environment.
    """
    from chalicelib import config
    from chalicelib.services.blobs.migration import Report, migrate

    if to == "filesystem" and config.settings().artifact_root is None:
        raise InfraError("DEARDIARY_ARTIFACT_FS_ROOT is not set: where is the disk?")
    report = Report()
    yield from migrate(to, report)
    yield (
        f"moved to {to}: {report.moved} blobs of {report.moved_bytes} bytes, {report.rows} rows changed; "
        f"{report.pending} not complete yet, {report.failed} could not be moved"
    )
    if report.failed:
        raise InfraError(f"{report.failed} could not be moved; they are where they were")
