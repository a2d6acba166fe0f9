"""A running iteration."""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex, cast

from deardiary import settings
from deardiary.client import Client
from deardiary.errors import ClientError, reason_of
from deardiary.sending.run_ref import key_of
from deardiary.spool.points import PointEncoder
from deardiary.spool.run import Run, RunRef
from deardiary.tracking import interactive, outcome, process_hooks
from deardiary.tracking.commands import Commands
from deardiary.tracking.creation import Creation
from deardiary.tracking.environment import EnvironmentLog
from deardiary.tracking.files import Artifacts
from deardiary.tracking.finish_hooks import FinishHooks
from deardiary.tracking.inputs import InputLog
from deardiary.tracking.journal import Journal, new_run
from deardiary.tracking.media import MediaLog
from deardiary.tracking.silent import NullArtifacts, NullJournal
from deardiary.tracking.steps import StepCounter
from deardiary.values import Number, as_label_changes, as_step, as_tags, as_texts, checked_text, checked_word
from deardiary.wire.limits import MAX_ALERT_CHARACTERS
from deardiary.wire.shapes import Iteration, IterationStatus, ModelVersion, PendingCommand, Resource
from deardiary.wire.times import to_milliseconds

if TYPE_CHECKING:
    from deardiary.media.encoded import Encoded

_log = logging.getLogger(__name__)

_UPDATE = "call iteration.client.iterations.update(iteration.id, {}=…)"
_INSTEAD = {
    "notes": f"give deardiary.start(notes=…), or {_UPDATE.format('notes')}",
    "note": f"give deardiary.start(notes=…), or {_UPDATE.format('notes')}",
    "name": f"give deardiary.start(name=…), or {_UPDATE.format('name')}",
    "status": "call iteration.finish(deardiary.IterationStatus.FAILED, 'why')",
    "status_id": "call iteration.finish(deardiary.IterationStatus.FAILED, 'why')",
    "error_message": "call iteration.finish(deardiary.IterationStatus.FAILED, 'why')",
    "parameters": "call iteration.log_parameters({…})",
    "tags": "call iteration.add_tags([…])",
    "labels": "call iteration.set_labels({…})",
}


class ActiveIteration(EnvironmentLog, InputLog, MediaLog):
    """A running iteration, to log into; several threads may share it.

    Each call writes its records to a file before it returns, and a thread sends them. No call waits for the network,
    except for `log_resource` and `register_model`. No call fails because the server cannot be reached. RuntimeError
    after the iteration has ended.

    As a context manager it ends SUCCEEDED after a clean exit, KILLED after KeyboardInterrupt and SIGTERM, and FAILED
    with the traceback after any other exception, which propagates unchanged. An iteration still open when the process
    ends is ended then.
    """

    def __init__(
        self,
        client: Client | None,
        ref: RunRef,
        creation: Creation | None = None,
        *,
        owns_client: bool = False,
        reopens: bool = False,
        is_part: bool = False,
        strict: bool = True,
        begin: Callable[..., ActiveIteration],
        silent: bool = False,
    ) -> None:
        """Without ``client`` the iteration is offline. ``creation`` finds or creates it on the server.

        ``owns_client``: disconnect when the iteration ends. ``reopens``: other processes log into the iteration, now or
        earlier; then the server counts the steps. ``is_part``: another process ends it. ``strict``: raise when the
        server refuses a file, a model version or a child. ``begin`` is `deardiary.start`, for children.
        ``silent``: store nothing; see `silent_iteration`.
        """
        self._client = client
        self._ref = ref
        self._owns_client = owns_client
        self._reopens = reopens
        self._strict = strict
        self._begin = begin
        self._steps = None if reopens or is_part else StepCounter()
        self._media_steps = StepCounter()
        self._encoder = PointEncoder()
        self._parameters: dict[str, str] = {}
        self._ending = threading.RLock()
        self._ended = False
        self._is_halted = False  # ended, or refused: one look for each `log`
        self._creation = creation
        self._has_raised_refusal = False
        self.finish_hooks = FinishHooks()
        self._is_fork = False
        self._is_part = is_part  # this process ends its own part, and leaves the iteration running
        self._cell = interactive.cell()
        self._is_in_block = False
        # A KeyboardInterrupt in the main thread ends the process, but not at a prompt or in a kernel.
        self._ends_with_process = self._cell is None and threading.current_thread() is threading.main_thread()
        self._commands = Commands(self)
        self._is_silent = silent
        self._open: Journal | None = cast("Journal", NullJournal())
        self._artifacts = cast("Artifacts", NullArtifacts())
        self._forked_from = ""
        if not silent:
            self._open_first(creation)

    def _open_first(self, creation: Creation | None) -> None:
        ref, client = self._ref, self._client
        run = new_run(ref, client, offline=client is None, reopens=self._reopens)
        # The worker's parent process has the iteration too, and carries them out.
        is_worker = ref.resume is not None and process_hooks.is_worker()
        self._open = Journal(run, client, creation, None if is_worker else self._commands.receive)
        self._forked_from = run.spool_id
        self._artifacts = Artifacts(self, strict=self._strict)
        process_hooks.register(self)

    def _repr_html_(self) -> str:
        from deardiary.wire import html

        values = {
            "project": self._ref.project,
            "experiment": self._ref.experiment or self.experiment_id,
            "id": self.id,
            "state": "ended" if self._ended else "running",
            "parameters": self._parameters,
        }
        return html.fields(self.name or self.id or "iteration", values, self.url)

    def __repr__(self) -> str:
        of = "/".join(filter(None, (self._ref.project, self._ref.experiment)))
        state = "ended" if self._ended else "running"
        known, ref = self._known, self.ref
        names = " ".join(filter(None, (of or ref.experiment_id, known.name if known else ref.name, key_of(ref))))
        return f"<ActiveIteration {names}, {state}, {self._url_of(known) or 'not on a server yet'}>"

    @property
    def id(self) -> str:
        """The iteration's id. Wait for it if the iteration is not created yet.

        Offline, or while the server cannot be reached, the key under which it will be created. ClientError or
        ValueError if it was refused.
        """
        return self._ref.iteration_id or (known.id if (known := self._created()) else key_of(self._ref))

    @property
    def name(self) -> str:
        """The iteration's name when it was started. Wait as for `id`; empty if none was given and none is known."""
        known = self._created()
        return known.name if known else self._ref.name

    @property
    def url(self) -> str | None:
        """The URL of the iteration's page in the dashboard. Wait as for `id`; None while there is no id."""
        return self._url_of(self._created())

    def _url_of(self, known: Iteration | None) -> str | None:
        return self._client.dashboard_url(f"iterations/{known.id}") if known and self._client else None

    @property
    def folder(self) -> Path | None:
        """The folder in which records wait until they are sent; None if no folder can be written."""
        return self.journal.folder

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and name != "finish_hooks":
            instead = _INSTEAD.get(name, "record it with log, log_parameters or add_tag")
            raise AttributeError(f"{name} of an iteration cannot be assigned: {instead}")
        object.__setattr__(self, name, value)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "An ActiveIteration cannot be pickled or copied: it has a file and a connection of its own. Pass "
            "iteration.id, and in the other process call deardiary.start(resume=iteration.id) to log into the same "
            "iteration, or deardiary.start(parent=iteration.id) for a child of its own"
        )

    @property
    def experiment_id(self) -> str:
        """The experiment's id. Wait as for `id`; empty until the server has been reached."""
        known = self._created()
        return known.experiment_id if known else self._ref.experiment_id or ""

    @property
    def client(self) -> Client:
        """The connection of this iteration. RuntimeError offline."""
        if self._client is None:
            raise RuntimeError(
                "This iteration is offline (DEARDIARY_OFFLINE, or a setting that is wrong), or silent (a rank other "
                "than 0): there is no server to ask"
            )
        return self._client

    @property
    def run(self) -> Run:
        return self.journal.run

    @property
    def is_offline(self) -> bool:
        return self._client is None

    @property
    def is_silent(self) -> bool:
        return self._is_silent

    @property
    def ref(self) -> RunRef:
        """The data by which a process finds this iteration again; a child names its parent by it."""
        known = self._known
        if known is None:
            return self._ref  # whose keys find it, also while it is being created
        return replace(self._ref, iteration_id=known.id, experiment_id=known.experiment_id)

    def log(
        self,
        metrics: Mapping[str, Number | None],
        step: SupportsIndex | None = None,
        *,
        recorded_at: datetime | None = None,
    ) -> None:
        """Record one value for each key, at ``step`` or, without one, at the next step of each key.

        Values are numbers, Booleans, NumPy scalars, arrays and tensors of one element; None is skipped, with one
        warning for each key. Any other value raises TypeError or ValueError, and the call records nothing.
        ``recorded_at`` defaults to now.
        """
        if self._is_halted:
            self._check_running()
        texts = self._encoder.values(metrics)
        given = None if step is None else as_step(step)
        if not texts:
            return
        if len(texts) != len(metrics):
            metrics = {key: value for key, value in metrics.items() if value is not None}
        steps = [given] * len(texts) if self._steps is None else self._steps.assign(metrics, given)
        recorded_ms = int(time.time() * 1000) if recorded_at is None else to_milliseconds(recorded_at)
        self.journal.points(texts, steps, recorded_ms)
        commands = self._commands
        commands.step = steps[0]
        if commands.due:
            commands.carry_out()

    def log_sample(self, metrics: Mapping[str, Number]) -> None:
        """Record metrics from a thread of the client, which carries out no commands. RuntimeError after the end."""
        if self._is_halted:
            raise RuntimeError("The iteration takes nothing more")
        texts = self._encoder.values(metrics)
        steps = [None] * len(texts) if self._steps is None else self._steps.assign(metrics, None)
        self.journal.points(texts, steps, int(time.time() * 1000))

    @property
    def stop_requested(self) -> bool:
        """Whether a person or a program has asked this iteration to stop: `deardiary iterations stop`, or the API.

        A program that reads it ends by itself. Otherwise a stop interrupts the main thread as Ctrl-C would, or, if the
        iteration was started in another thread or SIGINT is ignored, the next `log` raises KeyboardInterrupt. After a
        stop the iteration ends KILLED. A forked process and a silent iteration get no commands.
        """
        return self._commands.stop_requested()

    def on_command(self, kind: str, function: Callable[[PendingCommand], object]) -> None:
        """Have ``function`` carry out the commands of this kind: ``checkpoint``, a word of your own, or ``stop``.

        The next `log` calls it, in its thread, after it has recorded its points. Each command is carried out once, and
        acknowledged with the step of that `log`. An exception of the function is logged. A function for ``stop`` makes
        the program end; the iteration then ends KILLED, and nothing is interrupted.
        """
        self._commands.on(kind, function)

    def log_parameters(self, parameters: Mapping[str, object] | object) -> None:
        """Record settings, as text made by ``str``: a dict, a dataclass, a model of pydantic, a namespace of argparse.

        Those within them are flattened: ``{"model": {"depth": 3}}`` is ``model.depth``. ClientError 409 if this process
        has set a key to another value.
        """
        self._check_running()
        texts = as_texts(parameters)
        for key, text in texts.items():
            if self._parameters.setdefault(key, text) != text:
                raise ClientError(
                    409, "CONFLICT", f"The parameter {key!r} is {self._parameters[key]!r} already", {"field": key}
                )
        self.journal.fields(texts, ())
        self.journal.send_soon()  # a list of iterations without their parameters tells little

    def record_at_start(
        self, parameters: Mapping[str, str], tags: Sequence[str], labels: Mapping[str, str | None]
    ) -> None:
        """Record the fields of `start`, before the server may refuse the iteration."""
        self._parameters.update(parameters)
        self.journal.fields(parameters, tags, labels)

    def add_tag(self, tag: str) -> None:
        self.add_tags([tag])

    def add_tags(self, tags: Iterable[str]) -> None:
        self._check_running()
        self.journal.fields({}, as_tags(tags))

    def alert(self, title: str, text: str = "", *, level: str = "warning") -> None:
        """Tell people: the server keeps the alert, and passes it on as an event. ``level``: "info", "warning", "error".

        An iteration has at most 100. A text is cut after 3,000 characters.
        """
        self._check_running()
        if not checked_word("title", title) or level not in ("info", "warning", "error"):
            raise ValueError("An alert has a title, and the level info, warning or error")
        text = checked_text("text", text)[:MAX_ALERT_CHARACTERS]
        id_key = secrets.token_hex(16)
        self.journal.operation("alert", {"title": title, "text": text, "level": level, "id_key": id_key})
        self.journal.send_soon()

    def set_label(self, key: str, value: object) -> None:
        """Like `set_labels`, for one label."""
        self.set_labels({key: value})

    def set_labels(self, labels: Mapping[str, object]) -> None:
        """Set labels, as text made by ``str``; None removes one, and all others stay. A later value replaces one."""
        self._check_running()
        self.journal.fields({}, (), as_label_changes(labels))

    def log_resource(
        self, path: str | PathLike[str], name: str | None = None, description: str = "", *, wait: bool = True
    ) -> Resource | Any:
        """Store a file. It is uploaded and checked when this returns, or without ``wait`` some time later.

        Without ``wait``, offline, or if the server cannot be reached, a copy waits in the spool; the answer is
        "pending" and has no id. For a folder, store every file below it, named by its path from there, below ``name``
        if given; the answer is a list. OSError if the file cannot be read; ValueError for an empty path; ClientError if
        the server refuses it.
        """
        self._check_running()
        if not os.fspath(path):
            raise ValueError("Name a file or a folder to store: '' would be all of the working directory")
        return self._artifacts.store(Path(path), name, checked_text("description", description), wait=wait)

    def _keep_media(self, encoded: Encoded, name: str, caption: str) -> None:
        self._artifacts.keep(encoded.content, name, caption)

    def register_model(self, name: str, resource: str | PathLike[str], description: str = "") -> ModelVersion:
        """Create a new version of the project's model of that name, and the model if there is none.

        ``resource`` names a resource of this iteration, the latest if there are several, or else a file to upload.
        Offline, while the server cannot be reached, or while this file or an earlier version waits in the spool, this
        happens later; the answer has no id and the version 0.
        """
        self._check_running()
        return self._artifacts.register(checked_word("name", name), resource, checked_text("description", description))

    def child(
        self,
        *,
        parameters: Mapping[str, object] | None = None,
        tags: Iterable[str] = (),
        labels: Mapping[str, object] | None = None,
        name: str = "",
        notes: str = "",
        id_key: str | None = None,
    ) -> ActiveIteration:
        """Start an iteration of the same experiment, with this one as its parent."""
        return self._begin(
            parameters=parameters,
            tags=tags,
            labels=labels,
            name=name,
            notes=notes,
            parent=self,
            id_key=id_key,
            strict=self._strict,
        )

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until all records so far are on the server. False if they are not after ``seconds``, else True.

        In a resumed iteration that includes what earlier processes left on this machine: False if it cannot be sent.
        """
        if not self._ended:
            self._raise_if_refused()
        if self._captured is not None and not self._ended:
            self._captured.drain()
        away_seconds = settings.finish_seconds_of(None)[1] if self._ended else math.inf
        return self._open is None or self._open.wait(seconds, away_seconds)

    def finish(
        self,
        status: IterationStatus = IterationStatus.SUCCEEDED,
        error_message: str = "",
        *,
        seconds: float | None = None,
    ) -> None:
        """End the iteration, which locks it. A second call changes nothing and is no error.

        Wait until all records are sent, but no longer than ``seconds`` (DEARDIARY_FINISH_SECONDS, 30). The rest is left
        to `sync`, with a warning. A forked process ends only its own part. An ``error_message`` over 64 KiB is cut to
        its last 64 KiB. While the server does not answer, the wait is 3 seconds, unless a time is given. After a stop
        the status is KILLED, see `stop_requested`. ValueError for a ``status`` that is not final. If the iteration
        was refused and no call has raised that yet, this one does.
        """
        self._finish(status, error_message, settings.finish_seconds_of(seconds))
        if not self._has_raised_refusal:
            self._raise_if_refused()

    def _finish(self, status: IterationStatus, error_message: str, seconds: tuple[float, float]) -> None:
        """``seconds``: see `settings.finish_seconds_of`."""
        status, error_message = IterationStatus(status), outcome.shortened(error_message)
        if status == IterationStatus.RUNNING:
            raise ValueError("An iteration that ends has a status other than RUNNING")
        status, error_message = self._commands.outcome(status, error_message)
        if self._refusal is not None and not error_message:
            status, error_message = IterationStatus.FAILED, outcome.message_of(self._refusal)
        if not self._ended:
            self.finish_hooks.run(status, error_message)
        with self._ending:
            if self._ended:
                return
            self._ended = self._is_halted = True
        self._end(status, error_message, seconds)

    def end_with_process(self, status: IterationStatus, error_message: str, *, seconds: float) -> None:
        """Do what `finish` does; of an iteration that a worker of `multiprocessing` resumed only the worker's part."""
        self._is_part = self._is_part or (self._ref.resume is not None and process_hooks.is_worker())
        away_seconds = settings.finish_seconds_of(None)[1]
        self._finish(status, error_message, (seconds, min(seconds, away_seconds)))

    def _end(self, status: IterationStatus, error_message: str, seconds: tuple[float, float]) -> None:
        if self._open is None:  # a fork that has logged nothing
            process_hooks.unregister(self)
            return
        try:
            if not self._is_part:
                now_ms = to_milliseconds(datetime.now(timezone.utc))
                self.journal.operation("finish", {"status": int(status), "error_message": error_message, "at": now_ms})
            self.journal.close(*seconds)
        except Exception:  # noqa: BLE001
            # The training may be ending with an exception of its own; an exception of the client must not replace it.
            _log.exception("Iteration %s did not end as it should", key_of(self.ref))
        finally:
            process_hooks.unregister(self)
            if (self._owns_client or self._is_fork) and self._client is not None:
                self._client.disconnect()

    def __enter__(self) -> ActiveIteration:
        self._is_in_block = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._finish(process_hooks.status_of(error), outcome.message_of(error), settings.finish_seconds_of(None))
        if error is None:
            self._raise_if_refused()

    @property
    def ends_after_interrupt(self) -> bool:
        return self._is_in_block or self._ends_with_process

    @property
    def is_over(self) -> bool:
        return self._ended

    def acknowledge(self, command_id: str, step: int | None) -> None:
        self.journal.acknowledge(command_id, step)

    def unless_ended(self, work: Callable[[], None]) -> None:
        with self._ending:
            if not self._ended:
                work()

    def is_left_open(self, project: str | None, experiment: str | None, cell: object) -> bool:
        """True if another cell or input than ``cell`` started it in that experiment and nothing ends it, else False."""
        of = self._ref
        same = (of.project, of.experiment) == (project, experiment)
        stays = self._ended or self._is_in_block or self._reopens or of.parent is not None
        return self._cell is not None and self._cell != cell and same and not stays

    def before_fork(self) -> None:
        if self._open is not None:
            self._open.has_forked = True

    def after_fork(self) -> None:
        """Prepare for the forked process, which logs into a spool of its own, created with its first record."""
        self._ref, old = self.ref, self._open
        self._creation = None
        if old is None:
            return
        old.abandon()
        self._open = None
        self._is_fork = self._is_part = True
        self._captured = None  # what a forked process prints is not captured
        self.finish_hooks = FinishHooks()
        self._steps = None
        self._commands = Commands(self)
        self._ending = threading.RLock()
        self._client = self._client.clone() if self._client else None

    def refuse(self, error: ClientError | ValueError) -> None:
        """Record nothing more: every further call raises this error."""
        self._is_halted = True
        _log.error("Iteration %s is refused, and nothing of it is recorded: %s", self._title(), reason_of(error))

    def _title(self) -> str:
        names = (self._ref.project, self._ref.experiment, self._ref.name)
        return "/".join(filter(None, names)) or key_of(self._ref)

    @property
    def _refusal(self) -> ClientError | ValueError | None:
        return self._creation.refusal if self._creation else None

    def _raise_if_refused(self) -> None:
        error = self._refusal
        if error is not None:
            self._has_raised_refusal = True
            # Without the traceback of an earlier call.
            raise error.with_traceback(None)

    def _created(self) -> Iteration | None:
        """The iteration, after the first try to create it; None if it is not known. Raise the refusal."""
        known = self._open.created() if self._open else None
        if not self._ended:
            self._raise_if_refused()
        return known

    def note_created(self, ref: RunRef) -> None:
        """Take over the names of a resumed iteration."""
        self._ref = ref

    def ref_when_created(self) -> RunRef:
        """The `ref` of a parent, after the first try to create it, so that its child does not create it too."""
        self._created()
        return self.ref

    @property
    def _known(self) -> Iteration | None:
        return self._open.iteration if self._open else None

    @property
    def journal(self) -> Journal:
        return self._open or self._open_after_fork()

    def _open_after_fork(self) -> Journal:
        with self._ending:
            if self._open is None:
                client = self._client
                offline = client is None
                run = new_run(self._ref, client, offline=offline, reopens=False, forked_from=self._forked_from)
                self._open = Journal(run, client)
                process_hooks.register_fork(self)
            return self._open

    def _check_running(self) -> None:
        if self._ended:
            raise RuntimeError(f"Iteration {key_of(self.ref)} has ended; nothing more can be logged into it")
        self._raise_if_refused()


def silent_iteration() -> ActiveIteration:
    """An iteration for a process that must not log: it accepts every call and stores nothing; ``id`` is empty."""
    return ActiveIteration(None, RunRef(), begin=lambda **_: silent_iteration(), silent=True)
