"""What every route shares, in one place: the guard, the bearer check, shapes in and out, the error envelope, CORS.

A view is wrapped when it is registered: Chalice's middleware never sees the errors of views, and the answers that it
makes itself carry no CORS headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from chalice.app import Blueprint, Request, Response
from msgspec import Raw, Struct, structs

from chalicelib import deadline
from chalicelib.aws.overload import is_overload
from chalicelib.errors import (
    Conflict,
    DomainError,
    NotFound,
    PayloadTooLarge,
    PermissionRequired,
    Unavailable,
    about,
    not_found,
)
from chalicelib.routes.http import blind, cors, parse, request_log
from chalicelib.routes.http.answer import (
    MAX_ANSWER_BYTES,
    Answer,
    encode,
    failed,
    refused,
    render,
    rows_of,
    size_in_lambda,
)
from chalicelib.services import auth
from chalicelib.services.access import Actor

B = TypeVar("B")
Q = TypeVar("Q")
E = TypeVar("E", NotFound, Conflict)
View = Callable[..., Answer[Any]]
Serve = Callable[[Request, Mapping[str, str]], Answer[Any]]


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """A request as a view sees it: who asks, the body and the query string, all checked."""

    who: Actor | None
    body: B
    query: Q
    # The address that API Gateway saw; what a client says of itself in a header is not believed.
    source: str
    # This server's URL, stage included, as the client reaches it.
    site: str
    # Which of the bytes a download wants: the header `Range`.
    range: str | None = None

    @property
    def actor(self) -> Actor:
        if self.who is None:
            raise TypeError("a public route has no actor")
        return self.who


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path: the OpenAPI document and the tests read what is registered."""

    method: str
    path: str
    view: View
    body: type[Struct] | None
    query: type[Struct]
    public: bool
    # The body is bytes and no JSON.
    takes_bytes: bool = False


OPERATIONS: list[Operation] = []


class Routes(Blueprint):
    """A blueprint whose views take a `Call` and the ids of the path, and give an `Answer`."""

    def get(self, path: str, *, query: type[Struct] = parse.Query, public: bool = False) -> Callable[[View], View]:
        return self._register("GET", path, None, query, public=public)

    def post(self, path: str, *, body: type[Struct] | None = None, public: bool = False) -> Callable[[View], View]:
        return self._register("POST", path, body, parse.Query, public=public)

    def put(self, path: str, *, body: type[Struct]) -> Callable[[View], View]:
        return self._register("PUT", path, body, parse.Query, public=False)

    def put_bytes(self, path: str, *, query: type[Struct]) -> Callable[[View], View]:
        """Bytes for which a URL was signed: it says itself what may be put there."""
        return self._register("PUT", path, None, query, public=True, takes_bytes=True)

    def patch(self, path: str, *, body: type[Struct]) -> Callable[[View], View]:
        return self._register("PATCH", path, body, parse.Query, public=False)

    def delete(self, path: str) -> Callable[[View], View]:
        return self._register("DELETE", path, None, parse.Query, public=False)

    def _register(
        self,
        method: str,
        path: str,
        body: type[Struct] | None,
        query: type[Struct],
        *,
        public: bool,
        takes_bytes: bool = False,
    ) -> Callable[[View], View]:
        def register(view: View) -> View:
            operation = Operation(method, path, view, body, query, public, takes_bytes)
            if all(each.path != path for each in OPERATIONS):
                self._route("OPTIONS", path, f"preflight_{view.__name__}", _preflight(path))
            OPERATIONS.append(operation)
            self._route(method, path, view.__name__, lambda request, ids: _perform(operation, request, ids))
            return view

        return register

    def _route(self, method: str, path: str, name: str, serve: Serve) -> None:
        def handler(**ids: str) -> Response:
            request = self.current_request
            with deadline.begun(), request_log.entry(f"{method} {path}", request.context) as line:
                response = _respond(request, ids, serve, line)
                line["status"] = response.status_code
            return response

        # Whatever a client calls its body, it is read as JSON: Chalice would answer 415 in a form of its own.
        self.route(path, methods=[method], name=name, content_types=[])(handler)


def _respond(request: Request, ids: Mapping[str, str], serve: Serve, line: dict[str, Any]) -> Response:
    try:
        cors.guard(request.headers)
        answer = serve(request, ids)
    except DomainError as error:
        if isinstance(error, Unavailable):
            request_log.note_error(line, error, expected=True)
        answer = refused(error)
    except Exception as error:  # noqa: BLE001 - the last resort: the caller gets the envelope and no trace
        passing = is_overload(error)
        request_log.note_error(line, error, expected=passing)
        answer = refused(Unavailable(retry_after=1)) if passing else failed()
    return render(answer, cors.cors_headers(request.headers))


def _perform(operation: Operation, request: Request, ids: Mapping[str, str]) -> Answer[Any]:
    who = None if operation.public else _authenticate(operation, request)
    given = request.query_params
    parameters = {name: given.getlist(name) for name in given} if given else {}
    call: Call[Any, Any] = Call(
        who,
        _body(operation, request),
        parse.query(operation.query, parameters),
        request.context["identity"]["sourceIp"],
        cors.site(request.headers, request.context["path"], request.context["resourcePath"]),
        request.headers.get("range"),
    )
    path_ids = parse.path_ids(ids)
    if isinstance(call.query, parse.PageQuery):
        return _page(lambda limit: _told(operation, _limited(call, limit), path_ids), call.query.limit)
    return _told(operation, call, path_ids)


def _told(operation: Operation, call: Call[Any, Any], path_ids: Mapping[str, str]) -> Answer[Any]:
    """The view's answer, without what others wrote if the caller may not read that."""
    try:
        answer = operation.view(call, **path_ids)
    except NotFound as error:
        raise _about(error, path_ids) from None
    except Conflict as error:
        named = _about(error, path_ids)
        raise blind.conflict(named, call.body) if _is_blind(call) else named from None
    if operation.method != "GET" and _is_blind(call):
        return blind.without_what_others_wrote(operation.method, answer, call.body)
    return answer


def _is_blind(call: Call[Any, Any]) -> bool:
    return call.who is not None and bool(call.who.blind_in)


def _page(view: Callable[[int], Answer[Any]], limit: int) -> Answer[Any]:
    """As many rows of a list as one answer can hold: fewer than were asked for where they are long."""
    while True:
        answer = view(limit)
        text = encode(answer)
        size = size_in_lambda(text)
        if size <= MAX_ANSWER_BYTES:
            return Answer(answer.status, headers=answer.headers, raw=Raw(text))
        rows = rows_of(answer)
        if rows <= 1:
            raise PayloadTooLarge("A row of this list is longer than an answer can be; ask for what it owns by itself")
        limit = max(1, min(rows - 1, rows * MAX_ANSWER_BYTES // size))


def _about(error: E, path_ids: Mapping[str, str]) -> E:
    """The error with the object that it is about: the last of the path, if the error names none."""
    if not path_ids:
        return error
    *others, (name, object_id) = path_ids.items()
    owner = error.details.get("id")
    if isinstance(error, NotFound) and owner not in dict(others).values() and object_id.startswith(str(owner)):
        # The id of a part begins with its owner's: without the owner it is the part that is not there.
        raise not_found(parse.kind_of(name), object_id) from None
    return about(error, parse.kind_of(name), object_id)


def _limited(call: Call[Any, Any], limit: int) -> Call[Any, Any]:
    return call if call.query.limit == limit else replace(call, query=structs.replace(call.query, limit=limit))


def _body(operation: Operation, request: Request) -> Any:
    raw = request.raw_body
    content = raw.encode() if isinstance(raw, str) else raw
    if operation.takes_bytes:
        return content
    return parse.body(operation.body, content) if operation.body else None


def _authenticate(operation: Operation, request: Request) -> Actor:
    actor = auth.authenticate(request.headers.get("authorization"))
    if actor.read_only and operation.method != "GET":
        raise PermissionRequired("This token may only read")
    return actor


def _preflight(path: str) -> Serve:
    def answer(_request: Request, _ids: Mapping[str, str]) -> Answer[Any]:
        methods = ", ".join(each.method for each in OPERATIONS if each.path == path)
        return Answer(200, {}, {"Access-Control-Allow-Methods": methods, **cors.PREFLIGHT})

    return answer
