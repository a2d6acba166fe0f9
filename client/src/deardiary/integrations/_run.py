"""The iteration of one training: the caller's, or one that begins and ends with the training."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from os import PathLike
from pathlib import Path
from typing import Any

from deardiary.errors import ClientError, Conflict
from deardiary.nested import flat
from deardiary.tracking import outcome, process_hooks, ranks
from deardiary.tracking.iteration import ActiveIteration
from deardiary.tracking.start import start
from deardiary.values import as_float, checked_key

_log = logging.getLogger(__name__)

# The trial of this thread, and the trainings that began in the innermost call of a framework's training function.
_current: ContextVar[ActiveIteration | None] = ContextVar("deardiary_current", default=None)
_begun: ContextVar[list[Run] | None] = ContextVar("deardiary_begun", default=None)


class Run:
    """The iteration of a training.

    It is ``iteration`` if given. Otherwise, without ``experiment`` and ``options``, it is the iteration that runs: see
    `running`. Otherwise it is a new one, started as by `deardiary.start` with ``options``. Only a new one ends with the
    training.
    """

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        **options: Any,
    ) -> None:
        self._names = (project, experiment)
        self._given = iteration
        self._options = options
        self._own: ActiveIteration | None = None
        self._joined: ActiveIteration | None = None
        self._elsewhere: str | None = None  # the iteration's id, if another process started it
        self.at_end: Callable[[], object] | None = None  # called when the training ends without an error

    def __getstate__(self) -> dict[str, Any]:
        """Return a copy's state for another process, where it logs into the same iteration and does not end it."""
        entered = self._joined or self._own or self._given
        options = {key: value for key, value in self._options.items() if key != "client"}
        lost = {"_given": None, "_own": None, "_joined": None, "at_end": None}
        return {**vars(self), **lost, "_options": options, "_elsewhere": entered.id if entered else self._elsewhere}

    @property
    def active(self) -> ActiveIteration:
        """The iteration; it begins at the first use. After its end it is resumed: evaluations follow a training."""
        if self._joined is None and (self._own is None or self._own.is_over):
            self._enter()
        return self._joined or self._own  # type: ignore[return-value]

    @property
    def is_running(self) -> bool:
        entered = self._joined or self._own
        return entered is not None and not entered.is_over

    def begin(self) -> None:
        """Begin a training: join the caller's iteration, or start a new one, even after the end of an earlier one."""
        if not self.is_running:
            self._own = self._joined = None
            self._enter()

    def _enter(self) -> None:
        if self._elsewhere:
            self._joined = start(resume=self._elsewhere)
        elif self._own is not None and self._own.id:
            self._own = self._resumed(self._own.id)
        else:
            self._joined = self._given or self._running_one()
            self._own = None if self._joined else start(*self._names, **self._options)
        begun = _begun.get()
        if begun is not None:
            begun.append(self)

    def _resumed(self, iteration_id: str) -> ActiveIteration:
        """Resume the iteration of this process: a child of another rank is resumed as itself, not by a child of it."""
        mode = ranks.mode_of(self._options.get("ranks"))
        with ranks.at(ranks.ALONE) if mode == "children" else contextlib.nullcontext():
            return start(resume=iteration_id, client=self._options.get("client"), ranks=mode)

    def _running_one(self) -> ActiveIteration | None:
        """Return the iteration to join. An experiment's name and options are for a new one."""
        return None if self._names[1] or self._options else running()

    def parameters(self, values: object, prefix: str = "") -> None:
        """Record settings, nested ones as ``outer.inner``. A value that differs from an earlier one is left out."""
        try:
            nested = flat(values)
        except (TypeError, ValueError) as error:
            return _log.warning("Parameters are left out: %s", error)
        texts = {f"{prefix}{key}": str(value) for key, value in nested.items() if _is_key(f"{prefix}{key}")}
        while texts:
            try:
                return self.active.log_parameters(texts)
            except Conflict as error:
                _log.warning("%s: the later value is left out", error.message)
                if texts.pop(str(error.details.get("field")), None) is None:
                    return None
        return None

    def log(self, values: Mapping[Any, Any], step: int | None = None) -> None:
        """Record the numbers among the values."""
        numbers = scalars(values)
        if numbers:
            self.active.log(numbers, step=step)

    def save(self, path: str | PathLike[str], name: str, *, wait: bool = False) -> None:
        """Store a file or a folder. A failure is a warning, for the training matters more."""
        try:
            self.active.log_resource(path, name, wait=wait)
        except (OSError, ClientError, ValueError) as error:
            _log.warning("%s is not stored: %s", path, error)

    def save_written(self, name: str, write: Callable[[Path], object]) -> None:
        """Store the file that ``write`` writes at the path that it receives."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            write(path)
            self.save(path, name, wait=True)

    def finish(self, error: BaseException | None = None) -> None:
        """End an iteration that this training started, by the exception that ended the training, if any."""
        last, self.at_end = self.at_end, None
        if last is not None and error is None and self.is_running:
            last()
        if self._own is not None and not self._own.is_over:
            self._own.finish(process_hooks.status_of(error), outcome.message_of(error))


class Callback:
    """The arguments that the callbacks of most frameworks share."""

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        log_model: bool = False,
        **options: Any,
    ) -> None:
        """``log_model`` stores the trained model. ``options`` are those of `deardiary.start`."""
        super().__init__()
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._log_model = log_model


def ends_with(owner: Any, name: str, before: Callable[[dict[str, Any]], object] | None = None) -> None:
    """Replace a framework's training function by one with which the iterations end that begin inside of it.

    Most frameworks call no hook if a training fails. ``owner`` is the class of the function, or a module that has it;
    a module that has it not stays as it is. ``before`` receives the arguments of each call by their names. Call this
    when a module is imported: a call of the function looks it up before it creates its callbacks.
    """
    original = getattr(owner, name, None)
    if original is None or getattr(original, "ends_iterations", False):
        return

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        with ending():
            if before is not None:
                before(inspect.signature(original).bind(*args, **kwargs).arguments)
            return original(*args, **kwargs)

    call.ends_iterations = True  # type: ignore[attr-defined]
    setattr(owner, name, call)


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """End the iterations that begin inside the block: FAILED, with the traceback, if it raises."""
    token = _begun.set([])
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        begun = _begun.get() or []
        _begun.reset(token)
        for run in reversed(begun):
            run.finish(error)


@contextlib.contextmanager
def current(iteration: ActiveIteration) -> Iterator[ActiveIteration]:
    """Have the trainings of this thread inside the block join the iteration."""
    token = _current.set(iteration)
    try:
        yield iteration
    finally:
        _current.reset(token)


def set_current(iteration: ActiveIteration | None) -> None:
    """Do what `current` does, until the next call, for frameworks that call one hook before and one after."""
    _current.set(iteration)


def running() -> ActiveIteration | None:
    """Return the trial of this thread, or else the iteration that this process started last; None if none runs."""
    trial = _current.get()
    if trial is not None and not trial.is_over:
        return trial
    latest = process_hooks.latest()
    return latest if isinstance(latest, ActiveIteration) else None


def scalars(values: Mapping[Any, Any]) -> dict[str, float]:
    """Return the values that are one number; texts, arrays and None are left out."""
    found = {}
    for key, value in values.items():
        with contextlib.suppress(TypeError, ValueError):
            found[checked_key(str(key))] = as_float(str(key), value)
    return found


def _is_key(key: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(checked_key(key))
    return False
