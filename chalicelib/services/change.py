"""Changes of an experiment's iterations since an earlier answer, cheap enough for a table that polls.

An answer ends with a position, which the next request gives as `since`. The position holds the time of the answer, and
a hash for each state that the client has:

- The summaries of each running iteration. A flush writes no row beside them, so the server compares them.
- The edits of each edited iteration: the CHANGE rows (`storage/change.py`) since a minute before the position.

No change is missed. A request writes at most a minute after it began (`chalicelib/deadline.py`), so a change is
visible a minute after its own time, and until then each answer compares it again. docs/changes.md has the details.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib import clock, ids
from chalicelib.aws.threads import in_threads
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import pace
from chalicelib.services.search import facts
from chalicelib.services.search.ast import Kind
from chalicelib.services.search.facts import Facts, Known
from chalicelib.services.search.position import Position, State, decode, encode, young
from chalicelib.storage import change as storage
from chalicelib.storage import iteration as iterations
from chalicelib.storage import running
from chalicelib.storage.change import Change
from chalicelib.storage.points.summary import PackedSummaries, Summary
from chalicelib.storage.reads import projection, summaries
from deardiary.wire.shapes import Iteration

_SECOND = 1_000_000  # Microseconds, as all times here.
# Every write of a request is visible this long after its beginning: 60 s, and 5 s for clocks and replicas that lag.
WINDOW = 65 * _SECOND
# Younger edits come once more when they are older: while a transaction commits, a reader may see one of its rows and
# not yet the other.
YOUNG = 10 * _SECOND
# A position without news is replaced after this time, long before the CHANGE rows since then expire.
REPLACED_AFTER = 3600 * _SECOND
LOST_AFTER = storage.KEPT_S * _SECOND - WINDOW
# The hashes must fit a URL. So the server compares only the newest running iterations. While more iterations are
# edited, the oldest edits come again.
MOST_RUNNING = 1000
MOST_SEEN = 1100
_IDLE_S = 30
# The seconds until the next poll, by the most running iterations.
_PACE = ((0, _IDLE_S), (50, 5), (200, 10), (MOST_RUNNING, 20))


@dataclass(frozen=True, slots=True)
class Changes:
    """`detailed`: the ids of the rows with parameters and tags. `reset`: the client has to list everything again.

    `grown`: the summaries of iterations that have only logged more, if the client wants them without their rows.
    `last_seen`: the last heartbeat of each iteration that runs, in µs since 1970.
    """

    rows: list[Facts]
    grown: Mapping[str, Mapping[str, Summary]]
    detailed: Collection[str]
    gone: list[str]
    last_seen: Mapping[str, int]
    reset: bool
    next_since: str
    poll_after_seconds: int


class _Watch(NamedTuple):
    """The iterations to compare, edited ones first, in the order of edits. `last_seen`: of those that run."""

    states: Sequence[State]
    running: int
    last_seen: Mapping[str, int]
    oldest_edit: str | None

    def has_settled(self, now: int) -> bool:
        """True if a later position need not read the oldest edit again."""
        return self.oldest_edit is not None and self.oldest_edit <= ids.stamp(now - WINDOW)


def list_changes(
    actor: Actor,
    experiment_id: str,
    since: str | None,
    limit: int,
    *,
    only: Collection[str] = (),
    parameters: frozenset[str] | None = None,
    grown_apart: bool = False,
) -> Changes:
    """At most `limit` changed rows, only of the iterations `only` if given, with these parameters (None: all).

    Without `since`, the running iterations and those edited in the last minute. With `grown_apart` those that have
    only logged more have no row, which saves reading it.
    """
    line = access.experiment(actor, experiment_id, Need.READ)
    now = clock.to_milliseconds(clock.now()) * 1000
    given = None if since is None else decode(experiment_id, since)
    # A position is from the future if it is forged, or if the clock was set back since.
    reset = given is not None and not now - LOST_AFTER <= given.time_us <= now + WINDOW
    is_first = given is None or reset
    position = Position(now) if given is None or reset else given

    watch = _watch(experiment_id, only, position)
    if watch.running:
        pace.watch_experiment(line)
    edited = {each.id for each in watch.states if _is_edited(each, position, now)}
    news = [each for each in watch.states if each.id in edited or each.hash_of_summaries() not in position.seen]
    sent, left = news[:limit], news[limit:]
    created = {each.id for each in sent if is_first or ids.created_us(each.id) > position.time_us - WINDOW}
    detailed = edited | created
    grown = [each for each in sent if grown_apart and each.id not in detailed]
    whole = [each for each in sent if not grown_apart or each.id in detailed]
    rows = _read_rows(experiment_id, whole, detailed, parameters)
    present = {each.iteration.id for each in rows}
    has_news = is_first or sent or now - position.time_us > REPLACED_AFTER or watch.has_settled(now)
    after = _next_position(now, position, watch, left) if has_news else position
    has_more = left and len(after.seen) < MOST_SEEN
    return Changes(
        rows=rows,
        grown=_summaries(grown),
        detailed=detailed,
        gone=[each.id for each in whole if each.id not in present],
        last_seen=watch.last_seen,
        reset=reset,
        next_since=encode(experiment_id, after),
        poll_after_seconds=0 if has_more else next(seconds for most, seconds in _PACE if watch.running <= most),
    )


def _is_edited(state: State, position: Position, now: int) -> bool:
    edits = state.hash_of_edits(position.time_us - WINDOW)
    if edits is None or edits in position.seen:
        return False
    return not (state.is_younger(now - YOUNG) and young(edits) in position.seen)


def _watch(experiment_id: str, only: Collection[str], position: Position) -> _Watch:
    noted = _with_children(storage.read_changes(experiment_id, position.time_us - WINDOW))
    edits: dict[str, list[str]] = {}
    for each in noted:
        edits.setdefault(each.iteration_id, []).append(each.stamp)
    runs = [each for each in running.read_running_ids(experiment_id) if not only or each in only][-MOST_RUNNING:]
    chosen = [each for each in dict.fromkeys([*edits, *reversed(runs)]) if not only or each in only]
    progress = summaries.read_progress_nearby(experiment_id, chosen)
    states = [State(each, edits.get(each, ()), progress[each].state if each in progress else None) for each in chosen]
    wide = {each for each, found in progress.items() if found.is_wide}
    return _Watch(
        _with_wide(experiment_id, states, wide, position),
        len(runs),
        {each: progress[each].heartbeat_us for each in runs if each in progress and progress[each].heartbeat_us},
        noted[0].stamp if noted else None,
    )


def _with_wide(experiment_id: str, states: list[State], wide: Collection[str], position: Position) -> list[State]:
    """Read the summaries of the wide iterations that may have news: only then it is known which batches have chunks."""
    some = [each for each in states if each.id in wide]
    news = {each.id for each in some if each.edits or each.hash_of_summaries() not in position.seen}
    read = summaries.read_states(experiment_id, news) if news else {}
    known = {each.id: each._replace(summaries=None) for each in some if each.id in news}
    known |= {name: known[name]._replace(summaries=found.state, read=found.summaries) for name, found in read.items()}
    return [known.get(each.id, each) for each in states]


def _with_children(changes: list[Change]) -> list[Change]:
    """A child shows no parent while its parent is hidden, so its row changes at the same time."""
    parents = list({each.iteration_id for each in changes if each.of_children})
    children = dict(zip(parents, in_threads(iterations.read_child_ids, parents), strict=True))
    return [
        Change(each.stamp, iteration_id)
        for each in changes
        for iteration_id in [each.iteration_id, *(children[each.iteration_id] if each.of_children else ())]
    ]


def _next_position(now: int, position: Position, watch: _Watch, left: Sequence[State]) -> Position:
    """The position after this answer: at most a minute after the first edit that is left to the next answer."""
    waiting = [ids.stamped_us(each.edits[0]) + WINDOW - 1 for each in left if each.edits]
    time = max(position.time_us, min([now, *waiting]))
    later = {each.id for each in left}
    known = [each for each in watch.states if each.id not in later]
    seen = [each.hash_of_summaries() for each in known]
    for each in reversed(known):
        edits = each.hash_of_edits(time - WINDOW)
        if edits is not None:
            seen.append(young(edits) if each.is_younger(now - YOUNG) else edits)
    return Position(time, frozenset(seen[:MOST_SEEN]))


def _read_rows(
    experiment_id: str, sent: Sequence[State], detailed: Collection[str], names: frozenset[str] | None
) -> list[Facts]:
    """The rows that exist, in the order given."""
    # The edited rows as they are now. The others have not changed since the client has read them.
    whole, are_close = _find(experiment_id, [each.id for each in sent if each.id in detailed], consistent=True)
    others, _ = _find(experiment_id, [each.id for each in sent if each.id not in detailed], consistent=False)
    known = _details(experiment_id, list(whole.values()), names, _summaries(sent), are_close=are_close)
    found = whole | others
    return [known.of(found[each.id]) for each in sent if each.id in found]


def _summaries(states: Sequence[State]) -> dict[str, Mapping[str, Summary]]:
    return {
        each.id: PackedSummaries(each.summaries) if each.read is None else each.read
        for each in states
        if each.summaries is not None
    }


def _find(experiment_id: str, wanted: Sequence[str], *, consistent: bool) -> tuple[dict[str, Iteration], bool]:
    found, are_close = projection.find_iterations_nearby(experiment_id, wanted, consistent=consistent)
    return {each.id: each for each in iterations.without_hidden_parents(found)}, are_close


def _details(
    experiment_id: str,
    iterations: list[Iteration],
    names: frozenset[str] | None,
    summaries: Mapping[str, Mapping[str, Summary]],
    *,
    are_close: bool,
) -> Known:
    """Read parameters and tags: by one Query each for iterations that are close together, otherwise one by one."""
    kinds = {Kind.TAGS} if names is not None and not names else {Kind.TAGS, Kind.PARAMETERS}
    spans = [iterations] if are_close else [[each] for each in iterations]
    read = in_threads(lambda span: facts.read(experiment_id, span, kinds, keys=names), spans)
    return Known(
        {owner: values for each in read for owner, values in (each.parameters or {}).items()},
        summaries,
        {owner: values for each in read for owner, values in (each.tags or {}).items()},
    )
