"""Train with scikit-learn, which MLflow logs by itself."""

import json

import mlflow
import numpy as np
from sklearn.linear_model import LogisticRegression

mlflow.set_experiment("autolog of sklearn")


mlflow.sklearn.autolog()
random = np.random.default_rng(0)
features = random.normal(size=(200, 4))
LogisticRegression(C=0.5).fit(features, features[:, 0] > 0)

run = mlflow.last_active_run()
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
