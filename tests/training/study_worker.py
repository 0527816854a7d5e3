"""A worker of a shared study whose trials only wait.

`python -m tests.training.study_worker URL TRIALS SECONDS [FATE [FIRST]]`

FATE is what becomes of a trial: `told` (as it ends), `reported` (also before), `killed` (with the queued values). Where
FIRST is `paused`, the study's first trial ends when its worker was stopped and goes on.
"""

import os
import signal
import sys
import threading
import time

import optuna

from training.tuning.trials import enqueue, shared_study
from training.tuning.worker import run_trials

FATAL = 3.0


def main(url: str, trials: int, seconds: float, fate: str = "told", first: str = "") -> None:
    goes_on = threading.Event()
    signal.signal(signal.SIGCONT, lambda *_: goes_on.set())

    def objective(trial: optuna.Trial) -> float:
        trial.set_user_attr("worker", os.getpid())
        value = trial.suggest_float("margin", 0.1, 3.0)
        if fate == "killed" and value == FATAL:
            time.sleep(0.5)  # a trial that never said that it lives is no lost one to Optuna
            os.kill(os.getpid(), signal.SIGKILL)
        if first == "paused" and trial.number == 0:
            while not goes_on.wait(0.1):  # a handler runs between two waits, where another thread took the signal
                pass
        else:
            time.sleep(seconds)
        if fate == "reported":
            trial.report(value, 1)
        return value

    study = shared_study(url, "shared", {}, heartbeat_s=1)
    if fate == "killed":
        enqueue(study, {"margin": FATAL})
    run_trials(study, objective, trials, poll_s=0.1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
