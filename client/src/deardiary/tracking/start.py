"""Start an iteration by the names of its project and experiment."""

from __future__ import annotations

import contextlib
import logging
import secrets
import sys
import threading
from typing import TYPE_CHECKING

from deardiary import settings, terminal
from deardiary.client import Client, connect_later
from deardiary.errors import ClientError
from deardiary.sending import recovery
from deardiary.sending import run_ref as refs
from deardiary.sending.delivery import is_refusal
from deardiary.spool.run import RunRef
from deardiary.terminal import wrapped
from deardiary.tracking import capture as captures
from deardiary.tracking import process_hooks
from deardiary.tracking.iteration import ActiveIteration
from deardiary.values import as_label_changes, as_name, as_tags, as_texts
from deardiary.wire.shapes import Iteration, IterationStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Parent = ActiveIteration | Iteration | RunRef | str

# The training waits for start(). If the server does not answer in time, the records are sent later.
_PATIENCE_SECONDS = 10.0
_SLOW_SECONDS = 2.0  # a start that takes longer says so

_log = logging.getLogger(__name__)


def start(
    project: str | None = None,
    experiment: str | None = None,
    *,
    parameters: Mapping[str, object] | None = None,
    tags: Iterable[str] | None = None,
    labels: Mapping[str, object] | None = None,
    name: str = "",
    notes: str = "",
    parent: Parent | None = None,
    id_key: str | None = None,
    resume: str | None = None,
    capture: Iterable[str] | None = None,
    client: Client | None = None,
    strict: bool = True,
) -> ActiveIteration:
    """Start an iteration; use it in a ``with`` block, or `ActiveIteration.finish` it.

    Project and experiment are names, and are created if missing. They default to DEARDIARY_PROJECT and
    DEARDIARY_EXPERIMENT, or to those of ``parent``: an iteration, its id or `ref`, in the same experiment. Without
    ``client``, `start` creates one from the settings, for this iteration. Without ``name`` the iteration gets a
    readable one, like quiet-heron-417. ``labels`` are texts by key, as `ActiveIteration.set_labels` takes them.

    The same ``id_key`` in the same experiment resumes the same iteration, also one that FAILED or was KILLED.
    ``resume``, an id or an id_key, resumes it in any status, and creates one under that id_key if there is none. In
    both cases the server counts the steps, and several processes may log into the iteration at once.

    ``capture`` names what is captured from now on: "output", what Python prints, is the default for an iteration
    without a parent; "environment" and "system" do what `snapshot_environment` and `watch_system` do; () is nothing.
    DEARDIARY_CAPTURE sets another default, such as "none" or "environment,output".

    If the server cannot be reached, or with DEARDIARY_OFFLINE, the iteration is created later, with a warning. Without
    ``strict`` the same happens if the server refuses this user (401, 403, 404) or a setting is wrong; then neither
    `log_resource` nor `register_model` raises because the server refuses.
    ValueError if project or experiment is missing, ``name`` is too long, a part to capture is unknown, or the iteration
    of ``id_key`` has SUCCEEDED. TypeError for a name, key or tag that is not text. With ``strict``, also ClientError if
    the server refuses and ValueError for a wrong setting.
    """
    texts, words, changes = as_texts(parameters or {}), as_tags(tags or ()), as_label_changes(labels or {})
    parts = captures.parts_of(capture, has_parent=parent is not None)
    ref = _ref(project, experiment, as_name(name), notes, parent, id_key, resume)
    if parent is None:
        process_hooks.finish_earlier_cells(ref.project, ref.experiment)
    owns_client = client is None and not isinstance(parent, ActiveIteration)
    client = _client(client, parent, strict=strict)
    iteration = None if client is None else _find_or_create(client, ref, id_key, strict=strict)
    if client is not None and iteration is not None and ref.resume is not None:
        ref = refs.resumed(client.with_deadline(_PATIENCE_SECONDS), ref, iteration)
    active = ActiveIteration(
        client,
        ref,
        iteration,
        owns_client=owns_client,
        reopens=(id_key or resume) is not None,
        strict=strict,
        begin=start,
    )
    if words:
        active.add_tags(words)
    if changes:
        active.set_labels(changes)
    if texts:
        active.log_parameters(texts)  # last: it sends all
    # At once: a list of iterations without their parameters tells little, and an iteration may be ended early.
    active.journal.send_soon()
    if parent is None:
        _tell(active)
    captures.begin(active, parts)
    if client is not None and iteration is not None:
        recovery.send_left_by_others(client, active.run)
    return active


def _tell(active: ActiveIteration) -> None:
    """Print one line to stderr, as stdout belongs to the program; ignore a stream that cannot be written."""
    if settings.is_quiet() or sys.stderr is None:
        return
    names = "/".join(name for name in (active.ref.project, active.ref.experiment) if name)
    parts = [names] if names else []
    if active.url:
        parts.append(f"{active.name} at {active.url}")
    else:
        called = f"{active.name}, " if active.name else ""
        parts.append(f"{called}offline, waits for `deardiary sync` in {active.folder}")
    with contextlib.suppress(OSError, ValueError):
        # A resumed iteration has its names from the server, where other users chose them.
        line = terminal.one_line(" ".join(["deardiary:", *parts]))
        print(wrapped(line, sys.stderr), file=sys.stderr)


def _client(given: Client | None, parent: Parent | None, *, strict: bool) -> Client | None:
    """Return the client; None offline and, unless ``strict``, if a setting is wrong."""
    try:
        settings.finish_seconds()
        if settings.is_offline() or (isinstance(parent, ActiveIteration) and parent.is_offline):
            return None
        if given is None and isinstance(parent, ActiveIteration):
            return parent.client
        return given or connect_later()
    except ValueError as error:
        if strict:
            raise
        _go_on(error)
        return None


def _find_or_create(client: Client, ref: RunRef, id_key: str | None, *, strict: bool) -> Iteration | None:
    """Return the iteration; None if the server cannot be reached or, unless ``strict``, refuses this user."""
    client = client.with_deadline(_PATIENCE_SECONDS)
    try:
        with _warning_when_slow(client.url):
            found = refs.find_or_create(client, ref)
            if not _has_succeeded(found, id_key):
                return refs.reopen(client, found)
    except ClientError as error:
        if error.is_passing:
            _log.warning("What is logged waits on this machine until the server can be reached: %s", error)
        elif strict or is_refusal(error):
            raise
        else:
            _go_on(error)
        return None
    raise ValueError(f"The iteration of id_key {id_key!r} has SUCCEEDED; to go on in it, give resume={id_key!r}")


@contextlib.contextmanager
def _warning_when_slow(url: str) -> Iterator[None]:
    """Log what `start` waits for, and for how long, if it waits for longer than `_SLOW_SECONDS`."""
    message = "Waiting for %s. If it does not answer within about %.0f s, the training begins without it"
    timer = threading.Timer(_SLOW_SECONDS, lambda: _log.warning(message, url, _PATIENCE_SECONDS))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _has_succeeded(found: Iteration, id_key: str | None) -> bool:
    return id_key is not None and found.end_date is not None and found.status_id == IterationStatus.SUCCEEDED


def _go_on(error: ClientError | ValueError) -> None:
    folder = "this process"
    with contextlib.suppress(RuntimeError):
        folder = str(settings.spool_folder())
    _log.warning(
        "The work goes on without the server: %s. What is logged waits in %s; when the cause is mended, "
        "`deardiary sync` with that folder, or with its copy in S3, sends it",
        error,
        folder,
    )


def _ref(
    project: str | None,
    experiment: str | None,
    name: str,
    notes: str,
    parent: Parent | None,
    id_key: str | None,
    resume: str | None,
) -> RunRef:
    if resume is not None and (id_key is not None or not resume):
        raise ValueError("Give resume= an id or an id_key, and no id_key= beside it")
    above = _ref_of(parent)
    if above is not None and project is None and experiment is None:
        project, experiment, experiment_id = above.project, above.experiment, above.experiment_id
    else:
        experiment_id = None
        project, experiment = project or settings.default_project(), experiment or settings.default_experiment()
        if resume is None and not (project and experiment):
            raise ValueError(
                "Name a project and an experiment: deardiary.start('Iris', 'sweep'), or set DEARDIARY_PROJECT and "
                "DEARDIARY_EXPERIMENT"
            )
    return RunRef(
        project=project,
        experiment=experiment,
        experiment_id=experiment_id,
        name=name,
        notes=notes,
        parent=above,
        resume=resume,
        # A retry after a lost answer must not create a second iteration.
        id_key=id_key or (None if resume else secrets.token_hex(16)),
    )


def _ref_of(parent: Parent | None) -> RunRef | None:
    if parent is None or isinstance(parent, RunRef):
        return parent
    if isinstance(parent, ActiveIteration):
        return parent.ref
    if isinstance(parent, str):
        return RunRef(iteration_id=parent)
    return RunRef(iteration_id=parent.id, experiment_id=parent.experiment_id)
