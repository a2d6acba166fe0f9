"""Learn to balance a pole, and log it: `python examples/integrations/train_stable_baselines3.py`."""

from stable_baselines3 import PPO

from deardiary.integrations.stable_baselines3 import DearDiaryCallback


def main() -> None:
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=128, batch_size=64, n_epochs=2, seed=0, device="cpu")
    callback = DearDiaryCallback("Examples", "stable_baselines3", log_model=True, tags=["demo"])
    model.learn(512, callback=callback)


if __name__ == "__main__":
    main()
