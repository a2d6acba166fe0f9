"""Changes of an experiment's iterations, for tables that stay up to date."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Id, LimitedQuery
from chalicelib.routes.iteration import metrics_of, overview
from deardiary.wire import limits
from deardiary.wire.shapes import ChangedIterations
from deardiary.wire.times import format_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.services.search.facts import Facts

routes = Routes(__name__)

_ALL = "*"
Keys = Annotated[
    list[Annotated[str, Meta(max_length=limits.MAX_KEY_CHARACTERS)]],
    Meta(max_length=limits.MAX_PAGE_ITEMS, description="The keys; without it or with *, all keys; an empty text: none"),
]


class ChangesQuery(LimitedQuery):
    since: Annotated[str, Meta(description="The next_since of an earlier answer")] | None = None
    iteration_id: Annotated[list[Id], Meta(max_length=limits.MAX_PAGE_ITEMS)] = []
    parameters: Keys = []
    metrics: Keys = []
    grown: Annotated[bool, Meta(description="Have iterations that only logged more in `grown`, not in `data`")] = False
    limit: Annotated[int, Meta(ge=1, le=limits.MAX_PAGE_ITEMS)] = limits.MAX_PAGE_ITEMS


@routes.get("/experiments/{experiment_id}/iterations/changes", query=ChangesQuery)
def list_changes(call: Call[None, ChangesQuery], experiment_id: str) -> Answer[ChangedIterations]:
    """The ETag leaves `next_since` out of an answer with rows: the same rows again are no news."""
    from chalicelib.services import change as service  # most cold starts do not need it

    query = call.query
    found = service.list_changes(
        call.actor,
        experiment_id,
        query.since,
        query.limit,
        only=frozenset(query.iteration_id),
        parameters=_named(query.parameters),
        grown_apart=query.grown,
    )
    metrics = _named(query.metrics)
    rows = [_row(each, metrics, is_detailed=each.iteration.id in found.detailed) for each in found.rows]
    content = {
        "data": rows,
        "grown": {each: metrics_of(_wanted(summaries, metrics)) for each, summaries in found.grown.items()},
        "gone": found.gone,
        "last_seen": dict(zip(found.last_seen, _times(found.last_seen.values()), strict=True)),
        "reset": found.reset,
        "poll_after_seconds": found.poll_after_seconds,
    }
    whole = content | {"next_since": found.next_since}
    told = content if rows or found.grown or found.gone else whole
    return Answer(200, raw=whole, etag=hashlib.sha256(msgspec.json.encode(told)).hexdigest())


def _times(stamps_us: Iterable[int]) -> list[str]:
    return format_many(stamp_us // 1000 for stamp_us in stamps_us)


def _named(keys: list[str]) -> frozenset[str] | None:
    """None for all keys."""
    return None if not keys or _ALL in keys else frozenset(keys) - {""}


def _row(facts: Facts, metrics: frozenset[str] | None, *, is_detailed: bool) -> Mapping[str, Any]:
    facts = replace(facts, summaries=_wanted(facts.summaries, metrics))
    return overview(facts, {"metrics", "parameters", "tags"} if is_detailed else {"metrics"})


def _wanted(summaries: Mapping[str, Any], metrics: frozenset[str] | None) -> Mapping[str, Any]:
    """The summaries of these keys, in the order of `summaries`; of all for None."""
    return summaries if metrics is None else {key: summaries[key] for key in summaries if key in metrics}
