"""Train with LightGBM, which MLflow logs by itself."""

import json

import lightgbm
import mlflow
import numpy as np

mlflow.set_experiment("autolog of lightgbm")


mlflow.lightgbm.autolog()
random = np.random.default_rng(0)
features = random.normal(size=(200, 4))
data = lightgbm.Dataset(features, label=features[:, 0] > 0)
given = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1}
lightgbm.train(given, data, num_boost_round=5, valid_sets=[data], valid_names=["train"])

run = mlflow.last_active_run()
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
