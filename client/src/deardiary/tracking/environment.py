"""The calls of an iteration about its process: environment, console output, load of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, cast

from deardiary.tracking.console import CapturedOutput
from deardiary.tracking.finish_hooks import FinishHooks
from deardiary.tracking.journal import Journal
from deardiary.tracking.silent import NullCapture
from deardiary.values import Number, as_snapshot

if TYPE_CHECKING:
    from deardiary.environment.capture import Environment
    from deardiary.tracking.system import SystemWatch


class EnvironmentLog:
    """Records the environment of a process, what it prints, and the load of its machine."""

    finish_hooks: FinishHooks
    _reopens: bool
    _is_silent: bool
    _is_halted: bool
    _has_snapshot = False  # the program has recorded one
    _captured: CapturedOutput | None = None

    @property
    def journal(self) -> Journal:
        raise NotImplementedError

    def log_sample(self, metrics: Mapping[str, Number]) -> None:
        raise NotImplementedError

    def _check_running(self) -> None:
        raise NotImplementedError

    def record_environment(self, environment: Environment) -> None:
        """Record a snapshot from a thread of the client, unless the iteration has one. RuntimeError after the end."""
        earlier = self.journal.created() if self._reopens else None
        if self._has_snapshot or (earlier is not None and earlier.python_version):
            return
        if self._is_halted:
            raise RuntimeError("The iteration takes nothing more")
        self.journal.operation("snapshot", as_snapshot(environment.fields()))

    def set_snapshot(self, **fields: str | bool | None) -> None:
        """Record the environment: the fields of `Iterations.set_snapshot`. TypeError for any other field."""
        self._check_running()
        self._has_snapshot = True
        self.journal.operation("snapshot", as_snapshot(fields))

    def snapshot_environment(
        self, directory: str | PathLike[str] | None = None, *, diff: bool = True, untracked: bool = True
    ) -> Environment:
        """Record this process's environment, as `capture_environment` returns it, for a later `restore`.

        Files left out and credentials replaced are logged, and named by ``left_out`` and ``redacted`` of the answer.
        """
        from deardiary.environment.capture import Environment, capture_environment, log_remarks

        self._check_running()
        if self._is_silent:
            return Environment(python_version="", problems=("this process does not log",))
        environment = capture_environment(directory, diff=diff, untracked=untracked)
        log_remarks(environment)
        self.set_snapshot(**environment.fields())
        return environment

    def watch_system(self, seconds: float = 15.0) -> SystemWatch:
        """Log the load of processor, memory and NVIDIA GPUs, as ``system/…``, until the iteration ends.

        psutil and nvidia-ml-py measure it if they are installed, else /proc and nvidia-smi. ImportError without psutil
        on a system without /proc.
        """
        from deardiary.tracking.system import SystemWatch

        self._check_running()
        return cast("SystemWatch", NullCapture()) if self._is_silent else SystemWatch(self, seconds)

    def capture_output(self) -> CapturedOutput:
        """Capture what Python prints from now on, as `start` does by default, until the iteration ends.

        Return the capture that is active already, if there is one.
        """
        from deardiary.tracking.console import CapturedOutput

        self._check_running()
        if self._is_silent:
            return cast("CapturedOutput", NullCapture())
        if self._captured is None or self._captured.has_stopped:
            self._captured = CapturedOutput(self)
        return self._captured
