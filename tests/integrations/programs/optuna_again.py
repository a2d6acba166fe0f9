"""Search twice in one study, each time with a callback of its own; the second search finds a better trial."""

import json
import warnings

import optuna

from deardiary.integrations.optuna import DearDiaryCallback, DearDiaryStorage

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    storage = DearDiaryStorage("Examples", "optuna again")
for x in (3.0, 2.0):
    study = optuna.create_study(storage=storage, study_name="again", load_if_exists=True)
    study.enqueue_trial({"x": x})
    callback = DearDiaryCallback("Examples", "optuna again", resume="again")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 4) ** 2, n_trials=1, callbacks=[callback])
print(json.dumps({"warnings": [str(each.message) for each in caught if "storage" in str(each.filename)]}))
