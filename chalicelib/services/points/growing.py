"""Rollups of running iterations: a reader adds the batches that came since the rollup was made, and reads no others.

A rollup names the batches that it has (`newer.py`). A process keeps the rollups of the last polls. It stores one for
other processes when reading the batches since the stored one has cost as much as storing it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.aws.threads import in_threads
from chalicelib.services.points import memory, rollups
from chalicelib.services.points.forms import Form, accepted, form_of
from chalicelib.services.points.memory import Kept
from chalicelib.services.points.newer import Newer, covered_by, read_newer
from chalicelib.services.points.rollups import Wanted
from chalicelib.services.points.sketch import Part
from chalicelib.storage.points import rollup as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.rollup import Rollup, RollupKey
from chalicelib.storage.points.rows import Rows
from chalicelib.storage.table import conditional

# The number of unsaved rows, times the units to read them. To store a rollup costs about 36 write units, each as much
# as 5 read units, and each poll of another process reads the unsaved rows again.
WORTH_SAVING = 360
_NEVER, _ALWAYS = -1, 2**63


def read_rollups(wanted: Sequence[Wanted]) -> dict[RollupKey, Rollup]:
    """The rollups that are as good as the points, of ended iterations and of running ones."""
    settled = {name: state for each in wanted for name, state in each.states().items()}
    kept = {name: one for each in wanted for name in each.names() if (one := _remembered(each, name))}
    stored = storage.read_stored([name for each in wanted for name in each.names() if name not in kept])
    ready = {name: made for name, (state, made) in stored.items() if settled.get(name) == state}
    growing = [each for each in wanted if not set(each.names()) <= ready.keys()]
    kept |= {name: one for name, each in stored.items() if name not in ready and (one := Kept.of_stored(*each))}
    for grown in in_threads(lambda each: _grown(each, kept), growing):
        ready |= grown
    return ready


def read_slices(wanted: Wanted) -> dict[str, list[Part]]:
    """Read all points of these curves. Of a running iteration, keep their rollups."""
    only = wanted.keys if wanted.series.moved else None
    read = rows.read_rows(wanted.iteration.id, only)
    slices = rows.open_slices(read.stored, wanted.keys)
    if not rollups.is_at_rest(wanted.iteration) and wanted.names():
        _keep_new(wanted, read, slices)
    return slices


def _remembered(wanted: Wanted, name: RollupKey) -> Kept | None:
    """What this process keeps of a running iteration. An ended one has a stored rollup sooner or later."""
    found = None if rollups.is_at_rest(wanted.iteration) else memory.find(name)
    return found if found and _is_current(wanted, found) else None


def _is_current(wanted: Wanted, kept: Kept) -> bool:
    return (kept.edited_us, kept.origin) == (wanted.series.edited_us, wanted.origin)


def _grown(wanted: Wanted, kept: Mapping[RollupKey, Kept]) -> dict[RollupKey, Rollup]:
    """The rollups of an iteration with all batches. Without those that take a reading of all points."""
    own = {name: kept[name] for name in wanted.names() if name in kept and _is_current(wanted, kept[name])}
    if not own:
        return {}
    since = min((each.covered for each in own.values()), key=lambda each: each.until_us)
    newer = read_newer(wanted.iteration.id, wanted.series, since)
    if newer is None:
        return {}
    form, slices = form_of(wanted), rows.open_slices(newer.stored, [name.key for name in own])
    grown = {name: _with_newer(form, each, slices.get(name.key, []), newer) for name, each in own.items()}
    whole = {name: both for name, both in grown.items() if both and _is_whole(wanted, name, form, both[1])}
    ready = {name: form.at_rest(made) for name, (_, made) in whole.items()}
    if rollups.is_at_rest(wanted.iteration):
        rollups.keep_rollups(wanted, {name.key: made for name, made in ready.items()})
    else:
        _keep(wanted, {name: one for name, (one, _) in whole.items()})
    return ready


def _with_newer(form: Form, kept: Kept, parts: Sequence[Part], newer: Newer) -> tuple[Kept, Rollup] | None:
    """What to keep, and the rollup with all batches. None if it takes all points."""
    until_us = max(kept.covered.until_us, newer.covered.until_us)
    made = _with_parts(form, kept.made, accepted(parts, kept.covered.until_us, until_us))
    whole = made and _with_parts(form, made, accepted(parts, until_us, _ALWAYS))
    if made is None or whole is None:
        return None
    return (kept if until_us == kept.covered.until_us else kept.grown(made, newer)), whole


def _with_parts(form: Form, made: Rollup, parts: Sequence[Part]) -> Rollup | None:
    return form.with_parts(made, parts) if parts else made


def _keep_new(wanted: Wanted, read: Rows, slices: Mapping[str, Sequence[Part]]) -> None:
    covered, form, made = covered_by(wanted.series, read), form_of(wanted), {}
    if covered is None:
        return
    for name in wanted.names():
        parts = accepted(slices.get(name.key, []), _NEVER, covered.until_us)
        rollup = form.of_parts(parts) if parts else None
        if rollup and _is_whole(wanted, name, form, rollup):
            made[name] = Kept(rollup, covered, wanted.series.edited_us, wanted.origin)
    _save(wanted, made)


def _is_whole(wanted: Wanted, name: RollupKey, form: Form, made: Rollup) -> bool:
    """True if it has as many points as the summary says, which lacks those of announced batches."""
    points = form.number_of_points(made)
    return bool(wanted.series.announced) or points == wanted.series.summaries[name.key].count


def _keep(wanted: Wanted, made: Mapping[RollupKey, Kept]) -> None:
    for name, each in made.items():
        memory.keep(name, each)
    worth = WORTH_SAVING * len(made)
    _save(wanted, {name: each for name, each in made.items() if each.unsaved_rows * each.unsaved_units >= worth})


def _save(wanted: Wanted, made: Mapping[RollupKey, Kept]) -> None:
    """Store rollups, and keep them in this process. A conflict or an overload leaves it to a later reader."""
    if made:
        with conditional.best_effort():
            storage.put_rollups(wanted.iteration, {name: (each.state, each.made) for name, each in made.items()})
        for name, each in made.items():
            memory.keep(name, each.saved())
