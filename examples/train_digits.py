"""Train three linear classifiers on scikit-learn's digits and log each to DearDiary: `python examples/train_digits.py`.

The sweep is one iteration, each trial a child of it with its own parameters, curves and fitted model.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

import deardiary

EPOCHS = 20
SEED = 0
LEARNING_RATES = (0.0003, 0.003, 0.03)

Split = tuple[Any, Any]


def load() -> tuple[Split, Split]:
    """1,797 images of 8 by 8 pixels, scaled to 0-1: three quarters to train on, the rest to validate."""
    pixels, digits = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(
        pixels / 16.0, digits, test_size=0.25, random_state=SEED, stratify=digits
    )
    return (train_x, train_y), (valid_x, valid_y)


def score(model: SGDClassifier, split: Split, prefix: str) -> dict[str, float]:
    pixels, digits = split
    return {
        f"{prefix}_loss": float(log_loss(digits, model.predict_proba(pixels), labels=model.classes_)),
        f"{prefix}_accuracy": float(model.score(pixels, digits)),
    }


def train(trial: deardiary.ActiveIteration, learning_rate: float, train_split: Split, valid_split: Split) -> float:
    """Train one model, log its curves and upload it. Returns its accuracy on the validation images, 0-1."""
    pixels, digits = train_split
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=learning_rate, random_state=SEED)
    scores: dict[str, float] = {}
    for epoch in range(EPOCHS):
        order = np.random.default_rng(epoch).permutation(len(digits))
        model.partial_fit(pixels[order], digits[order], classes=np.arange(10))
        scores = score(model, train_split, "train") | score(model, valid_split, "valid")
        trial.log(scores, step=epoch)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.joblib"
        joblib.dump(model, path)
        trial.log_resource(path)
    return scores["valid_accuracy"]


def main() -> None:
    train_split, valid_split = load()
    common = {"model": "SGDClassifier", "epochs": EPOCHS, "seed": SEED}
    with deardiary.start("Digits", "sgd sweep", parameters=common, tags=["demo"]) as sweep:
        accuracies = {}
        for learning_rate in LEARNING_RATES:
            with sweep.child(parameters=common | {"learning_rate": learning_rate}) as trial:
                accuracies[learning_rate] = train(trial, learning_rate, train_split, valid_split)
            print(f"learning rate {learning_rate:<7} validation accuracy {accuracies[learning_rate]:.4f}")
        best = max(accuracies, key=lambda rate: accuracies[rate])
        sweep.log_parameters({"best_learning_rate": best})
        sweep.log({"best_valid_accuracy": accuracies[best]})
    print(f"logged as iteration {sweep.id}")


if __name__ == "__main__":
    main()
