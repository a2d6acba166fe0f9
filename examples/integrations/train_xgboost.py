"""Boost trees with XGBoost, and log them: `python examples/integrations/train_xgboost.py`."""

import numpy as np
import xgboost

from deardiary.integrations.xgboost import DearDiaryCallback


def main() -> None:
    callback = DearDiaryCallback("Examples", "xgboost", log_model=True, tags=["demo"])
    features = np.random.default_rng(0).normal(size=(200, 4))
    train = xgboost.DMatrix(features[:150], label=features[:150, 0] > 0)
    valid = xgboost.DMatrix(features[150:], label=features[150:, 0] > 0)
    xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2, "eta": 0.5, "nthread": 1},
        train,
        num_boost_round=10,
        evals=[(train, "train"), (valid, "valid")],
        verbose_eval=False,
        callbacks=[callback],
    )


if __name__ == "__main__":
    main()
