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
    assert routes == {(each.method, each.path) for face in faces() for each in face.operations}


def test_the_names_of_faces_are_unique() -> None:
    names = [face.name for face in faces()]
    assert len(names) == len(set(names))
