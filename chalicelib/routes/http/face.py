"""Faces: the public protocols over the services. `API` is the REST API; `endpoint.py` does what all faces share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from msgspec import Struct

from chalicelib.errors import DomainError
from chalicelib.routes.http import parse
from chalicelib.routes.http.answer import Answer, refused
from chalicelib.services import auth
from chalicelib.services.actor import Actor

View = Callable[..., Answer[Any]]
# The keys of the rows that a view reads first, by the id of its sender, its body and the ids of the path.
Expects = Callable[..., Collection[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path, with the view that answers it. Tests and the OpenAPI document read all of them."""

    method: str
    path: str
    view: View
    body: type[Struct] | None
    query: type[Struct]
    public: bool
    # The body is bytes, not JSON.
    takes_bytes: bool = False
    # Rows to read with the account of the sender: see `ahead.py`.
    expects: Expects | None = None
    # Only reads, whatever its method: open to tokens that may only read.
    reads: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A public protocol: the form of its errors, its strictness, and its operations in the order of registration."""

    name: str
    refuse: Callable[[DomainError], Answer[Any]]
    ignores_unknown_fields: bool = False
    # Views see these request headers only, by their names in lower case.
    headers: frozenset[str] = frozenset()
    operations: list[Operation] = field(default_factory=list)
    # Parse a body and a query string; errors are refused in the form of the face.
    parse_body: Callable[[type[Struct], bytes], Any] = parse.body
    parse_query: Callable[[type[Struct], dict[str, list[str]]], Any] = parse.query
    # The sender, by the Authorization header and the client's address.
    authenticate: Callable[[str | None, str], Actor] = auth.authenticate
    # The modules that register operations when the first request for them arrives.
    modules: tuple[str, ...] = ()

    def load(self) -> None:
        """Import all modules of the face, so that it has all its operations."""
        for name in self.modules:
            import_module(name)

    def add(self, operation: Operation) -> None:
        """Register an operation. TypeError if its structs and the face differ on unknown fields."""
        for struct in (operation.body, operation.query):
            if struct and struct.__struct_config__.forbid_unknown_fields is self.ignores_unknown_fields:
                raise TypeError(f"{struct.__name__} and the face {self.name} differ on unknown fields")
        self.operations.append(operation)

    def methods(self, path: str) -> list[str]:
        return [each.method for each in self.operations if each.path == path]


# Of these, `cookie.py` needs the last two.
API = Face("api", refused, headers=frozenset({"range", "origin", "sec-fetch-site"}))
