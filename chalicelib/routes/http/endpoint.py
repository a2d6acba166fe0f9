"""The part of a request that all routes share: guard, sign-in, parsing, errors, CORS, log line, 503 and 304.

Each view is wrapped when it is registered: Chalice's middleware does not see the errors of views, and Chalice's own
answers carry no CORS headers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Generic, TypeVar

from chalice.app import Blueprint, Request, Response
from msgspec import Raw, Struct, structs

from chalicelib import ahead, deadline, outgoing
from chalicelib.aws import throttling
from chalicelib.aws.overload import is_overload
from chalicelib.errors import (
    Conflict,
    DomainError,
    NotFound,
    PayloadTooLarge,
    PermissionRequired,
    ServerError,
    Unavailable,
    about,
    not_found,
)
from chalicelib.routes.http import cookie, cors, parse, request_log, write_only
from chalicelib.routes.http.answer import (
    JSON,
    MAX_ANSWER_BYTES,
    Answer,
    TooManyRows,
    encode,
    render,
    rows_of,
    size_in_lambda,
    unless_matched,
)
from chalicelib.routes.http.face import API, Expects, Face, Operation, View
from chalicelib.services.actor import Actor

B = TypeVar("B")
Q = TypeVar("Q")
E = TypeVar("E", NotFound, Conflict)
Line = dict[str, Any]  # of the request log
Serve = Callable[[Request, Mapping[str, str], Line], Answer[Any]]
# The operation of a method and the values in a path, with the ids of that operation's own path.
Find = Callable[[str, Mapping[str, str]], tuple[Operation, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """A request as a view sees it: its sender, and its body and query, both checked."""

    who: Actor | None
    body: B
    query: Q
    # The client's address as API Gateway sees it: a header of the client could lie.
    source: str
    # The URL of this server as the client reaches it, stage included.
    site: str
    # The request headers that the face lets views see, by their names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        if self.who is None:
            raise TypeError("a public route has no actor")
        return self.who


class Routes(Blueprint):
    """A blueprint of one face. Its views accept a `Call` and the ids of the path, and return an `Answer`."""

    def __init__(self, import_name: str, face: Face = API) -> None:
        super().__init__(import_name)
        self.face = face
        self.paths: list[str] = []

    def get(self, path: str, *, query: type[Struct] | None = None, public: bool = False) -> Callable[[View], View]:
        return self._register("GET", path, None, query, public=public)

    def post(
        self, path: str, *, body: type[Struct] | None = None, public: bool = False, expects: Expects | None = None
    ) -> Callable[[View], View]:
        return self._register("POST", path, body, public=public, expects=expects)

    def put(self, path: str, *, body: type[Struct]) -> Callable[[View], View]:
        return self._register("PUT", path, body)

    def put_bytes(self, path: str, *, query: type[Struct]) -> Callable[[View], View]:
        """Accept bytes without sign-in: the signed URL is the permission to put them."""
        return self._register("PUT", path, None, query, public=True, takes_bytes=True)

    def patch(self, path: str, *, body: type[Struct]) -> Callable[[View], View]:
        return self._register("PATCH", path, body)

    def delete(self, path: str, *, query: type[Struct] | None = None, public: bool = False) -> Callable[[View], View]:
        return self._register("DELETE", path, None, query, public=public)

    def _register(
        self,
        method: str,
        path: str,
        body: type[Struct] | None,
        query: type[Struct] | None = None,
        *,
        public: bool = False,
        takes_bytes: bool = False,
        expects: Expects | None = None,
    ) -> Callable[[View], View]:
        no_query = parse.AnyQuery if self.face.ignores_unknown_fields else parse.Query

        def register(view: View) -> View:
            is_new_path = not self.face.methods(path)
            operation = Operation(method, path, view, body, query or no_query, public, takes_bytes, expects)
            self.face.add(operation)
            self.paths.append(path)
            if is_new_path:
                methods = partial(self.face.methods, path)
                self._route(["OPTIONS"], path, f"preflight_{view.__name__}", _preflight(methods))
            self._route([method], path, view.__name__, partial(_perform, operation, self.face))
            return view

        return register

    def dispatch(self, methods: Sequence[str], path: str, find: Find) -> None:
        """Route a path to many operations. `find` chooses one at each request, and may import it then."""
        self.paths.append(path)
        self._route(["OPTIONS"], path, f"preflight {path}", _preflight(lambda: methods))
        self._route(methods, path, path, partial(_dispatch, find, self.face))

    def _route(self, methods: Sequence[str], path: str, name: str, serve: Serve) -> None:
        def handler(**ids: str) -> Response:
            request = self.current_request
            with (
                deadline.begun(),
                throttling.failing_fast(),
                request_log.entry(f"{request.method} {path}", request.context) as line,
            ):
                with outgoing.collecting() as posted:
                    answer = _answer(self.face, request, ids, serve, line)
                if posted:
                    line["events_left"] = _send(posted)
                if request.method == "GET":
                    answer = unless_matched(answer, request.headers.get("if-none-match"))
                line["status"] = answer.status
                return render(answer, cors.cors_headers(request.headers))

        # Every body is read as JSON, whatever its media type: Chalice would answer 415 in a form of its own.
        self.route(path, methods=list(methods), name=name, content_types=[])(handler)


def _send(posted: Sequence[Any]) -> int:
    """Send events. Few requests have any, so their module is imported here."""
    from chalicelib.services import event

    return event.send(posted)


def _answer(face: Face, request: Request, ids: Mapping[str, str], serve: Serve, line: Line) -> Answer[Any]:
    try:
        cors.guard(request.headers)
        return serve(request, ids, line)
    except DomainError as error:
        if isinstance(error, Unavailable):
            request_log.note_error(line, error, expected=True)
        return face.refuse(error)
    except Exception as error:  # noqa: BLE001 - the last resort: the caller gets the face's error form and no trace
        passing = is_overload(error)
        request_log.note_error(line, error, expected=passing)
        return face.refuse(Unavailable(retry_after=1) if passing else ServerError())


def _call(operation: Operation, face: Face, request: Request, read_body: Callable[[], Any]) -> Call[Any, Any]:
    site = cors.site(request.headers, request.context["path"], request.context["resourcePath"])
    who = None if operation.public else _authenticate(operation, face, request, site)
    given = request.query_params
    parameters = {name: given.getlist(name) for name in given} if given else {}
    return Call(
        who,
        read_body(),
        face.parse_query(operation.query, parameters),
        request.context["identity"]["sourceIp"],
        site,
        {name: request.headers[name] for name in face.headers if name in request.headers},
    )


def _dispatch(find: Find, face: Face, request: Request, ids: Mapping[str, str], line: Line) -> Answer[Any]:
    operation, path_ids = find(request.method, ids)
    line["route"] = f"{operation.method} {operation.path}"
    return _perform(operation, face, request, path_ids, line)


def _perform(operation: Operation, face: Face, request: Request, ids: Mapping[str, str], _line: Line) -> Answer[Any]:
    read_body = cache(partial(_body, operation, face, request))
    if operation.expects is None:
        return _served(operation, _call(operation, face, request, read_body), ids)
    with ahead.expecting(partial(_expected, operation.expects, read_body, ids)):
        return _served(operation, _call(operation, face, request, read_body), ids)


def _expected(expects: Expects, read_body: Callable[[], Any], ids: Mapping[str, str], user_id: str) -> Collection[Any]:
    """The keys that the view expects; none if the request is refused later, after its sign-in."""
    try:
        return expects(user_id, read_body(), **parse.path_ids(ids))
    except DomainError:
        return ()


def _served(operation: Operation, call: Call[Any, Any], ids: Mapping[str, str]) -> Answer[Any]:
    path_ids = parse.path_ids(ids)
    if isinstance(call.query, parse.LimitedQuery):
        return _page(lambda limit: _view(operation, _limited(call, limit), path_ids), call.query.limit)
    answer = _view(operation, call, path_ids)
    return _whole(answer) if _reads(operation) and answer.media_type == JSON else answer


def _reads(operation: Operation) -> bool:
    return operation.reads or operation.method == "GET"


def _whole(answer: Answer[Any]) -> Answer[Any]:
    """The answer with its JSON. PayloadTooLarge if Lambda cannot return that much."""
    text = encode(answer)
    if size_in_lambda(text) > MAX_ANSWER_BYTES:
        raise PayloadTooLarge("This is longer than an answer can be; read its parts separately")
    return replace(answer, payload=None, raw=Raw(text)) if text else answer


def _view(operation: Operation, call: Call[Any, Any], path_ids: Mapping[str, str]) -> Answer[Any]:
    """Call the view. If the caller may not read, remove from the answer what others wrote."""
    try:
        _check_share(operation, call)
        answer = operation.view(call, **path_ids)
    except NotFound as error:
        raise _about(error, path_ids) from None
    except Conflict as error:
        named = _about(error, path_ids)
        raise write_only.conflict(named, call.body) if _is_blind(call) else named from None
    if operation.method != "GET" and _is_blind(call):
        return write_only.without_others_texts(operation.method, answer, call.body)
    return answer


def _check_share(operation: Operation, call: Call[Any, Any]) -> None:
    """NotFound if the viewer of a share asks for more than it shows."""
    if call.who is not None and call.who.reach is not None:
        from chalicelib.routes.http import shared

        shared.require_shown(operation, call.who.reach, call.query)


def _is_blind(call: Call[Any, Any]) -> bool:
    return call.who is not None and bool(call.who.blind_in)


def _page(view: Callable[[int], Answer[Any]], limit: int) -> Answer[Any]:
    """Answer with as many rows as one answer can hold: fewer than requested if they are long."""
    while True:
        try:
            answer = view(limit)
        except TooManyRows as error:
            limit = error.limit
            continue
        text = encode(answer)
        size = size_in_lambda(text)
        if size <= MAX_ANSWER_BYTES:
            return replace(answer, payload=None, raw=Raw(text))
        rows = rows_of(answer)
        if rows <= 1:
            raise PayloadTooLarge("A row of this list is longer than an answer can be; read its parts separately")
        limit = max(1, min(rows - 1, rows * MAX_ANSWER_BYTES // size))


def _about(error: E, path_ids: Mapping[str, str]) -> E:
    """Return the error with an object: the last one of the path, if the error names none."""
    if not path_ids or "trash_id" in error.details:
        return error
    *others, (name, object_id) = path_ids.items()
    owner = error.details.get("id")
    if isinstance(error, NotFound) and owner not in dict(others).values() and object_id.startswith(str(owner)):
        # The id of a part begins with its owner's id: if the owner is missing, name the part, which was requested.
        raise not_found(parse.kind_of(name), object_id) from None
    return about(error, parse.kind_of(name), object_id)


def _limited(call: Call[Any, Any], limit: int) -> Call[Any, Any]:
    return call if call.query.limit == limit else replace(call, query=structs.replace(call.query, limit=limit))


def _body(operation: Operation, face: Face, request: Request) -> Any:
    raw = request.raw_body
    content = raw.encode() if isinstance(raw, str) else raw
    if operation.takes_bytes:
        return content
    return face.parse_body(operation.body, content) if operation.body else None


def _authenticate(operation: Operation, face: Face, request: Request, site: str) -> Actor:
    source = request.context["identity"]["sourceIp"]
    actor = replace(face.authenticate(cookie.authorization(request.headers, site), source), site=site)
    if actor.reach is not None:
        # Most cold starts do not need it.
        from chalicelib.routes.http import shared

        shared.require_allowed(operation)
    if actor.read_only and not _reads(operation):
        raise PermissionRequired("This token may only read", read_only=True)
    return actor


def _preflight(methods: Callable[[], Sequence[str]]) -> Serve:
    def answer(_request: Request, _ids: Mapping[str, str], _line: Line) -> Answer[Any]:
        return Answer(200, {}, {"Access-Control-Allow-Methods": ", ".join(methods()), **cors.PREFLIGHT})

    return answer
