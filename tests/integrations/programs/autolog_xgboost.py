"""Train with XGBoost, which MLflow logs by itself."""

import json

import mlflow
import numpy as np
import xgboost

mlflow.set_experiment("autolog of xgboost")


mlflow.xgboost.autolog()
random = np.random.default_rng(0)
features = random.normal(size=(200, 4))
data = xgboost.DMatrix(features, label=features[:, 0] > 0)
given = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
xgboost.train(given, data, num_boost_round=5, evals=[(data, "train")], verbose_eval=False)

run = mlflow.last_active_run()
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
