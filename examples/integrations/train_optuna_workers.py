"""A worker of a study that any number of machines share. Run it several times at once."""

import optuna

from deardiary.integrations.optuna import DearDiaryStorage


def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    return (x - 2) ** 2


def main():
    storage = DearDiaryStorage("Examples", "optuna")
    study = optuna.create_study(storage=storage, study_name="digits", load_if_exists=True)
    study.optimize(objective, n_trials=20)
    print(f"{len(study.trials)} trials, the best is {study.best_value:.3f}")


if __name__ == "__main__":
    main()
