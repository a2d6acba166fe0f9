"""Boost trees with CatBoost, and log them: `python examples/integrations/train_catboost.py`."""

import numpy as np
from catboost import CatBoostClassifier

from deardiary.integrations.catboost import DearDiaryCallback


def main() -> None:
    callback = DearDiaryCallback("Examples", "catboost", log_model=True, tags=["demo"])
    features = np.random.default_rng(0).normal(size=(200, 4))
    target = (features[:, 0] > 0).astype(int)
    model = CatBoostClassifier(
        iterations=10, depth=2, learning_rate=0.5, thread_count=1, verbose=False, allow_writing_files=False
    )
    model.fit(
        features[:150],
        target[:150],
        eval_set=(features[150:], target[150:]),
        callbacks=[callback],
    )


if __name__ == "__main__":
    main()
