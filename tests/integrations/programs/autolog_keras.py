"""Train with Keras on PyTorch, which MLflow logs by itself."""

import json

import keras
import mlflow
import numpy as np

mlflow.set_experiment("autolog of keras")


mlflow.keras.autolog()
random = np.random.default_rng(0)
features = random.normal(size=(64, 4)).astype("float32")
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
model.fit(features, features[:, :1], epochs=2, batch_size=16, verbose=0)

run = mlflow.last_active_run()
print(json.dumps({"run_id": run.info.run_id, "metrics": run.data.metrics, "params": run.data.params}))
