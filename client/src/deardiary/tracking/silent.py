"""The parts of a silent iteration: they accept every call and store nothing."""

import contextlib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from deardiary.spool.run import Run
from deardiary.tracking.files import pending_resource, pending_version
from deardiary.wire.shapes import ModelVersion, Resource


class NullJournal:
    """Takes the place of a `Journal`. It has no iteration and no folder, and nothing to wait for."""

    iteration = None
    folder = None
    has_forked = False
    flush_seconds = 60.0

    @property
    def run(self) -> Run:
        raise RuntimeError("This process does not log: it has no run")

    def begin(self) -> None: ...

    def created(self) -> None: ...

    def points(self, texts: list[str], steps: Sequence[int | None], recorded_ms: int) -> None: ...

    def fields(
        self, parameters: Mapping[str, str], tags: Sequence[str], labels: Mapping[str, str | None] | None = None
    ) -> None: ...

    def output(self, printed: Sequence[Any], *, last: bool = False) -> bool:
        return True

    def operation(self, kind: str, arguments: Mapping[str, Any]) -> None: ...

    def acknowledge(self, command_id: str, step: int | None) -> None: ...

    def send_soon(self) -> None: ...

    def wait(self, seconds: float | None, away_seconds: float = 0.0) -> bool:
        return True

    def close(self, seconds: float, away_seconds: float = 0.0) -> None: ...

    def abandon(self) -> None: ...


class NullArtifacts:
    """Takes the place of `Artifacts`: answers as for a file that waits, whether the file exists or not."""

    def store(self, file: Path, name: str | None, description: str, *, wait: bool) -> Resource:
        return pending_resource("", "", name or file.name, description)

    def keep(self, content: bytes | Path, name: str, description: str) -> Resource:
        return pending_resource("", "", name, description)

    def register(self, name: str, resource: str | PathLike[str], description: str) -> ModelVersion:
        return pending_version("", description)


class NullCapture(contextlib.nullcontext[None]):
    """Takes the place of `SystemWatch` and `CapturedOutput`."""

    def stop(self) -> None: ...
