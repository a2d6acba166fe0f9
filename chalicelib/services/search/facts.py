"""Data of iterations for a search: their own fields, and the owned things that the search names or includes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.services.search.ast import Kind, Name
from chalicelib.services.search.blocks import Blocks
from chalicelib.services.search.values import Value
from chalicelib.storage import parameter, tag
from chalicelib.storage.points.summary import Summary
from chalicelib.storage.reads import summaries as reads
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration


@dataclass(frozen=True, slots=True)
class Facts:
    """One iteration with its owned things; a kind that was not read is empty."""

    iteration: Iteration
    parameters: Mapping[str, str]
    summaries: Mapping[str, Summary]
    tags: Sequence[str]

    @property
    def id(self) -> str:
        return self.iteration.id

    def value(self, name: Name) -> Value | None:
        """The value of the name, a parameter as its text. None if the iteration has no such value."""
        match name.kind:
            case Kind.PARAMETERS:
                return self.parameters.get(name.key)
            case Kind.LABELS:
                return self.iteration.labels.get(name.key)
            case Kind.METRICS:
                summary = self.summaries.get(name.key)
                return None if summary is None else getattr(summary, name.part)
            case _:
                value: Value | None = getattr(self.iteration, name.key)
                return value


@dataclass(frozen=True, slots=True)
class Known:
    """Owned things by iteration id, for each kind that was read. None if the kind was not read."""

    parameters: Mapping[str, dict[str, str]] | None = None
    summaries: Mapping[str, Mapping[str, Summary]] | None = None
    tags: Mapping[str, list[str]] | None = None

    def merged(self, other: Known) -> Known:
        """What either of both has."""

        def both(one: Mapping[str, Any] | None, more: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
            return one if more is None or more is one else {**(one or {}), **more}

        return Known(
            both(self.parameters, other.parameters),
            both(self.summaries, other.summaries),
            both(self.tags, other.tags),
        )

    def of(self, iteration: Iteration) -> Facts:
        return Facts(
            iteration,
            (self.parameters or {}).get(iteration.id, {}),
            (self.summaries or {}).get(iteration.id, {}),
            (self.tags or {}).get(iteration.id, []),
        )


def read(
    experiment_id: str,
    iterations: Sequence[Iteration],
    kinds: Collection[Kind],
    *,
    keys: Collection[str] | None = None,
    known: Known | None = None,
    consistent: bool = True,
) -> Known:
    """Add these kinds to `known` for these iterations.

    For the iterations of a page it reads no others. For more it reads, with one Query for each kind, the span of their
    ids: such a list is almost the experiment. `keys` limits the parameters that are read. Not `consistent` costs half;
    see `item.raw_rows`.
    """
    known = known or Known()
    if not iterations:
        return known
    ids = [iteration.id for iteration in iterations]
    is_page = len(ids) <= limits.MAX_PAGE_ITEMS
    span = experiment_id, min(ids), max(ids)
    if Kind.PARAMETERS in kinds and known.parameters is None:
        found = (
            parameter.read_parameters_of_iterations(experiment_id, ids, keys, consistent=consistent)
            if is_page
            else parameter.read_parameters_of_span(*span, keys, consistent=consistent)
        )
        known = replace(known, parameters=found)
    if Kind.METRICS in kinds and known.summaries is None:
        summaries = (
            reads.read_summaries_of_iterations(experiment_id, ids, consistent=consistent)
            if is_page
            else reads.read_summaries_of_span(*span, consistent=consistent)
        )
        known = replace(known, summaries=summaries)
    if Kind.TAGS in kinds and known.tags is None:
        tags = (
            tag.read_tags_of_iterations(experiment_id, ids, consistent=consistent)
            if is_page
            else tag.read_tags_of_span(*span, consistent=consistent)
        )
        known = replace(known, tags=tags)
    return known


def read_of_page(
    iterations: Sequence[Iteration],
    kinds: Collection[Kind],
    blocks: Blocks,
    *,
    keys: Collection[str] | None,
    metrics: Collection[str] | None,
    parts: Collection[str],
    consistent: bool,
) -> Known:
    """Like `read` for the iterations of a page, with the columns of blocks where that costs less.

    `metrics` and `parts` say what is needed of the summaries.
    """
    rows = blocks.rows_of(each.id for each in iterations)
    packed = set(rows.ids)
    wanted = [each for each in iterations if each.id in packed]
    known = Known(
        rows.parameters(keys) if Kind.PARAMETERS in kinds else None,
        rows.summaries(metrics, parts) if Kind.METRICS in kinds else None,
        rows.tags() if Kind.TAGS in kinds else None,
    )
    # What has not changed for minutes is the same in all copies of the table.
    of_packed = read_in_pages(blocks.experiment_id, wanted, kinds, keys, known, consistent=False)
    others = [each for each in iterations if each.id not in packed]
    return of_packed.merged(read_in_pages(blocks.experiment_id, others, kinds, keys, Known(), consistent=consistent))


def read_in_pages(
    experiment_id: str,
    iterations: Sequence[Iteration],
    kinds: Collection[Kind],
    keys: Collection[str] | None,
    known: Known,
    *,
    consistent: bool,
) -> Known:
    """Like `read`, in groups, so that iterations between them are not read."""
    found = known
    for start in range(0, len(iterations), limits.MAX_PAGE_ITEMS):
        some = iterations[start : start + limits.MAX_PAGE_ITEMS]
        found = found.merged(read(experiment_id, some, kinds, keys=keys, known=known, consistent=consistent))
    return found
