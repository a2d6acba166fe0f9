"""At the root of a layer are only its nouns and its doors; all other modules are in a room named for its purpose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

_NOUNS = {
    *("experiment", "iteration", "metric", "model", "modelversion", "parameter", "permission", "project", "resource"),
    *("series", "snapshot", "tag", "token", "trash", "upload", "user", "sign_in_attempt", "artifact", "auth", "log"),
    *("preferences", "view", "alias", "bulk", "input", "change", "command", "label", "output", "file", "study"),
    *("alert", "alertrule", "event", "group", "identity", "loggedmodel", "machine", "share", "subject"),
}
# The modules allowed at the root of each layer beside its nouns: its doors, and modules that all rooms share.
_DOORS = {
    "chalicelib": {
        "ahead",
        "arn",
        "clock",
        "columns",
        "config",
        "deadline",
        "errors",
        "ids",
        "limits",
        "outgoing",
        "paging",
        "retry",
        "security",
    },
    "chalicelib/routes": {"activity", "blueprints", "health", "index", "openapi", "search", "upkeep", "capture"},
    "chalicelib/services": {"access", "activity", "actor"},
    "chalicelib/storage": {"blob", "captured", "deletion", "inline", "keyring", "running"},
    "client/src/deardiary": {
        *(
            "__main__",
            "__version__",
            "api",
            "client",
            "errors",
            "files",
            "keyless",
            "secretsmanager",
            "settings",
            "terminal",
        ),
        *("values", "progress", "nested", "forks"),
    },
}
_ROOMS = {
    "chalicelib": {"artifacts", "aws", "routes", "services", "storage"},
    "chalicelib/routes": {"http", "mlflow", "pages"},
    "chalicelib/services": {"blobs", "capture", "lifecycle", "oidc", "points", "search"},
    "chalicelib/storage": {"blocks", "points", "reads", "table"},
    "client/src/deardiary": {
        *(
            "cli",
            "entities",
            "environment",
            "http",
            "integrations",
            "media",
            "sagemaker",
            "sending",
            "spool",
            "testing",
            "tracking",
            "transfer",
            "wandb",
            "wire",
        ),
    },
}


_ROOMS_OF_TESTS = {
    *("support", "rules", "routes", "client", "races", "points", "search", "storage", "security", "infra", "deploy"),
    *("benchmarks", "end_to_end", "exchange", "integrations", "mlflow", "pages"),
}
_ROOMS_OF_BENCHMARKS = {"kit", "peers"}


@pytest.mark.parametrize("layer", sorted(_DOORS))
def test_only_nouns_and_doors_stand_at_the_root_of_a_layer(layer: str) -> None:
    modules = {path.stem for path in (REPOSITORY / layer).glob("*.py")} - {"__init__"}
    assert modules - _DOORS[layer] - _NOUNS == set(), "move these into a room, or name a new door here"


@pytest.mark.parametrize("layer", sorted(_ROOMS))
def test_every_room_is_known(layer: str) -> None:
    rooms = {path.parent.name for path in (REPOSITORY / layer).glob("*/__init__.py")}
    assert rooms == _ROOMS[layer]


def test_tests_stand_in_rooms() -> None:
    assert _modules("tests") == {"conftest"}
    assert _folders("tests") == _ROOMS_OF_TESTS
    assert [*(REPOSITORY / "tests" / "support").rglob("test_*.py")] == []


def test_at_the_root_of_the_benchmarks_stand_commands_that_the_readme_names() -> None:
    folder = REPOSITORY / "benchmarks"
    commands = _modules("benchmarks") - {"__init__"}
    assert _folders("benchmarks") == _ROOMS_OF_BENCHMARKS
    named = re.findall(r"^\| `(\w+)` \|", (folder / "README.md").read_text(), re.MULTILINE)
    assert named == sorted(commands)
    for name in commands:
        assert 'if __name__ == "__main__":' in (folder / f"{name}.py").read_text(), name


def test_the_tests_support_knows_no_benchmark_and_a_benchmark_no_other_tests() -> None:
    def imported(path: Path) -> set[str]:
        return set(re.findall(r"^\s*(?:from|import) ((?:tests|benchmarks)[\w.]*)", path.read_text(), re.MULTILINE))

    for path in (REPOSITORY / "tests" / "support").rglob("*.py"):
        assert not {name for name in imported(path) if name.startswith("benchmarks")}, path
    for path in (REPOSITORY / "benchmarks").rglob("*.py"):
        tests = {name for name in imported(path) if name.startswith("tests")}
        assert all(name.startswith("tests.support") for name in tests), path


def _modules(folder: str) -> set[str]:
    return {path.stem for path in (REPOSITORY / folder).glob("*.py")}


def _folders(folder: str) -> set[str]:
    """The folders that hold modules: git leaves others behind, with caches."""
    return {path.name for path in (REPOSITORY / folder).iterdir() if path.is_dir() and [*path.rglob("*.py")]}
