"""What wandb plots of scikit-learn's models, as tables and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics

from deardiary.wandb import plot, state
from deardiary.wandb.data import Table


def plot_classifier(
    model: Any,
    X_train: Any,
    X_test: Any,
    y_train: Any,
    y_test: Any,
    y_pred: Any,
    y_probas: Any,
    labels: Any,
    is_binary: bool = False,
    model_name: str = "Classifier",
    feature_names: Any = None,
    log_learning_curve: bool = False,
) -> None:
    """Log the scores, feature importances, class proportions, confusion matrix, ROC and precision-recall curves."""
    run = _begun("plot_classifier()", model, model_name)
    plot_feature_importances(model, feature_names)
    if log_learning_curve:
        plot_learning_curve(model, X_train, y_train)
    plot_class_proportions(y_train, y_test, labels)
    plot_confusion_matrix(y_test, y_pred, labels)
    plot_summary_metrics_of(y_test, y_pred)
    if y_probas is not None:
        plot_roc(y_test, y_probas, labels)
        plot_precision_recall(y_test, y_probas, labels)
    run.log({})


def plot_regressor(
    model: Any, X_train: Any, X_test: Any, y_train: Any, y_test: Any, model_name: str = "Regressor"
) -> None:
    """Log the scores on the test data, and the residuals."""
    run = _begun("plot_regressor()", model, model_name)
    predicted = model.predict(X_test)
    scores = {
        "mae": metrics.mean_absolute_error(y_test, predicted),
        "mse": metrics.mean_squared_error(y_test, predicted),
        "r2_score": metrics.r2_score(y_test, predicted),
    }
    run.summary.update(scores)
    parts = (("train", y_train, model.predict(X_train)), ("test", y_test, predicted))
    rows = [
        [part, float(guess), float(true) - float(guess)]
        for part, actual, guesses in parts
        for true, guess in zip(np.ravel(actual), np.ravel(guesses), strict=True)
    ]
    run.log({"residuals": Table(["dataset", "predicted", "residual"], rows)})


def plot_clusterer(
    model: Any,
    X_train: Any,
    cluster_labels: Any,
    labels: Any = None,
    model_name: str = "Clusterer",
) -> None:
    """Log the silhouette of each sample, and how the inertia falls with the number of clusters."""
    run = _begun("plot_clusterer()", model, model_name)
    plot_silhouette(model, X_train, cluster_labels)
    if hasattr(model, "inertia_"):
        plot_elbow_curve(model, X_train)
    run.log({})


def _begun(call: str, model: Any, name: str) -> Any:
    """The current run, with the parameters of the model."""
    run = state.current(call)
    run.config.setdefaults(model.get_params())
    run.iteration.set_label("model", name)
    return run


def plot_feature_importances(model: Any, feature_names: Any = None, **_left_out: Any) -> None:
    """Log a table of a model that has importances or coefficients; do nothing for others."""
    found = getattr(model, "feature_importances_", getattr(model, "coef_", None))
    if found is None:
        return
    values = np.atleast_2d(found)
    scores = np.abs(values).mean(axis=0) if len(values) > 1 else values[0]
    names = [str(each) for each in feature_names] if feature_names is not None else []
    order = sorted(range(len(scores)), key=lambda at: -float(scores[at]))
    rows = [[names[at] if at < len(names) else str(at), float(scores[at])] for at in order]
    _log("feature_importances", Table(["feature", "importance"], rows))


def plot_class_proportions(y_train: Any, y_test: Any, labels: Any = None) -> None:
    rows = [
        [part, _label(labels, value), int(count)]
        for part, data in (("train", y_train), ("test", y_test))
        for value, count in zip(*np.unique(np.asarray(data), return_counts=True), strict=True)
    ]
    _log("class_proportions", Table(["dataset", "class", "count"], rows))


def plot_confusion_matrix(y_true: Any = None, y_pred: Any = None, labels: Any = None, **_left_out: Any) -> None:
    classes = np.unique(np.concatenate([np.ravel(y_true), np.ravel(y_pred)]))
    counts = metrics.confusion_matrix(y_true, y_pred, labels=classes)
    rows = [
        [_label(labels, actual), _label(labels, guess), int(counts[i, j])]
        for i, actual in enumerate(classes)
        for j, guess in enumerate(classes)
    ]
    _log("confusion_matrix", Table(["actual", "predicted", "count"], rows))


def plot_summary_metrics_of(y_true: Any, y_pred: Any) -> None:
    """Log accuracy, precision, recall and F1, weighted by class, as the summary."""
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y_true, y_pred, average="weighted", zero_division=0
    )
    scores = {"precision": precision, "recall": recall, "f1_score": f1}
    state.current("a plot").summary.update({"accuracy_score": metrics.accuracy_score(y_true, y_pred), **scores})


def plot_summary_metrics(model: Any, X: Any = None, y: Any = None, X_test: Any = None, y_test: Any = None) -> None:
    """Fit the model, and log its scores on the test data."""
    model.fit(X, y)
    plot_summary_metrics_of(y_test, model.predict(X_test))


def plot_roc(y_true: Any = None, y_probas: Any = None, labels: Any = None, **_left_out: Any) -> None:
    _log("roc", plot.roc_curve(_positions(y_true, y_probas), y_probas, labels))


def plot_precision_recall(y_true: Any = None, y_probas: Any = None, labels: Any = None, **_left_out: Any) -> None:
    _log("precision_recall", plot.pr_curve(_positions(y_true, y_probas), y_probas, labels))


def plot_learning_curve(model: Any, X: Any, y: Any, **options: Any) -> None:
    """Train on parts of the data, and log the mean scores of training and validation."""
    from sklearn.model_selection import learning_curve

    sizes, train, test = learning_curve(model, X, y, **options)[:3]
    rows = [[int(size), float(a), float(b)] for size, a, b in zip(sizes, train.mean(1), test.mean(1), strict=True)]
    _log("learning_curve", Table(["samples", "train", "validation"], rows))


def plot_silhouette(clusterer: Any = None, X: Any = None, cluster_labels: Any = None, **_left_out: Any) -> None:
    found = np.asarray(clusterer.fit_predict(X) if cluster_labels is None else cluster_labels)
    if len(np.unique(found)) < 2:
        return
    rows = [
        [int(cluster), float(value)] for cluster, value in zip(found, metrics.silhouette_samples(X, found), strict=True)
    ]
    _log("silhouette", Table(["cluster", "silhouette"], rows))


def plot_elbow_curve(clusterer: Any = None, X: Any = None, cluster_ranges: Any = None, **_left_out: Any) -> None:
    from sklearn.base import clone

    counts = list(cluster_ranges or range(1, min(10, len(X)) + 1))
    rows = [[count, float(clone(clusterer).set_params(n_clusters=count).fit(X).inertia_)] for count in counts]
    _log("elbow_curve", Table(["clusters", "inertia"], rows))


def _log(key: str, table: Table) -> None:
    state.current(f"the plot {key}").log({key: table}, commit=False)


def _label(labels: Any, value: Any) -> str:
    """The name of a class: labels are for the classes 0, 1, …."""
    is_place = np.issubdtype(np.asarray(value).dtype, np.integer) and labels is not None and 0 <= value < len(labels)
    return str(labels[value]) if is_place else str(value)


def _positions(y_true: Any, y_probas: Any) -> Any:
    """The column of the probabilities for each sample: the classes in their order."""
    actual = np.ravel(np.asarray(y_true))
    classes = np.unique(actual)
    if len(classes) == np.shape(y_probas)[1]:
        return np.searchsorted(classes, actual)
    return actual
