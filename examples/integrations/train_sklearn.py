"""Search for a classifier with scikit-learn, and log it: `python examples/integrations/train_sklearn.py`."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deardiary.integrations import sklearn as diary


def main() -> None:
    diary.autolog("Examples", "sklearn", tags=["demo"])
    features = np.random.default_rng(0).normal(size=(200, 4))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.01, 1.0, 100.0]}, cv=3)
    search.fit(features, features[:, 0] > 0)
    print(f"best accuracy {search.best_score_:.3f} with {search.best_params_}")


if __name__ == "__main__":
    main()
