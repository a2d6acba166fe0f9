"""A callback for LightGBM: ``lightgbm.train(…, callbacks=[DearDiaryCallback("Iris", "sweep")])``."""

from __future__ import annotations

import functools
import itertools

import lightgbm

from deardiary.integrations._run import Callback, ends_with

for _owner, _name in itertools.product((lightgbm, lightgbm.engine, lightgbm.sklearn), ("train", "cv")):
    ends_with(_owner, _name)


class DearDiaryCallback(Callback):
    """Log the parameters, and the metrics of each data set at each round. It also serves scikit-learn classes and cv.

    Its iteration ends with `lightgbm.train`, also after an early stop. ``log_model`` stores the model as model.txt.
    """

    order = 0  # before `early_stopping`, which ends a round by an exception

    def __call__(self, env: lightgbm.callback.CallbackEnv) -> None:
        if env.iteration == env.begin_iteration:
            self._run.begin()
            rounds = env.end_iteration - env.begin_iteration
            self._run.parameters({"num_iterations": rounds, **env.params})
        # An entry is (data, metric, value, …); with lightgbm.cv the data is "cv_agg" and the fourth the spread.
        values = {f"{each[0]}-{each[1]}": each[2] for each in env.evaluation_result_list or ()}
        self._run.log(values, step=env.iteration)
        if self._log_model and isinstance(env.model, lightgbm.Booster):
            self._run.at_end = functools.partial(self._run.save_written, "model.txt", env.model.save_model)
