"""Search in everything that the caller may read."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import PageQuery
from deardiary.wire import limits
from deardiary.wire.shapes import KeysInUse, SearchResult

routes = Routes(__name__)


class SearchQuery(PageQuery, kw_only=True):
    q: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=limits.MAX_NAME_CHARACTERS,
            description="A part of a name or tag of a project, experiment or model, in any case; "
            "from three characters on also a part of the name of a recent iteration; "
            "or the first six or more characters of the id of anything, iterations and resources included",
        ),
    ]


@routes.get("/search", query=SearchQuery)
def search(call: Call[None, SearchQuery]) -> Answer[Page[SearchResult]]:
    from chalicelib.services.search import everywhere  # most cold starts do not need it

    return listed(everywhere.search(call.actor, call.query.q, call.query.limit, call.query.cursor))


@routes.get("/experiments/{experiment_id}/keys")
def list_keys(call: Call[None, None], experiment_id: str) -> Answer[KeysInUse]:
    # Search is a tenth of the server; most cold starts do not need it.
    from chalicelib.services.search import used

    return ok(used.list_keys(call.actor, experiment_id))
