"""Search with Ray Tune; each trial is a child: `python examples/integrations/train_ray.py`."""

from pathlib import Path

from ray import tune

from deardiary.integrations.ray import DearDiaryLoggerCallback


def train(config: dict[str, float]) -> None:
    weight = 0.0
    for _ in range(3):
        weight -= config["lr"] * 2 * (weight - 1.0)
        tune.report({"loss": (weight - 1.0) ** 2})
    if config["lr"] > 1:
        raise ValueError("this learning rate is too large")


def main() -> None:
    callback = DearDiaryLoggerCallback("Examples", "ray", tags=["demo"])
    tuner = tune.Tuner(
        train,
        param_space={"lr": tune.grid_search([0.01, 0.1, 2.0])},
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(Path("ray-results").absolute()),
            callbacks=[callback],
            verbose=0,
        ),
    )
    tuner.fit()


if __name__ == "__main__":
    main()
