"""Iterations side by side."""

from collections.abc import Iterable, Iterator, Sequence

from deardiary.wire.shapes import Iteration, IterationOverview

Row = tuple[str, bool, list[object]]

# Fields that differ between any two iterations, without meaning.
ALWAYS = ("id", "name", "created")


def rows_of(iterations: Sequence[IterationOverview]) -> Iterator[Row]:
    """Rows of a name, True if the iterations differ in it, and the value of each; of a metric the last value.

    A name that no iteration has is left out.
    """
    for name, values in _values(iterations):
        if all(value in (None, "", []) for value in values):
            continue
        # Compare texts: NaN equals NaN here.
        differs = name not in ALWAYS and len(set(map(repr, values))) > 1
        yield name, differs, values


def took(iteration: Iteration) -> str | None:
    """The duration in the two largest units; None while it runs."""
    if iteration.end_date is None:
        return None
    seconds = (iteration.end_date - iteration.created_date).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _values(iterations: Sequence[IterationOverview]) -> Iterator[tuple[str, list[object]]]:
    yield "id", [each.id for each in iterations]
    yield "name", [each.name for each in iterations]
    yield "status", [each.status_id for each in iterations]
    yield "created", [each.created_date for each in iterations]
    yield "took", [took(each) for each in iterations]
    for field in ("created_by", "parent_iteration_id", "notes", "git_sha"):
        yield field, [getattr(each, field) for each in iterations]
    yield "git_dirty", [_dirty(each) for each in iterations]
    for field in ("python_version", "julia_version", "entrypoint"):
        yield field, [getattr(each, field) for each in iterations]
    yield "tags", [sorted(each.tags or ()) for each in iterations]
    for key in _keys(each.labels for each in iterations):
        yield f"labels.{key}", [each.labels.get(key) for each in iterations]
    for key in _keys(each.parameters or {} for each in iterations):
        yield f"parameters.{key}", [(each.parameters or {}).get(key) for each in iterations]
    for key in _keys(each.metrics or {} for each in iterations):
        summaries = [(each.metrics or {}).get(key) for each in iterations]
        yield f"metrics.{key}", [None if summary is None else summary.last for summary in summaries]


def _dirty(iteration: Iteration) -> bool | None:
    """None without a git commit, for which the API answers false too."""
    return iteration.git_dirty if iteration.git_sha or iteration.git_dirty else None


def _keys(owners: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(key for owner in owners for key in owner))
