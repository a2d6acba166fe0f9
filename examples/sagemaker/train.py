"""Train a classifier of handwritten digits, as a SageMaker job or on any machine: `python train.py --epochs 5`.

The same file runs in SageMaker's own containers, whose training toolkit passes the hyperparameters as arguments, in a
container of one's own (`own_container/`), which finds them in a file, and without SageMaker.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import deardiary


def options() -> argparse.Namespace:
    job = deardiary.sagemaker.find_job()
    given = dict(job.hyperparameters) if job else {}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=int(given.get("epochs", 10)))
    parser.add_argument("--learning_rate", type=float, default=float(given.get("learning_rate", 0.003)))
    parser.add_argument("--model_dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser.parse_args()


def main() -> None:
    given = options()
    pixels, digits = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(pixels / 16.0, digits, test_size=0.25, random_state=0)
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=given.learning_rate, random_state=0)
    parameters = {"epochs": given.epochs, "learning_rate": given.learning_rate}
    with deardiary.sagemaker.start("Digits", "sagemaker", parameters=parameters) as iteration:
        iteration.snapshot_environment()
        for epoch in range(given.epochs):
            model.partial_fit(train_x, train_y, classes=np.arange(10))
            iteration.log({"valid_accuracy": model.score(valid_x, valid_y)}, step=epoch)
        path = Path(given.model_dir) / "model.joblib"
        joblib.dump(model, path)
        iteration.log_resource(path)


if __name__ == "__main__":
    main()
