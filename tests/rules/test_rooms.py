"""At the root of a layer stand only its nouns and its doors; everything else lives in a room named for what it does."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

_NOUNS = {
    *("experiment", "iteration", "metric", "model", "modelversion", "parameter", "permission", "project", "resource"),
    *("series", "snapshot", "tag", "token", "upload", "user", "attempt", "artifact", "auth", "log"),
}
# The modules that may stand at the root of each layer beside its nouns: its doors, and what all of its rooms share.
_DOORS = {
    "chalicelib": {"clock", "columns", "config", "deadline", "errors", "ids", "paging", "retry", "security"},
    "chalicelib/routes": {"blueprints", "health", "openapi", "search", "upkeep"},
    "chalicelib/services": {"access"},
    "chalicelib/storage": {"blob", "deletion", "inline", "keyring", "running"},
    "client/src/deardiary": {
        *("__main__", "__version__", "api", "client", "errors", "files", "secretsmanager", "settings", "terminal"),
        *("values", "progress"),
    },
}
_ROOMS = {
    "chalicelib": {"artifacts", "aws", "routes", "services", "storage"},
    "chalicelib/routes": {"http"},
    "chalicelib/services": {"blobs", "lifecycle", "points", "search"},
    "chalicelib/storage": {"points", "reads", "table"},
    "client/src/deardiary": {
        *(
            "cli",
            "entities",
            "environment",
            "http",
            "sagemaker",
            "sending",
            "spool",
            "testing",
            "tracking",
            "transfer",
            "wire",
        ),
    },
}


@pytest.mark.parametrize("layer", sorted(_DOORS))
def test_only_nouns_and_doors_stand_at_the_root_of_a_layer(layer: str) -> None:
    modules = {path.stem for path in (REPOSITORY / layer).glob("*.py")} - {"__init__"}
    assert modules - _DOORS[layer] - _NOUNS == set(), "move these into a room, or name a new door here"


@pytest.mark.parametrize("layer", sorted(_ROOMS))
def test_every_room_is_known(layer: str) -> None:
    rooms = {path.parent.name for path in (REPOSITORY / layer).glob("*/__init__.py")}
    assert rooms == _ROOMS[layer]
