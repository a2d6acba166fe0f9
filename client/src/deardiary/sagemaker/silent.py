"""What a process that shall not log is given instead of an iteration."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deardiary.spool.run import Origin, Run
from deardiary.tracking import outcome
from deardiary.tracking.finish_hooks import Endings
from deardiary.tracking.iteration import ActiveIteration
from deardiary.wire.shapes import IterationStatus, ModelVersion, Resource, Stage

if TYPE_CHECKING:
    from types import TracebackType

    from deardiary.client import Client


class SilentIteration(ActiveIteration):
    """Takes every call of an iteration and keeps nothing; ``id`` is empty. What it must answer has no id either."""

    def __init__(self) -> None:
        self.endings = Endings()

    @property
    def id(self) -> str:
        return ""

    @property
    def url(self) -> str | None:
        return None

    @property
    def folder(self) -> Path | None:
        return None

    @property
    def experiment_id(self) -> str:
        return ""

    @property
    def client(self) -> Client:
        raise RuntimeError("This process does not log (its rank is not 0): it has no connection")

    @property
    def run(self) -> Run:
        raise RuntimeError("This process does not log (its rank is not 0): nothing of it is kept")

    @property
    def is_offline(self) -> bool:
        return True

    @property
    def origin(self) -> Origin:
        return Origin()

    def log(self, *given: Any, **named: Any) -> None:
        """Nothing."""

    log_parameters = add_tag = add_tags = set_snapshot = before_fork = after_fork = log

    def is_left_open(self, *given: Any) -> bool:  # noqa: ARG002
        return False

    def log_resource(
        self,
        path: Any,
        name: str | None = None,
        description: str = "",
        *,
        wait: bool = True,  # noqa: ARG002
    ) -> Resource:
        return Resource(
            id="",
            experiment_id="",
            name=name or Path(path).name,
            description=description,
            created_date=datetime.now(timezone.utc),
            backend="",
            uri="",
            size_bytes=0,
            content_hash="",
            state="pending",
        )

    def register_model(self, name: str, resource: Any, description: str = "") -> ModelVersion:  # noqa: ARG002
        return ModelVersion(
            id="",
            model_id="",
            version=0,
            iteration_id="",
            stage_id=Stage.NO_STAGE,
            description=description,
            created_date=datetime.now(timezone.utc),
        )

    def snapshot_environment(self, *given: Any, **named: Any) -> Any:  # noqa: ARG002
        from deardiary.environment.capture import Environment

        return Environment(python_version="", problems=("this process does not log",))

    def watch_system(self, seconds: float = 15.0) -> Any:  # noqa: ARG002
        return _Nothing()

    def capture_output(self, name: str = "output.log") -> Any:  # noqa: ARG002
        return _Nothing()

    def child(self, **options: Any) -> ActiveIteration:  # noqa: ARG002
        return SilentIteration()

    def flush(self, seconds: float | None = None) -> bool:  # noqa: ARG002
        return True

    def finish(
        self,
        status: IterationStatus = IterationStatus.SUCCEEDED,
        error_message: str = "",
        *,
        seconds: float | None = None,  # noqa: ARG002
    ) -> None:
        self.endings.run(status, error_message)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.finish(outcome.status_of(error), outcome.message_of(error))


class _Nothing(contextlib.nullcontext[None]):
    """What can be stopped and has never begun."""

    def stop(self) -> None:
        """Nothing."""
