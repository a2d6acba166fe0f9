"""Every operation of every face is in the permission matrix, and no route stands outside of the faces."""

from __future__ import annotations

from app import app
from chalicelib.routes.blueprints import faces
from tests.security.test_matrix import RULES
from tests.support.asks import ASKS


def test_every_operation_of_every_face_is_in_the_permission_matrix() -> None:
    operations = {f"{each.method} {each.path}" for face in faces() for each in face.operations}
    assert len(operations) > 50
    assert operations - RULES.keys() == set(), "give each a rule in tests/security/test_matrix.py"
    assert operations - ASKS.keys() == set(), "give each a request in tests/support/asks.py"


def test_every_route_of_the_app_belongs_to_a_face() -> None:
    routes = {(method, path) for path, methods in app.routes.items() for method in methods if method != "OPTIONS"}
    direct = {(each.method, each.path) for face in faces() if not face.modules for each in face.operations}
    shared = {(method, path) for method, path in routes if "{segment_1}" in path}
    assert routes == direct | shared
    # A face that imports its operations when asked has a route for each depth of path.
    for operation in (each for face in faces() if face.modules for each in face.operations):
        assert any(method == operation.method and _fits(path, operation.path) for method, path in shared), operation


def _fits(route: str, path: str) -> bool:
    """True if a path matches the route of a depth."""
    parts, names = path.split("/"), route.split("/")
    return len(parts) == len(names) and all(
        name == part or name.startswith("{") for name, part in zip(names, parts, strict=True)
    )


def test_the_api_has_fewer_resources_than_api_gateway_allows() -> None:
    resources = {"/"} | {"/".join(path.split("/")[:depth]) for path in app.routes for depth in range(2, 20)}
    assert 50 < len(resources) <= 270, "the limit is 300"


def test_the_names_of_faces_are_unique() -> None:
    names = [face.name for face in faces()]
    assert len(names) == len(set(names))
