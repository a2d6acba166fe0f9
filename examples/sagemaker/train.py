"""Train a classifier of handwritten digits, as a SageMaker job or on any machine: `python train.py --epochs 5`.

The same file runs in SageMaker's own containers, whose training toolkit passes the hyperparameters as arguments, in a
container of one's own (`own_container/`), which finds them in a file, and without SageMaker.

A spot job may be interrupted at any moment and started again. So each epoch ends with a checkpoint of the model, from
which the next start goes on, and an epoch that the server has already is not logged again.
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

METRIC = "valid_accuracy"


def options() -> argparse.Namespace:
    job = deardiary.sagemaker.find_job()
    given = dict(job.hyperparameters) if job else {}
    # Named after the job: another job with the same folder in S3 begins anew.
    checkpoint = job.checkpoint_folder / f"{job.name}.joblib" if job and job.checkpoint_folder else None
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=int(given.get("epochs", 10)))
    parser.add_argument("--learning_rate", type=float, default=float(given.get("learning_rate", 0.003)))
    parser.add_argument("--model_dir", default=os.environ.get("SM_MODEL_DIR", "."))
    parser.add_argument("--checkpoint", type=Path, default=checkpoint)
    return parser.parse_args()


def load_checkpoint(path: Path | None, learning_rate: float) -> tuple[SGDClassifier, int]:
    """The model, and how many epochs it has been trained."""
    if path is not None and path.is_file():
        model, epochs = joblib.load(path)
        return model, epochs
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=learning_rate, random_state=0)
    return model, 0


def save_checkpoint(path: Path | None, model: SGDClassifier, epochs: int) -> None:
    """Replace the last checkpoint in one step: an interruption must not leave half of one."""
    if path is not None:
        part = path.with_suffix(".part")
        joblib.dump((model, epochs), part)
        part.replace(path)


def logged_epochs(iteration: deardiary.ActiveIteration) -> int:
    """How many epochs the server has, which may be more than the checkpoint; 0 when it cannot be asked."""
    if iteration.is_offline or not iteration.flush(30):
        return 0
    try:
        found = iteration.client.metrics.summary(iteration.id).get(METRIC)
    except deardiary.ClientError:
        return 0
    return found.last_step + 1 if found else 0


def main() -> None:
    given = options()
    pixels, digits = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(pixels / 16.0, digits, test_size=0.25, random_state=0)
    model, first = load_checkpoint(given.checkpoint, given.learning_rate)
    parameters = {"epochs": given.epochs, "learning_rate": given.learning_rate}
    with deardiary.sagemaker.start("Digits", "sagemaker", parameters=parameters) as iteration:
        iteration.snapshot_environment()
        logged = logged_epochs(iteration)
        for epoch in range(first, given.epochs):
            model.partial_fit(train_x, train_y, classes=np.arange(10))
            if epoch >= logged:
                iteration.log({METRIC: model.score(valid_x, valid_y)}, step=epoch)
            save_checkpoint(given.checkpoint, model, epoch + 1)
        path = Path(given.model_dir) / "model.joblib"
        joblib.dump(model, path)
        iteration.log_resource(path)


if __name__ == "__main__":
    main()
