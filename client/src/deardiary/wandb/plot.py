"""Charts of tables. Each is logged as the table that it draws: the dashboard shows it, and any program can draw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deardiary.media.image import as_array
from deardiary.wandb.data import Table


def line(table: Table, x: str, y: str, **_left_out: Any) -> Table:
    return _of(table, x, y)


def scatter(table: Table, x: str, y: str, **_left_out: Any) -> Table:
    return _of(table, x, y)


def bar(table: Table, label: str, value: str, **_left_out: Any) -> Table:
    return _of(table, label, value)


def histogram(table: Table, value: str, **_left_out: Any) -> Table:
    return _of(table, value)


def line_series(xs: Sequence[Any], ys: Sequence[Any], keys: Sequence[str] | None = None, **_left_out: Any) -> Table:
    """``xs`` is one sequence for all lines, or one for each of ``ys``."""
    each_has = bool(len(xs)) and hasattr(xs[0], "__len__")
    rows = [
        [x, y, keys[index] if keys else f"line_{index}"]
        for index, values in enumerate(ys)
        for x, y in zip(xs[index] if each_has else xs, values, strict=True)
    ]
    return Table(["x", "y", "key"], rows)


def confusion_matrix(
    probs: Any = None, y_true: Any = None, preds: Any = None, class_names: Sequence[str] | None = None, **_left_out: Any
) -> Table:
    """How often each class was predicted as each other."""
    import numpy as np

    actual = as_array(y_true).astype(int)
    predicted = as_array(preds).astype(int) if probs is None else as_array(probs).argmax(axis=1)
    names = _names(class_names, max([*actual.tolist(), *predicted.tolist()], default=-1) + 1)
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (actual, predicted), 1)
    rows = [[a, p, int(counts[i, j])] for i, a in enumerate(names) for j, p in enumerate(names)]
    return Table(["actual", "predicted", "count"], rows)


def roc_curve(y_true: Any, y_probas: Any, labels: Sequence[str] | None = None, **_left_out: Any) -> Table:
    """For each class, the rates of true and false positives over all thresholds."""
    from sklearn.metrics import roc_curve as of

    return _by_class(y_true, y_probas, labels, ["fpr", "tpr"], lambda true, score: of(true, score)[:2])


def pr_curve(y_true: Any, y_probas: Any, labels: Sequence[str] | None = None, **_left_out: Any) -> Table:
    """For each class, precision and recall over all thresholds."""
    from sklearn.metrics import precision_recall_curve as of

    return _by_class(y_true, y_probas, labels, ["precision", "recall"], lambda true, score: of(true, score)[:2])


def _by_class(y_true: Any, y_probas: Any, labels: Sequence[str] | None, columns: list[str], curve: Any) -> Table:
    actual, scores = as_array(y_true), as_array(y_probas)
    names = _names(labels, scores.shape[1])
    rows = [
        [names[at], float(a), float(b)]
        for at in range(scores.shape[1])
        for a, b in zip(*curve(actual == at, scores[:, at]), strict=True)
    ]
    return Table(["class", *columns], rows)


def _of(table: Table, *columns: str) -> Table:
    return Table(list(columns), [list(row) for row in zip(*(table.get_column(each) for each in columns), strict=True)])


def _names(given: Sequence[str] | None, count: int) -> list[str]:
    known = [str(each) for each in given or ()]
    return known + [str(at) for at in range(len(known), count)]
