"""Boost trees with LightGBM, and log them: `python examples/integrations/train_lightgbm.py`."""

import lightgbm
import numpy as np

from deardiary.integrations.lightgbm import DearDiaryCallback


def main() -> None:
    callback = DearDiaryCallback("Examples", "lightgbm", log_model=True, tags=["demo"])
    features = np.random.default_rng(0).normal(size=(200, 4))
    train = lightgbm.Dataset(features[:150], label=features[:150, 0] > 0)
    valid = lightgbm.Dataset(features[150:], label=features[150:, 0] > 0, reference=train)
    lightgbm.train(
        {"objective": "binary", "num_leaves": 4, "learning_rate": 0.5, "num_threads": 1, "verbose": -1},
        train,
        num_boost_round=10,
        valid_sets=[train, valid],
        valid_names=["train", "valid"],
        callbacks=[
            lightgbm.early_stopping(2, verbose=False),
            callback,
        ],
    )


if __name__ == "__main__":
    main()
