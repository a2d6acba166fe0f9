"""Log what scikit-learn fits: after ``autolog("Iris", "sweep")`` each fit of a predictor is an iteration."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import joblib
from sklearn.base import BaseEstimator
from sklearn.model_selection import _search, _validation

from deardiary.integrations._run import Run, ending, scalars
from deardiary.tracking.iteration import ActiveIteration

_FITS = ("fit", "fit_predict", "fit_transform")
_log = logging.getLogger(__name__)
_settings: dict[str, Any] = {}  # of `autolog`; empty after `stop`
_fitting = threading.Lock()  # held during a fit that is logged; those inside of it are a part of it


def autolog(
    project: str | None = None,
    experiment: str | None = None,
    *,
    iteration: ActiveIteration | None = None,
    log_model: bool = True,
    log_score: bool = True,
    max_children: int = 20,
    **options: Any,
) -> None:
    """From now on log each fit of an estimator that predicts: parameters, training score and the model.

    A search such as GridSearchCV also logs its ``max_children`` best candidates as children. ``log_model`` stores
    model.joblib. ``log_score`` computes ``training_score``. ``options`` are those of `deardiary.start`. Fits inside a
    fit, such as the steps of a pipeline, and fits of another thread meanwhile belong to that fit. The folds of
    `cross_validate` are not logged.
    """
    _settings.update(
        run={"project": project, "experiment": experiment, "iteration": iteration, **options},
        log_model=log_model,
        log_score=log_score,
        max_children=max_children,
    )
    for each in _subclasses(BaseEstimator):
        _wrap_fits(each)
    _wrap_later_classes()
    _wrap_folds()


def stop() -> None:
    """Log no further fits."""
    _settings.clear()


def _subclasses(of: type) -> Iterator[type]:
    each: type
    for each in type.__subclasses__(of):
        yield each
        yield from _subclasses(each)


def _wrap_later_classes() -> None:
    original: Any = BaseEstimator.__init_subclass__
    if getattr(original, "wraps_fits", False):
        return

    def init_subclass(cls: type, /, **kwargs: Any) -> None:
        original.__func__(cls, **kwargs)
        _wrap_fits(cls)

    init_subclass.wraps_fits = True  # type: ignore[attr-defined]
    BaseEstimator.__init_subclass__ = classmethod(init_subclass)


def _wrap_folds() -> None:
    """Have the fits of `cross_validate` log nothing: one of each fold, which the caller never sees."""
    original = _validation._fit_and_score  # noqa: SLF001 - cross_validate has no hook
    if hasattr(original, "logs_fits"):
        return

    @functools.wraps(original)
    def fit_and_score(*args: Any, **kwargs: Any) -> Any:
        is_outermost = _fitting.acquire(blocking=False)
        try:
            return original(*args, **kwargs)
        finally:
            if is_outermost:
                _fitting.release()

    fit_and_score.logs_fits = True  # type: ignore[attr-defined]
    # Both: a function that is not its module's own would be sent to worker processes by value.
    _validation._fit_and_score = _search._fit_and_score = fit_and_score  # noqa: SLF001


def _wrap_fits(cls: type) -> None:
    for name in _FITS:
        original = cls.__dict__.get(name)
        if callable(original) and not hasattr(original, "logs_fits"):
            setattr(cls, name, _wrapped(original))


def _wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        # A worker process may receive this function by value: it must not refer to this module's lock.
        from deardiary.integrations import sklearn

        return sklearn.logged_fit(original, self, *args, **kwargs)

    fit.logs_fits = True  # type: ignore[attr-defined]
    return fit


def logged_fit(original: Callable[..., Any], estimator: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the estimator's own method, in an iteration unless another fit is being logged."""
    predicts = hasattr(estimator, "predict") or hasattr(estimator, "fit_predict")
    if not _settings or not predicts or not _fitting.acquire(blocking=False):
        return original(estimator, *args, **kwargs)
    try:
        with ending():
            run = Run(**_settings["run"])
            run.begin()
            run.active.set_label("estimator", type(estimator).__name__)
            run.parameters(_parameters(estimator))
            result = original(estimator, *args, **kwargs)
            _log_fitted(run, estimator, args, kwargs)
            return result
    finally:
        _fitting.release()


def _parameters(estimator: Any) -> dict[str, Any]:
    return {key: value for key, value in estimator.get_params(deep=True).items() if not _holds_estimators(value)}


def _holds_estimators(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_estimators, value))
    return hasattr(value, "get_params")


def _log_fitted(run: Run, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    given = dict(zip(("X", "y"), args, strict=False)) | {key: kwargs[key] for key in ("X", "y") if key in kwargs}
    try:
        if _settings.get("log_score") and hasattr(estimator, "score") and given.get("y") is not None:
            run.log({"training_score": estimator.score(**given)}, step=0)
        if hasattr(estimator, "cv_results_"):
            _log_search(run, estimator, _settings.get("max_children", 0))
        if _settings.get("log_model"):
            run.save_written("model.joblib", lambda path: joblib.dump(estimator, path))
    except Exception:  # noqa: BLE001
        # The fit has succeeded: an estimator that cannot score or be stored must not make it fail.
        _log.warning("Not all of the fitted %s is logged", type(estimator).__name__, exc_info=True)


def _log_search(run: Run, search: Any, most: int) -> None:
    results = search.cv_results_
    if hasattr(search, "best_params_"):
        run.parameters(search.best_params_, "best.")
        run.log({"best_score": getattr(search, "best_score_", None)}, step=0)
    ranks = next((results[key] for key in results if key.startswith("rank_test_")), range(len(results["params"])))
    for index in sorted(range(len(results["params"])), key=lambda each: ranks[each])[:most]:
        numbers = {key: values[index] for key, values in results.items() if not key.startswith("param")}
        with run.active.child(name=f"candidate {index}") as child:
            Run(iteration=child).parameters(results["params"][index])
            child.log(scalars(numbers), step=0)
