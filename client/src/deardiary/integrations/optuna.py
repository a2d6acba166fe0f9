"""A callback for Optuna: a study is an iteration, its trials are children. And a storage that workers share.

``study.optimize(objective, callbacks=[DearDiaryCallback("Iris", "sweep")])``
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from deardiary.integrations._optuna_storage import DearDiaryBackend as DearDiaryBackend
from deardiary.integrations._optuna_storage import DearDiaryStorage as DearDiaryStorage
from deardiary.integrations._run import Run, current, ends_with, scalars
from deardiary.tracking import outcome
from deardiary.tracking.iteration import ActiveIteration
from deardiary.wire.shapes import IterationStatus

Objective = Callable[[optuna.Trial], Any]

_STATUS = {TrialState.COMPLETE: IterationStatus.SUCCEEDED, TrialState.FAIL: IterationStatus.FAILED}


class DearDiaryCallback:
    """Log each trial's parameters, intermediate values, values and state; in the study's iteration the best so far.

    A pruned trial ends KILLED. `track` lets the objective log into its trial, and other integrations join it.
    """

    def __init__(
        self,
        project: str | None = None,
        experiment: str | None = None,
        *,
        iteration: ActiveIteration | None = None,
        **options: Any,
    ) -> None:
        """``options`` are those of `deardiary.start`, for the iteration of the study."""
        self._run = Run(project, experiment, iteration=iteration, **options)
        self._children: dict[int, ActiveIteration] = {}

    def begin(self, study: optuna.Study) -> None:
        self._run.begin()
        self._run.parameters({"sampler": type(study.sampler).__name__, "pruner": type(study.pruner).__name__})
        self._run.parameters({"study": study.study_name, "directions": [each.name for each in study.directions]})
        self._run.at_end = functools.partial(self._log_best, study)

    def track(self, objective: Objective) -> Objective:
        """Return an objective that runs in its trial's child, so that its trainings log there.

        A failing trial ends with its traceback, and so does one whose exception ends the study.
        """

        @functools.wraps(objective)
        def run(trial: optuna.Trial) -> Any:
            child = self._children[trial.number] = self._start(trial.number)
            try:
                with current(child):
                    return objective(trial)
            except optuna.TrialPruned:
                raise
            except BaseException as error:
                self._record_parameters(child, trial)
                child.finish(outcome.status_of(error), outcome.message_of(error))
                raise

        return run

    def __call__(self, study: optuna.Study, trial: FrozenTrial) -> None:
        child = self._children.pop(trial.number, None) or self._start(trial.number)
        if not child.is_over:
            self._record_parameters(child, trial)
            for step, value in trial.intermediate_values.items():
                child.log({"intermediate": value}, step=step)
            child.log(scalars(_values(study, trial)), step=0)
            child.finish(_STATUS.get(trial.state, IterationStatus.KILLED), _reason(trial))
        best = {} if len(study.directions) > 1 or not study.best_trials else {"best_value": study.best_value}
        self._run.log({**_values(study, trial), **best}, step=trial.number)

    def _start(self, number: int) -> ActiveIteration:
        return self._run.active.child(name=f"trial {number}", labels={"trial": number})

    @staticmethod
    def _record_parameters(child: ActiveIteration, trial: FrozenTrial | optuna.Trial) -> None:
        run = Run(iteration=child)
        run.parameters(trial.params)
        run.parameters(trial.user_attrs, "user.")

    def _log_best(self, study: optuna.Study) -> None:
        best = study.best_trials
        if len(best) == 1:
            labels = {"best_trial": best[0].number, **{f"best.{k}": v for k, v in best[0].params.items()}}
            with contextlib.suppress(ValueError):  # too long
                # Labels, for a later search in the same study may find a better trial.
                self._run.active.set_labels(labels)


def _begin(arguments: dict[str, Any]) -> None:
    for each in arguments.get("callbacks") or ():
        if isinstance(each, DearDiaryCallback):
            each.begin(arguments["self"])


def _values(study: optuna.Study, trial: FrozenTrial) -> dict[str, float]:
    values = trial.values or ()
    numbered = ["value"] if len(values) == 1 else [f"value_{index}" for index in range(len(values))]
    return dict(zip(study.metric_names or numbered, values, strict=False))


def _reason(trial: FrozenTrial) -> str:
    return "" if trial.state == TrialState.COMPLETE else f"The trial ended {trial.state.name}"


ends_with(optuna.Study, "optimize", _begin)
