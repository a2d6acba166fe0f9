"""Packing: write the column blocks of an experiment, in steps that survive a crash.

A reader that finds many iterations outside of blocks asks for it; the scheduled function packs. A step writes one
block: of new iterations at the end, of small blocks and new iterations together, or of the range of one block again,
when many of its iterations have changed or one was removed. See `storage/blocks/head.py` for the protocol.

A block holds ended iterations only that have been quiet for two minutes. A request that has read one of them before its
end is over by then (`chalicelib/deadline.py`), and every later change marks it as changed (`storage/change.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from chalicelib import deadline, ids
from chalicelib.errors import NotFound, Overtaken
from chalicelib.services.lifecycle.budget import Budget, all_done
from chalicelib.services.points import merging, recompute
from chalicelib.services.points.merging import STALE_AFTER, now_us
from chalicelib.storage import change, parameter, series, tag
from chalicelib.storage import experiment as experiments
from chalicelib.storage.blocks import column, content, request
from chalicelib.storage.blocks import head as storage
from chalicelib.storage.blocks.content import Row
from chalicelib.storage.blocks.head import Block, Head, OldMarks
from chalicelib.storage.reads import deleted, projection, summaries
from deardiary.wire.shapes import Experiment, Iteration

BLOCK_ROWS = 1000
# Write a block again when this share of its rows is out of date.
ONE_CHANGED_IN = 20
# Summaries in a block: a thousand keys make blocks of fewer rows.
MOST_SUMMARIES = 200_000
QUIET_US = 2 * STALE_AFTER


class _Range(NamedTuple):
    """The ids after one and up to another, and the blocks there, which the new block replaces."""

    after: str
    last: str
    replaced: tuple[Block, ...] = ()


def pack_requested(seconds: float) -> bool:
    """Pack all experiments that readers have asked for. True if nothing is left to do now."""
    budget = Budget(seconds)
    return all_done((partial(_serve, *each, budget) for each in list(request.each_request())), budget)


def _serve(experiment_id: str, stamp: str, budget: Budget) -> bool:
    """Pack one experiment. False while blocks of it wait for their removal, or another packer is at work."""
    experiment = _find(experiment_id)
    with suppress(NotFound, Overtaken):
        while experiment and pack(experiment):
            budget.check()
    head = storage.read_head(experiment_id)
    if experiment and (head.retired or head.marks):
        return False
    request.remove(experiment_id, stamp)
    return True


def _find(experiment_id: str) -> Experiment | None:
    target = deleted.find_target(experiment_id)
    return None if target is None else experiments.find_experiment(target.project_id, experiment_id)


def pack(experiment: Experiment) -> bool:
    """One step. False if there is nothing to do; Overtaken if another packer is at work."""
    with deadline.begun():
        head = storage.read_head(experiment.id)
        if head.leased_us is not None and now_us() - head.leased_us <= STALE_AFTER:
            raise Overtaken
        if _remove_retired(experiment, head):
            return True
        wanted = _next_range(experiment.id, head)
        return wanted is not None and _pack(experiment, head, wanted)


def _remove_retired(experiment: Experiment, head: Head) -> bool:
    """Remove blocks and marks that no reader needs any more. True if there were some."""
    before = now_us() - STALE_AFTER
    retired = [block_id for block_id, since_us in head.retired.items() if since_us < before]
    marks = [each for each in head.marks if each.since_us < before]
    if marks:
        stored = change.read_changed(experiment.id, max(each.last for each in marks), consistent=True)
        for iteration_id, stamp in stored.items():
            if storage.is_old_mark(marks, iteration_id, stamp):
                change.unmark_changed(experiment.id, iteration_id, stamp)
    for block_id in retired:
        for _ in column.remove_columns(experiment.id, block_id):
            deadline.check()
    if retired or marks:
        left = {name: since_us for name, since_us in head.retired.items() if name not in retired}
        kept = tuple(each for each in head.marks if each not in marks)
        storage.write_head(experiment, replace(head, retired=left, marks=kept))
    return bool(retired or marks)


def _next_range(experiment_id: str, head: Head) -> _Range | None:
    now = now_us()
    restless = _restless(experiment_id, now)
    return _new_range(experiment_id, head, now, restless) or _changed_range(experiment_id, head, now, restless)


def _restless(experiment_id: str, now: int) -> set[str]:
    """The iterations that have changed lately: a request that has read them before may still write."""
    return {each.iteration_id for each in change.read_changes(experiment_id, now - QUIET_US, consistent=True)}


def _new_range(experiment_id: str, head: Head, now: int, restless: Collection[str]) -> _Range | None:
    """Iterations after the last block. With small blocks before them if they fill a whole one together."""
    after = head.blocks[-1].last if head.blocks else ""
    last, rows = after, 0
    # An iteration that is being created may have an id that is older than others.
    for iteration_id, has_end in projection.read_ends(experiment_id, after, ids.stamp(now - QUIET_US)):
        if has_end and iteration_id not in restless:
            last, rows = iteration_id, rows + 1
        if rows == BLOCK_ROWS:
            break
    if rows < request.ENOUGH_ROWS:
        return None
    small = _small_at_end(head)
    if small and sum(block.rows for block in small) + rows >= BLOCK_ROWS:
        return _Range(_start_of(head, small[0]), last, tuple(small))
    return _Range(after, last)


def _small_at_end(head: Head) -> list[Block]:
    """The last blocks as long as they are small, and few enough summaries for one block."""
    small: list[Block] = []
    for block in reversed(head.blocks):
        summaries = block.summaries + sum(each.summaries for each in small)
        if block.rows * 5 >= BLOCK_ROWS * 4 or summaries > MOST_SUMMARIES:
            break
        small.insert(0, block)
    return small


def _start_of(head: Head, block: Block) -> str:
    """The id after which the range of the block begins."""
    position = head.blocks.index(block)
    return head.blocks[position - 1].last if position else ""


def _changed_range(experiment_id: str, head: Head, now: int, restless: Collection[str]) -> _Range | None:
    """The range of a block that is out of date: some of its rows have changed, or open ones can be packed now."""
    if not head.blocks:
        return None
    marks = change.read_changed(experiment_id, head.blocks[-1].last, consistent=True)
    stamp = ids.stamp(now - QUIET_US)
    changed = [each for each, at in marks.items() if at < stamp and not storage.is_old_mark(head.marks, each, at)]
    for block in head.blocks:
        after = _start_of(head, block)
        own = [each for each in changed if after < each <= block.last and each not in block.open]
        ripe = [each for each in _ended(experiment_id, block.open) if each not in restless]
        out_of_date = len(own) + len(ripe)
        if (out_of_date * ONE_CHANGED_IN >= max(block.rows, 1) and out_of_date) or _one_is_removed(experiment_id, own):
            return _Range(after, block.last, (block,))
    return None


def _ended(experiment_id: str, iteration_ids: Sequence[str]) -> list[str]:
    """Those of these iterations that a block can hold."""
    if not iteration_ids:
        return []
    found = projection.find_iterations(experiment_id, iteration_ids, ["end_date"], consistent=False)
    ended = [each.id for each in found if each.end_date is not None]
    known = series.read_series_of_iterations(experiment_id, ended)
    return [each for each in ended if each in known and known[each].is_settled]


def _one_is_removed(experiment_id: str, iteration_ids: Sequence[str]) -> bool:
    return (
        len(projection.find_even_hidden(experiment_id, iteration_ids)) < len(iteration_ids) if iteration_ids else False
    )


def _pack(experiment: Experiment, head: Head, wanted: _Range) -> bool:
    """Write one block of a range, and name it in the head. Overtaken if another packer was faster."""
    now, block_id = now_us(), ids.new_id()
    leased = storage.write_head(experiment, replace(head, retired={**head.retired, block_id: now}, leased_us=now))
    rows = _read_rows(experiment.id, wanted, _restless(experiment.id, now))
    rows, wanted = _fitting(rows, wanted)
    ids_of_rows = {row.iteration.id for row in rows}
    everything = projection.read_ends(experiment.id, wanted.after, wanted.last)
    left = tuple(each for each, _ in everything if each not in ids_of_rows)
    column.put_columns(experiment.id, block_id, content.encode_block(rows))
    block = Block(block_id, wanted.last, len(rows), sum(len(row.summaries) for row in rows), left)
    replaced = {each.id for each in wanted.replaced}
    blocks = sorted(
        [*(each for each in head.blocks if each.id not in replaced), block],
        key=lambda each: each.last,
    )
    done = now_us()
    retired = {name: since_us for name, since_us in leased.retired.items() if name != block_id}
    retired |= dict.fromkeys(replaced, done)
    marks = OldMarks(done, wanted.after, wanted.last, ids.stamp(now - QUIET_US))
    packed = replace(leased, blocks=tuple(blocks), retired=retired, marks=(*head.marks, marks), leased_us=None)
    storage.write_head(experiment, packed)
    return True


def _read_rows(experiment_id: str, wanted: _Range, restless: Collection[str]) -> list[Row]:
    """The iterations that the block can hold. Not consistent: they have not changed for two minutes."""
    found = projection.read_between(experiment_id, wanted.after, wanted.last, content.FIELDS, consistent=False)
    iterations = [each for each in found if each.end_date is not None and each.id not in restless]
    if not iterations:
        return []
    span = experiment_id, iterations[0].id, iterations[-1].id
    settled, unsummarised = summaries.read_settled_of_span(*span)
    _summarise([each for each in iterations if each.id in set(unsummarised)])
    parameters = parameter.read_parameters_of_span(*span, consistent=False)
    tags = tag.read_tags_of_span(*span, consistent=False)
    return [
        Row(each, parameters.get(each.id, {}), settled[each.id], tags.get(each.id, []))
        for each in iterations
        if each.id in settled
    ]


def _summarise(iterations: Sequence[Iteration]) -> None:
    """Finish the edits and the ends of requests that died: the next block can hold their iterations."""
    for iteration in iterations:
        with suppress(NotFound):
            stored = series.read_series(iteration.experiment_id, iteration.id)
            recompute.recompute_stale(iteration, merging.settle_at_end(iteration, stored))


def _fitting(rows: list[Row], wanted: _Range) -> tuple[list[Row], _Range]:
    """As many rows as a block can hold, and their range: of many summaries fewer than a thousand rows."""
    count = 0
    for number, row in enumerate(rows):
        count += len(row.summaries)
        if count > MOST_SUMMARIES and number and not wanted.replaced:
            return rows[:number], _Range(wanted.after, rows[number - 1].iteration.id)
    return rows, wanted
