"""The OpenAPI 3.1 document, created from the structs that validate requests and from the return types of views."""

from __future__ import annotations

import typing
from enum import IntEnum
from functools import cache
from types import UnionType
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct

from chalicelib.routes import blueprints
from chalicelib.routes.http.answer import BINARY, JSON, Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.face import API, Operation
from chalicelib.routes.http.parse import ALIAS, AnyObject
from deardiary.wire import limits, shapes

routes = Routes(__name__)

Schema = dict[str, Any]

_ERROR: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "object"}},
    "additionalProperties": False,
}
# JSON has no number for these three.
_FLOAT: Schema = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
_ID: Schema = {"type": "string", "pattern": f"^[0-9a-z.-]{{1,{limits.MAX_ID_CHARACTERS}}}$"}
_ALIAS: Schema = {"type": "string", "pattern": f"^{ALIAS}$"}
_ERRORS = {
    "401": "The caller is not signed in: a TOKEN_… code, or INVALID_CREDENTIALS",
    "403": "The caller may not do this; INVALID_CREDENTIALS: `current_password` is wrong",
    "404": "It does not exist, or the caller may not see it",
    "409": "The request conflicts with the stored state",
    "413": "The body, or the answer, is too large",
    "422": "The request is malformed or breaks a rule; `details.field` names the field",
    "429": "Too many attempts; `Retry-After` says how long to wait",
    "503": "Overloaded; `Retry-After` says when to try again",
}


@routes.get("/openapi.json", public=True)
def get_openapi(_call: Call[None, None]) -> Answer[dict[str, Any]]:
    return ok(document())


@cache
def document() -> Schema:
    """The whole document, created at the first request for it."""
    schemas, components = _schemas()
    paths: dict[str, Schema] = {}
    for operation in _operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "DearDiary", "version": "1", "description": "Experiment tracking in your own AWS account."},
        "paths": paths,
        "components": {
            "schemas": {**_with_words(_with_floats(components)), "Error": _ERROR},
            "responses": _failures(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


@cache
def _operations() -> list[Operation]:
    """All operations, in the order of their modules, whichever was imported first."""
    blueprints.load_all()
    order = [blueprints.full_name(module) for module in blueprints.MODULES]
    return sorted(API.operations, key=lambda each: order.index(each.view.__module__))


def _schemas() -> tuple[dict[str, Schema], Schema]:
    """The schemas of all types in operations, by the `str` of the type, and the components that they share."""
    operations = _operations()
    types = [each for operation in operations for each in _alternatives(_payload(operation))]
    types += [_body_type(operation.body) for operation in operations if operation.body]
    types += [field.type for operation in operations for field in msgspec.structs.fields(operation.query)]
    unique = {str(each): each for each in types if each is not type(None)}
    schemas, components = msgspec.json.schema_components(
        list(unique.values()), ref_template="#/components/schemas/{name}"
    )
    return dict(zip(unique, schemas, strict=True)), components


def _payload(operation: Operation) -> Any:
    """The payload type of the view's `Answer`."""
    (payload,) = typing.get_args(typing.get_type_hints(operation.view)["return"])
    return payload


def _alternatives(payload: Any) -> tuple[Any, ...]:
    """The types of a payload: msgspec refuses a union of several dataclasses."""
    return typing.get_args(payload) if isinstance(payload, UnionType) else (payload,)


def _schema_of(payload: Any, schemas: dict[str, Schema]) -> Schema | None:
    if payload is type(None):
        return None
    found = [schemas[str(each)] for each in _alternatives(payload)]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _body_type(body: type[Struct]) -> Any:
    """The type of the JSON of a body."""
    return dict[str, Any] if issubclass(body, AnyObject) else body


def _describe(operation: Operation, schemas: dict[str, Schema]) -> Schema:
    answer = _schema_of(_payload(operation), schemas)
    described: Schema = {
        "operationId": operation.view.__name__,
        "summary": operation.view.__name__.replace("_", " ").capitalize(),
        "tags": [operation.view.__module__.rpartition(".")[2]],
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query, schemas)],
        "responses": {
            **_successes(operation, answer),
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _ERRORS},
        },
    }
    if operation.body:
        content = {"application/json": {"schema": schemas[str(_body_type(operation.body))]}}
        required = any(field.required for field in msgspec.structs.fields(operation.body))
        described["requestBody"] = {"required": required, "content": content}
    if not operation.public:
        described["security"] = [{"bearer": []}]
    return described


def _path_parameters(path: str) -> list[Schema]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": _ALIAS if name == "alias" else _ID} for name in names
    ]


def _query_parameters(query: type[Struct], schemas: dict[str, Schema]) -> list[Schema]:
    return [
        {
            "name": field.encode_name,
            "in": "query",
            "required": field.default is NODEFAULT and field.default_factory is NODEFAULT,
            "schema": _without_null(schemas[str(field.type)]),
        }
        for field in msgspec.structs.fields(query)
    ]


def _without_null(schema: Schema) -> Schema:
    """Remove null from a schema: a query string leaves such a value out."""
    present = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return present[0] if len(present) == 1 else schema


def _successes(operation: Operation, answer: Schema | None) -> Schema:
    if answer is None:
        return {
            "204": {"description": "Done"},
            "202": {"description": "Deleted; the server is still removing the rest"},
        }
    # OpenAPI 3.1 describes bytes by their media type alone.
    form = {BINARY: {}} if _payload(operation) is bytes else {JSON: {"schema": answer}}
    content = {"description": "The answer", "content": form}
    found = {"200": content}
    if operation.method == "POST":
        found["201"] = content
    if operation.method in ("PATCH", "PUT"):
        found["204"] = {"description": "Done; no object, for the member may update but not read"}
    if operation.path.endswith("/download"):
        found["302"] = content
    return found


def _failures() -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": meaning, "content": content} for status, meaning in _ERRORS.items()}


def _with_words(components: Schema) -> Schema:
    """Add to the description of each enum the word for each number."""
    described = dict(components)
    for enum in (each for each in vars(shapes).values() if isinstance(each, type) and issubclass(each, IntEnum)):
        if enum.__name__ in components:
            words = ", ".join(f"{each.value} {each.name}" for each in enum)
            schema = components[enum.__name__]
            described[enum.__name__] = {**schema, "description": f"{schema['description']} {words}"}
    return described


def _with_floats(components: Schema) -> Schema:
    """Let every float be one of the three texts too."""

    def walk(node: Any) -> Any:
        if node == {"type": "number"}:
            return _FLOAT
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        return [walk(value) for value in node] if isinstance(node, list) else node

    walked: Schema = walk(components)
    return walked
