"""A worker that dies in the middle of a trial, and the next one, which gets the same parameters."""

import json
import multiprocessing
import os
import time

import optuna

from deardiary.integrations.optuna import DearDiaryStorage


def study():
    storage = DearDiaryStorage("Optuna", "lost", heartbeat_interval=1, grace_period=3)
    return optuna.create_study(storage=storage, study_name="s", load_if_exists=True)


def die(trial):
    trial.suggest_float("x", 0, 1)
    time.sleep(1)  # the lease is there
    os._exit(9)


def main():
    process = multiprocessing.get_context("spawn").Process(target=worker)
    process.start()
    process.join()
    time.sleep(4)
    seen = []

    def objective(trial):
        seen.append(trial.suggest_float("x", 0, 1))
        return seen[-1]

    shared = study()
    shared.optimize(objective, n_trials=2)
    trials = [{"state": each.state.name, "x": each.params.get("x")} for each in shared.trials]
    print(json.dumps({"died": process.exitcode, "trials": trials}))


def worker():
    study().optimize(die, n_trials=1)


if __name__ == "__main__":
    main()
