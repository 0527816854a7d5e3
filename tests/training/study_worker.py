"""A worker of a shared study whose trials only wait: `python -m tests.training.study_worker URL TRIALS SECONDS`."""

import sys
import time

import optuna

from training.tuning.trials import run_trials, shared_study


def main(url: str, trials: int, seconds: float) -> None:
    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("margin", 0.1, 3.0)
        time.sleep(seconds)
        return value

    run_trials(shared_study(url, "shared", {}, heartbeat_s=1), objective, trials, poll_s=0.1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
