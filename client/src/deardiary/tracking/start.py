"""Start an iteration by the names of its project and experiment."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterable, Mapping

from deardiary import settings
from deardiary.client import Client, connect_later
from deardiary.errors import ClientError
from deardiary.sending import recovery
from deardiary.spool.run import RunRef
from deardiary.tracking import capture as captures
from deardiary.tracking import process_hooks
from deardiary.tracking import ranks as ranking
from deardiary.tracking.announcement import announce
from deardiary.tracking.creation import Creation
from deardiary.tracking.iteration import ActiveIteration, silent_iteration
from deardiary.tracking.ranks import Ranks
from deardiary.values import as_label_changes, as_name, as_tags, as_texts, checked_text, checked_word
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration

Parent = ActiveIteration | Iteration | RunRef | str

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
    ranks: Ranks | None = None,
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

    ``capture`` names what is captured from now on: "output", what Python prints, "environment" and "system", as
    `snapshot_environment` and `watch_system` do. Without it an iteration without a parent captures all three, in
    threads; () is nothing. DEARDIARY_CAPTURE sets another default, such as "none" or "environment,output".

    ``ranks`` is for a job of several processes (torchrun, SLURM, MPI, Accelerate, SageMaker). "first", the default: the
    first one logs, and the iteration of the others accepts every call and stores nothing. "children": each of the
    others has a child of the first one's iteration. "all": all log into one iteration, which the first one ends.
    DEARDIARY_RANKS sets another default. A ``parent`` of this process has decided already.

    `start` does not wait for the server: a thread finds or creates the iteration. `ActiveIteration.id` and ``url`` wait
    for it if they are read before. If the server cannot be reached, or with DEARDIARY_OFFLINE, the iteration is created
    later, with a warning. If the server refuses it (401, 403, 404, 422), or the iteration of ``id_key`` has SUCCEEDED,
    an error is logged at once, and the next call of the iteration, or the end of its block, raises it: ClientError or
    ValueError. Without ``strict`` the work continues if the server refuses this user (401, 403, 404) or a setting is
    wrong; then neither `log_resource` nor `register_model` raises because the server refuses.
    ValueError if project or experiment is missing, a text is too long or a part to capture is unknown. TypeError for a
    name, key or tag that is not text. With ``strict``, also ValueError for a wrong setting.
    """
    fields = as_texts(parameters or {}), as_tags(tags or ()), as_label_changes(labels or {})
    above = parent if isinstance(parent, ActiveIteration) else None
    role = ranking.role_of(ranks, decided=above is not None)
    if role.is_silent or (above is not None and above.is_silent):
        role.tell_of_silence()
        return silent_iteration()
    if not (id_key or resume):
        id_key = role.shared_key()
    ref = _checked(_ref(project, experiment, as_name(name), notes, parent, id_key, resume))
    ref, id_key = role.own(ref, id_key)
    is_own = parent is None and not role.is_other
    parts = captures.parts_of(capture, has_parent=parent is not None or role.is_part)
    if capture is None and role.is_other:
        parts = tuple(part for part in parts if part != "environment")  # the first rank captures it
    if is_own:
        process_hooks.finish_earlier_cells(ref.project, ref.experiment)
    active, creation = _begin(ref, id_key, role, above, client, strict=strict)
    active.record_at_start(*fields)
    _follow(active, creation, announces=is_own)
    captures.begin(active, parts, by_default=capture is None)
    return active


def _begin(
    ref: RunRef,
    id_key: str | None,
    role: ranking.Role,
    above: ActiveIteration | None,
    given: Client | None,
    *,
    strict: bool,
) -> tuple[ActiveIteration, Creation]:
    """The iteration, and its creation, which waits for `_follow`. ``above`` is its parent in this process."""
    reopens = (id_key or ref.resume) is not None and not role.is_part
    client = _client(given, above, strict=strict)
    creation = Creation(
        ref,
        id_key=None if role.is_part else id_key,
        reopens=reopens,
        strict=strict,
        parent=above.ref_when_created if above else None,
    )
    active = ActiveIteration(
        client,
        ref,
        creation if client is not None else None,
        owns_client=given is None and above is None,
        reopens=reopens,
        is_part=role.is_part,
        strict=strict,
        begin=start,
    )
    return active, creation


def _follow(active: ActiveIteration, creation: Creation, *, announces: bool) -> None:
    def tell() -> None:
        if announces:
            announce(active)

    def succeeded(_: Iteration) -> None:
        active.note_created(creation.ref)
        tell()
        recovery.send_left_by_others(active.client, active.run)

    def failed(error: ClientError | ValueError) -> None:
        if creation.refusal is not None:
            active.refuse(error)
            return
        if isinstance(error, ClientError) and error.is_passing:
            _log.warning("What is logged waits on this machine until the server can be reached: %s", error)
        else:
            _go_on(error)
        tell()

    creation.on_success, creation.on_failure = succeeded, failed
    if active.is_offline:
        tell()
        return
    active.journal.begin()
    # At once: a list of iterations without their parameters tells little, and an iteration may be ended early.
    active.journal.send_soon()


def _client(given: Client | None, above: ActiveIteration | None, *, strict: bool) -> Client | None:
    """Return the client; None offline and, unless ``strict``, if a setting is wrong."""
    try:
        settings.finish_seconds()
        if settings.is_offline() or (above is not None and above.is_offline):
            return None
        return given or (connect_later() if above is None else above.client)
    except ValueError as error:
        if strict:
            raise
        _go_on(error)
        return None


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


def _checked(ref: RunRef) -> RunRef:
    """The reference, if the server would accept its texts. TypeError and ValueError name the argument."""
    for name in ("project", "experiment"):
        checked_word(name, getattr(ref, name) or "")
    checked_text("notes", ref.notes)
    for name in ("id_key", "resume"):
        key = checked_word(name, getattr(ref, name) or "")
        if len(key) > limits.MAX_ID_CHARACTERS:
            raise ValueError(f"{name} has at most {limits.MAX_ID_CHARACTERS} characters, not {len(key)}")
    return ref


def _ref_of(parent: Parent | None) -> RunRef | None:
    if parent is None or isinstance(parent, RunRef):
        return parent
    if isinstance(parent, ActiveIteration):
        return parent.ref
    if isinstance(parent, str):
        return RunRef(iteration_id=parent)
    return RunRef(iteration_id=parent.id, experiment_id=parent.experiment_id)
