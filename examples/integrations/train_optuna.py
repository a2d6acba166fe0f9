"""Search with Optuna; each trial is a child: `python examples/integrations/train_optuna.py`."""

import optuna

from deardiary.integrations.optuna import DearDiaryCallback


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    for step in range(3):
        trial.report(x * x + 1 / (step + 1), step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return x * x


def main() -> None:
    callback = DearDiaryCallback("Examples", "optuna", tags=["demo"])
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner)
    study.optimize(callback.track(objective), n_trials=6, callbacks=[callback])
    print(f"best {study.best_value:.3f} with {study.best_params}")


if __name__ == "__main__":
    main()
