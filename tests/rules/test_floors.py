"""The client's imports go down only, inside functions and for type checkers too, and no module imports in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {
    "deardiary": REPOSITORY / "client" / "src" / "deardiary",
    "deardiary_exchange": REPOSITORY / "exchange" / "src" / "deardiary_exchange",
    "chalicelib": REPOSITORY / "chalicelib",
    "infra": REPOSITORY / "infra",
    "benchmarks": REPOSITORY / "benchmarks",
}
# From the ground up: a module imports only from floors below its own, or from its own room.
FLOORS = (
    {"__version__", "forks", "nested", "wire"},
    {"files", "settings", "terminal", "values"},
    {"errors"},
    {"http", "secretsmanager", "spool"},
    {"api"},
    {"transfer"},
    {"entities", "keyless", "progress"},
    {"client"},
    {"environment", "media", "sending"},
    {"tracking"},
    {"integrations", "sagemaker", "wandb"},
    {"testing"},
    {""},  # the package itself, with the public names
    {"cli"},
    {"__main__"},
)


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    root = PACKAGES[package]
    named = {}
    for path in root.rglob("*.py"):
        parts = (package, *path.relative_to(root).with_suffix("").parts)
        named[".".join(parts).removesuffix(".__init__")] = path
    return named


def imports(package: str) -> Iterator[tuple[str, str]]:
    """Each module and a module of the same package that it imports."""
    known = modules(package)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((name, each.name) for each in node.names if each.name in known)
            elif isinstance(node, ast.ImportFrom) and node.module in known:
                whole = [f"{node.module}.{each.name}" for each in node.names]
                yield from ((name, each if each in known else str(node.module)) for each in whole)


def floor_of(module: str) -> int:
    room = module.partition(".")[2].partition(".")[0]
    return next(index for index, rooms in enumerate(FLOORS) if room in rooms)


def test_every_room_of_the_client_has_a_floor() -> None:
    for module in modules("deardiary"):
        assert floor_of(module) >= 0


def room(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def test_the_client_imports_downwards_only() -> None:
    upwards = {
        (importer, imported)
        for importer, imported in imports("deardiary")
        if room(importer) != room(imported) and floor_of(importer) <= floor_of(imported)
    }
    assert upwards == set()


def test_the_commands_of_the_exchange_are_its_top_floor() -> None:
    upwards = [each for each in imports("deardiary_exchange") if room(each[0]) != "commands" == room(each[1])]
    assert upwards == []


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    graph: dict[str, set[str]] = {}
    for importer, imported in imports(package):
        # A module that imports its own package gets no more than the package's public names.
        if importer != imported:
            graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")
