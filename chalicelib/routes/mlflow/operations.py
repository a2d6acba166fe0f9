"""How the modules of the MLflow face register their operations."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from chalicelib.routes.http.face import Operation, View
from chalicelib.routes.http.parse import AnyQuery
from chalicelib.routes.mlflow.door import FACE, PREFIXES


class Operations:
    """Operations below one root, such as ``/2.0/mlflow``. A view accepts a `Call` and the ids of its path.

    Operations are matched in the order of registration: register a fixed path before one with an id in its place.
    """

    def __init__(self, root: str) -> None:
        self._root = f"{PREFIXES[0]}{root}"

    def get(self, path: str, *, query: type[Struct] = AnyQuery, public: bool = False) -> Callable[[View], View]:
        return self._register("GET", path, None, query, public=public)

    def post(self, path: str, *, body: type[Struct], reads: bool = False) -> Callable[[View], View]:
        """Register a POST. `reads`: it only reads, as a search does, so that read-only tokens may use it."""
        return self._register("POST", path, body, reads=reads)

    def patch(self, path: str, *, body: type[Struct]) -> Callable[[View], View]:
        return self._register("PATCH", path, body)

    def delete(
        self, path: str, *, body: type[Struct] | None = None, query: type[Struct] = AnyQuery
    ) -> Callable[[View], View]:
        return self._register("DELETE", path, body, query)

    def put_bytes(self, path: str) -> Callable[[View], View]:
        return self._register("PUT", path, None, takes_bytes=True)

    def _register(
        self,
        method: str,
        path: str,
        body: type[Struct] | None,
        query: type[Struct] = AnyQuery,
        *,
        reads: bool = False,
        takes_bytes: bool = False,
        public: bool = False,
    ) -> Callable[[View], View]:
        def register(view: View) -> View:
            whole = f"{self._root}{path}"
            FACE.add(Operation(method, whole, view, body, query, public=public, takes_bytes=takes_bytes, reads=reads))
            return view

        return register
