"""Columns of a table of iterations, and the choice of those that fit a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from deardiary.cli.compare import took
from deardiary.cli.output import GAP, shortened, width_of
from deardiary.wire.shapes import IterationOverview

_WIDEST_TAGS, _WIDEST_HEADING, _WIDEST_VALUE = 16, 14, 24
_FIELDS = (
    "id", "status_id", "notes", "created_by", "created_date", "end_date", "parent_iteration_id", "error_message",
    "python_version", "julia_version", "git_sha", "git_dirty", "entrypoint",
)  # fmt: skip
_PARTS = ("first", "last", "min", "max", "count", "last_step")
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Column:
    """A value per iteration, None if it has none."""

    key: str
    values: Sequence[object]
    # The name in a filter: parameters.lr, metrics.loss.
    path: str = ""

    @property
    def differs(self) -> bool:
        return len(set(map(repr, self.values))) > 1

    @property
    def width(self) -> int:
        return len(GAP) + width_of(self.key, self.values)

    def cut(self) -> Column:
        """For a terminal: a heading and texts that leave room for other columns."""
        values = [shortened(each, _WIDEST_VALUE) if isinstance(each, str) else each for each in self.values]
        return Column(shortened(self.key, max(_WIDEST_HEADING, width_of("", values))), values, self.path)


def own_columns(iterations: Sequence[IterationOverview]) -> list[Column]:
    """Parameters, then last values of metrics, then labels; each sorted by the number of iterations that have it."""
    summaries = [each.metrics or {} for each in iterations]
    parameters = [each.parameters or {} for each in iterations]
    labels = [each.labels for each in iterations]
    lasts = [{key: summary.last for key, summary in each.items()} for each in summaries]
    return [
        Column(key, [each.get(key) for each in owners], f"{kind}.{key}")
        for kind, owners in (("parameters", parameters), ("metrics", lasts), ("labels", labels))
        for key, _ in Counter(key for each in owners for key in each).most_common()
    ]


def age(moment: datetime) -> str:
    """The age in one unit: 40s, 5m, 3h, 12d."""
    seconds = max(0, int((datetime.now(timezone.utc) - moment).total_seconds()))
    unit, size = next((each for each in _UNITS if seconds >= each[1]), _UNITS[-1])
    return f"{seconds // size}{unit}"


def narrow(iterations: Sequence[IterationOverview], labels: Sequence[str], room: int) -> tuple[list[Column], list[str]]:
    """The columns that fit into so many characters, and the keys of those left out.

    Columns in which the iterations differ go first, and of these the narrow ones.
    """
    fixed = [
        Column("id", labels),
        Column("name", [shortened(each.name, _WIDEST_VALUE) for each in iterations]),
        Column("status", [each.status_id for each in iterations]),
        Column("age", [age(each.created_date) for each in iterations]),
    ]
    tags = Column("tags", [shortened(", ".join(each.tags or ()), _WIDEST_TAGS) for each in iterations])
    durations = Column("took", [took(each) for each in iterations])
    own = [each.cut() for each in own_columns(iterations)]
    offered = [*([tags] if any(tags.values) else []), durations, *own]
    chosen = fitting(offered, room - sum(each.width for each in fixed) + len(GAP))
    return [*fixed, *chosen], [each.path for each in own if each not in chosen]


def as_tree(
    iterations: Sequence[IterationOverview], labels: Sequence[str]
) -> tuple[list[IterationOverview], list[str]]:
    """The same iterations, each followed by its children, whose labels are indented."""
    label_of = {each.id: label for each, label in zip(iterations, labels, strict=True)}
    children: dict[str | None, list[IterationOverview]] = {}
    for each in iterations:
        parent = each.parent_iteration_id if each.parent_iteration_id in label_of else None
        children.setdefault(parent, []).append(each)
    ordered: list[IterationOverview] = []
    indented: list[str] = []
    waiting = [(each, 0) for each in reversed(children.get(None, []))]
    while waiting:
        each, depth = waiting.pop()
        ordered.append(each)
        indented.append("  " * (depth - 1) + "└ " * (depth > 0) + label_of[each.id])
        waiting += [(child, depth + 1) for child in reversed(children.get(each.id, []))]
    return ordered, indented


def wide(iterations: Sequence[IterationOverview]) -> list[Column]:
    """Every column but the id, whole."""
    return [
        Column("name", [each.name for each in iterations]),
        Column("status", [each.status_id for each in iterations]),
        Column("created", [each.created_date for each in iterations]),
        Column("took", [took(each) for each in iterations]),
        Column("tags", [each.tags for each in iterations]),
        *own_columns(iterations),
    ]


def also_named(iterations: Sequence[IterationOverview]) -> list[Column]:
    """Columns that have to be asked for: all that an order may name besides, in the words of docs/search.md."""
    fields = [Column(name, [getattr(each, name) for each in iterations]) for name in _FIELDS]
    summaries = [each.metrics or {} for each in iterations]
    parts = [
        Column(f"{key}.{part}", [getattr(each.get(key), part, None) for each in summaries], f"metrics.{key}.{part}")
        for key in dict.fromkeys(key for each in summaries for key in each)
        for part in _PARTS
    ]
    return [*fields, *parts]


def named(columns: Sequence[Column], keys: Sequence[str]) -> list[Column]:
    """The columns of these keys or paths, in their order. KeyError, with the key, for one that is not there."""
    found = {each.path: each for each in reversed(columns) if each.path} | {
        each.key: each for each in reversed(columns)
    }
    return [found[key] for key in keys]


def fitting(columns: Sequence[Column], room: int) -> list[Column]:
    """Those that there is room for, in the order given."""
    chosen: set[int] = set()
    for index in sorted(range(len(columns)), key=lambda index: (not columns[index].differs, columns[index].width)):
        if columns[index].width <= room:
            room -= columns[index].width
            chosen.add(index)
    return [column for index, column in enumerate(columns) if index in chosen]
