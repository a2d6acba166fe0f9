"""Search with Optuna, a run for each trial."""

import json

import mlflow
import optuna

mlflow.set_experiment("autolog of optuna")


optuna.logging.set_verbosity(optuna.logging.WARNING)


def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    with mlflow.start_run(nested=True):
        mlflow.log_param("x", x)
        mlflow.log_metric("loss", x * x)
    return x * x


with mlflow.start_run() as parent:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=4)
    mlflow.log_params(study.best_params)
    mlflow.log_metric("best", study.best_value)

run = mlflow.get_run(parent.info.run_id)
children = mlflow.MlflowClient().search_runs([run.info.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
assert len(children) == 4, children
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
