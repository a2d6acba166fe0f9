"""Fit a line with Keras, and log it: `KERAS_BACKEND=torch python examples/integrations/train_keras.py`."""

import keras
import numpy as np

from deardiary.integrations.keras import DearDiaryCallback


def main() -> None:
    keras.utils.set_random_seed(0)
    features = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    callback = DearDiaryCallback("Examples", "keras", log_model=True, tags=["demo"])
    model.fit(
        features, features[:, :1], validation_split=0.25, epochs=3, batch_size=16, verbose=0, callbacks=[callback]
    )


if __name__ == "__main__":
    main()
