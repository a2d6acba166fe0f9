"""Print the seconds that `mlflow.sklearn.autolog` adds to a number of fits, with a server at the given URL."""

from __future__ import annotations

import sys
import time

import mlflow
import numpy as np
from sklearn.linear_model import LogisticRegression


def fit(times: int) -> float:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 4))
    begin = time.perf_counter()
    for _ in range(times):
        LogisticRegression().fit(features, features[:, 0] > 0)
    return time.perf_counter() - begin


def main(url: str, times: int) -> None:
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment("autolog")
    plain = fit(times)
    mlflow.sklearn.autolog(silent=True)
    # The first fit also imports what autolog needs.
    fit(1)
    print(fit(times) - plain)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
