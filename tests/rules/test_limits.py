"""A limit stands once: in `deardiary.wire.limits` if the client knows it too, else in `chalicelib.limits`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chalicelib import limits as own_limits
from chalicelib.storage.points import summary
from deardiary.wire import limits

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("chalicelib", "client/src/deardiary")
HOMES = (Path(limits.__file__), Path(own_limits.__file__))
# The limits of another protocol, some of which equal ours by chance.
MLFLOW = REPOSITORY / "chalicelib" / "routes" / "mlflow" / "limits.py"
LIMITS = {
    name: value
    for home in (limits, own_limits)
    for name, value in vars(home).items()
    if name.startswith(("MAX_", "MIN_"))
}
UNITS = (
    *("ALERTS", "ALIASES", "BYTES", "CHARACTERS", "COMMANDS", "ITEMS", "LABELS", "LINES", "PARAMETERS", "PARTS"),
    *("PER_REQUEST", "POINTS", "STEP", "TAGS"),
)
BOUNDS = ("ge", "le", "max_length", "min_length", "max_items", "max_bytes")
# Constants that equal a limit by chance: a small number does so often, and only its use as a bound of a field counts.
SMALL = 200
OTHER_FACTS = {
    "MOST_ROWS",  # of a search that is kept
    "MOST",  # objects that a deletion counts before it asks
    "MAX_CHARACTERS",  # of a filter
    "MAX_TICKET_CHARACTERS",
    *("MAX_SUBJECT_CHARACTERS", "MAX_ISSUER_CHARACTERS", "MAX_TOKEN_CHARACTERS", "MAX_GROUPS"),  # of a provider
    "MAX_UNTRACKED",  # files in a patch
    "MOST_AT_ONCE",  # chunks of one compaction
    "MOST_BUCKETS_A_CURVE",
    "MOST_RUNNING",  # iterations that one poll follows
    "MOST_ITERATIONS",  # of one request for curves
    "MAX_EXPERIMENTS_IN_ORDER",
    "FILTERED_PAGE",  # rows of one read
    *("BLOCK", "BLOCK_BYTES"),  # bytes of one read
    "BLOCK_ROWS",  # iterations in a column block
    "MAX_MEMORY_BYTES",  # of a spool without a disk
    "MAX_UNTRACKED_BYTES",  # of files in a patch
    "_MAX_BYTES",  # of a file of a spool
    "_SERVER_ERROR",  # a status
    "_BLOCK",  # bytes of one read
    "_PAGE",  # of the services' own reads
    "_PER_LINE",  # points in one line of a spool
    "_PER_QUERY",
    "_PLOTTED",  # points of a curve in a terminal
    "_REMEMBERED_BYTES",
    "_TEXT_BYTES",  # of a text that sorts
    "_OF_OBJECTS",  # numbers as large as the objects of a rollup
}
OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
}


def value_of(node: ast.expr) -> int | None:
    """The value of an expression of whole numbers, such as ``4 * 2**20``; None for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = value_of(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = value_of(node.left), value_of(node.right)
        return None if left is None or right is None else OPERATORS[type(node.op)](left, right)
    return None


def numbers(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The whole numbers that a module assigns to a constant or to a bound of a field, each with its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named = [(node.targets[0].id, node.value)] if node.targets[0].id.isupper() else []
        elif isinstance(node, ast.Call):
            named = [(str(each.arg), each.value) for each in node.keywords if each.arg in BOUNDS]
        else:
            named = []
        for name, expression in named:
            value = value_of(expression)
            if value is not None:
                yield name, value


def repeated(source: str) -> list[str]:
    """The names of constants and bounds that repeat a limit; a bound of 0 or 1 is none."""
    found = [(name, value) for name, value in numbers(ast.parse(source)) if value in LIMITS.values()]
    return [name for name, value in found if value > (1 if name in BOUNDS else SMALL - 1) and name not in OTHER_FACTS]


def sources() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [path for path in found if path not in (*HOMES, MLFLOW)]


def test_a_shared_limit_stands_once() -> None:
    found = {str(path.relative_to(REPOSITORY)): repeated(path.read_text()) for path in sources()}
    assert {path: names for path, names in found.items() if names} == {}, "use a limit that is there"


@pytest.mark.parametrize(
    "source", ["_MAX = 10_000", "MAX_BYTES = 4 * 1024 * 1024", "Key = Annotated[str, Meta(max_length=250)]"]
)
def test_a_repeated_limit_is_found(source: str) -> None:
    assert repeated(source)


def test_the_client_uses_the_limits_that_it_shares() -> None:
    users = (REPOSITORY / folder for folder in ("client/src/deardiary", "exchange/src"))
    texts = [path.read_text() for folder in users for path in folder.rglob("*.py") if path not in HOMES]
    unused = [
        name for name in vars(limits) if name.startswith(("MAX_", "MIN_")) and not any(name in each for each in texts)
    ]
    assert unused == [], "a limit of the server alone belongs into chalicelib.limits"


def test_the_name_of_a_limit_ends_with_its_unit() -> None:
    assert [name for name in LIMITS if not name.endswith(UNITS)] == []


def test_the_client_counts_the_bytes_of_summaries_as_the_server_does() -> None:
    keys = ["loss", "é" * 3]
    counted = limits.SUMMARIES_HEAD_BYTES + sum(len(key.encode()) + limits.SUMMARY_RECORD_BYTES for key in keys)
    assert counted == summary.size_of_summaries(keys)
