"""Move a stage's artifact bytes to another store, with the server's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.failure import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator


def migrate_artifacts(to: str) -> Iterator[str]:
    """Move all bytes; yield one line per step. InfraError at the end if some could not be moved.

    Import `chalicelib` only here, after the stage's settings are in the environment.
    """
    from chalicelib import config
    from chalicelib.services.blobs.migration import Report, migrate

    if to == "filesystem" and config.settings().artifact_root is None:
        raise InfraError("DEARDIARY_ARTIFACT_FS_ROOT is not set; it names the target folder")
    report = Report()
    yield from migrate(to, report)
    yield (
        f"moved to {to}: {report.moved} blobs of {report.moved_bytes} bytes, {report.rows} rows changed; "
        f"{report.pending} not complete yet, {report.failed} could not be moved"
    )
    if report.failed:
        raise InfraError(f"{report.failed} could not be moved, and are unchanged")
