"""A worker of a study that any number of machines share. Run it several times at once."""

import optuna

from deardiary.integrations.optuna import DearDiaryCallback, DearDiaryStorage


def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    return (x - 2) ** 2


def main():
    storage = DearDiaryStorage("Examples", "optuna_workers")
    study = optuna.create_study(storage=storage, study_name="digits", load_if_exists=True)
    callback = DearDiaryCallback("Examples", "optuna_workers", resume=study.study_name)
    study.optimize(callback.track(objective), n_trials=20, callbacks=[callback])
    print(f"{len(study.trials)} trials, the best is {study.best_value:.3f}")


if __name__ == "__main__":
    main()
