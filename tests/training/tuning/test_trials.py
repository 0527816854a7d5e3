"""`training/tuning/trials.py`: workers in processes of their own share a study, and one of them dies."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import create_engine, text

from registry.errors import InvalidInput
from tests.postgres import postgres_url
from tests.training.study_worker import FATAL
from training.tuning.trials import MAX_RETRIES, SETTLED, enqueue, new_study, shared_study
from training.tuning.worker import MAX_RAISED, run_trials

Worker = subprocess.Popen[bytes]
StartWorker = Callable[..., Worker]


@pytest.fixture
def worker() -> Iterator[StartWorker]:
    """Starts a worker with `study_worker`'s arguments; none outlives its test."""
    with ExitStack() as stack:

        def start(*arguments: object) -> Worker:
            command = [sys.executable, "-m", "tests.training.study_worker", *map(str, arguments)]
            started = stack.enter_context(subprocess.Popen(command))
            stack.callback(started.kill)
            return started

        yield start


def trials_of(url: str, *states: TrialState) -> list[FrozenTrial]:
    return shared_study(url, "shared", {}).get_trials(states=states or None)


def wait_for(state: TrialState, url: str) -> FrozenTrial:
    for _ in range(600):
        if found := trials_of(url, state):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no trial became {state} in a minute")


def wait_for_heartbeat(url: str) -> None:
    """Wait until a worker has given a sign of life; of one that never did Optuna does not know when it is lost."""
    engine = create_engine(url)
    for _ in range(600):
        with engine.connect() as connection:
            if connection.execute(text("SELECT count(*) FROM trial_heartbeats")).scalar_one():
                break
        time.sleep(0.02)
    engine.dispose()


def wait_for_values(url: str) -> None:
    """Wait until a trial has drawn its values; whoever stops its worker before may stop it while it holds a lock."""
    for _ in range(600):
        if trials_of(url, TrialState.RUNNING)[0].params:
            return
        time.sleep(0.02)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'study.db'}"
        return
    with postgres_url() as server:
        yield server


def test_workers_that_start_together_share_the_trials_and_draw_different_values(worker: StartWorker, url: str) -> None:
    workers = [worker(url, 7, 0.2) for _ in range(2)]
    assert [one.wait(timeout=60) for one in workers] == [0, 0]
    settled = trials_of(url, *SETTLED)
    assert len(settled) == 7
    assert len({trial.params["margin"] for trial in settled}) == 7


def test_the_trial_of_a_killed_worker_is_run_by_another_one(worker: StartWorker, url: str) -> None:
    shared_study(url, "shared", {})
    doomed = worker(url, 3, 600)
    lost = wait_for(TrialState.RUNNING, url)
    for _ in range(100):  # its parameter follows the state
        lost = trials_of(url, TrialState.RUNNING)[0]
        if lost.params:
            break
        time.sleep(0.1)
    doomed.kill()
    doomed.wait()
    assert worker(url, 3, 0.0).wait(timeout=60) == 0
    settled = trials_of(url, *SETTLED)
    assert len(settled) == 3
    assert lost.params in [trial.params for trial in settled]
    assert [trial.number for trial in trials_of(url, TrialState.FAIL)] == [lost.number]


@pytest.mark.parametrize("fate", ["told", "reported"])
def test_a_worker_that_was_paused_gives_its_trial_up_and_takes_the_next(
    worker: StartWorker, url: str, fate: str
) -> None:
    shared_study(url, "shared", {})
    paused = worker(url, 6, 1.0, fate, "paused")
    lost = wait_for(TrialState.RUNNING, url)
    wait_for_heartbeat(url)
    wait_for_values(url)
    paused.send_signal(signal.SIGSTOP)
    other = worker(url, 6, 1.0, fate)
    assert wait_for(TrialState.FAIL, url).number == lost.number
    paused.send_signal(signal.SIGCONT)
    assert [one.wait(timeout=60) for one in (paused, other)] == [0, 0]
    settled = trials_of(url, *SETTLED)
    assert len(settled) == 6
    assert {trial.user_attrs["worker"] for trial in settled} == {paused.pid, other.pid}


def test_a_trial_that_kills_its_worker_is_left_after_some_retries(worker: StartWorker, url: str) -> None:
    shared_study(url, "shared", {})
    ended = []
    while not ended or ended[-1] != 0:  # as a supervisor starts it anew
        ended.append(worker(url, 2, 0.0, "killed").wait(timeout=60))
    assert ended == [-signal.SIGKILL] * (1 + MAX_RETRIES) + [0]
    assert [trial.params["margin"] for trial in trials_of(url, TrialState.FAIL)] == [FATAL] * (1 + MAX_RETRIES)
    (well,) = trials_of(url, TrialState.COMPLETE)  # the fatal one counts as the other of the two
    assert well.params["margin"] != FATAL


def test_a_trial_that_raises_is_left_out_and_not_queued_again(url: str, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        ran.append(trial.suggest_float("margin", 0.1, 3.0))
        if ran[-1] == FATAL:
            raise ValueError("too far: http://me:5ecret@host")
        return ran[-1]

    for _ in range(2):
        study = shared_study(url, "shared", {})
        enqueue(study, {"margin": FATAL})
        run_trials(study, objective, 3)
    assert ran.count(FATAL) == 1
    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert study.trials[0].user_attrs["raised"] == "ValueError: too far: http://***@host"
    assert "trial 0 is left out, since it raised" in caplog.text


def test_what_every_trial_raises_ends_the_worker() -> None:
    study, ran = new_study(0), []

    def objective(trial: optuna.Trial) -> float:
        ran.append(trial.number)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_trials(study, objective, 9)
    assert len(ran) == MAX_RAISED
    with pytest.raises(InvalidInput, match="the last one with ZeroDivisionError"):
        run_trials(study, objective, MAX_RAISED)
    assert len(ran) == MAX_RAISED


def test_a_storage_that_fails_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    study = new_study(0)

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr(study, "optimize", fail)
    with pytest.raises(ConnectionError, match="gone"):
        run_trials(study, lambda _: 0.0, 9)


def test_a_study_that_is_done_gets_no_more_trials_and_a_longer_one_gets_the_rest(url: str) -> None:
    ran: list[int] = []

    def objective(trial: optuna.Trial) -> float:
        ran.append(trial.number)
        if trial.number == 1:
            raise optuna.TrialPruned
        return 0.5

    for trials, total in ((2, 2), (2, 2), (3, 3)):
        run_trials(shared_study(url, "shared", {}), objective, trials)
        assert len(ran) == total


def test_one_trial_too_many_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    study = shared_study(url, "shared", {})
    optimize = study.optimize

    def optimize_at_the_moment_of_another(objective: Callable[[optuna.Trial], float], n_trials: int) -> None:
        with pytest.warns(UserWarning, match="Heartbeat of storage"):
            others = study.ask()
        optimize(objective, n_trials)
        study.tell(others, 0.1)

    def objective(trial: optuna.Trial) -> float:
        raise AssertionError("the only trial is the other worker's")

    monkeypatch.setattr(study, "optimize", optimize_at_the_moment_of_another)
    run_trials(study, objective, 1)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.FAIL]


def test_a_trial_that_failed_is_queued_again_and_one_that_waits_or_ran_is_not() -> None:
    study = new_study(0)
    enqueue(study, {"margin": 1.0})
    enqueue(study, {"margin": 1.0})
    assert len(study.trials) == 1
    trial = study.ask({"margin": optuna.distributions.FloatDistribution(0.1, 3.0)})
    study.tell(trial, state=TrialState.FAIL)
    enqueue(study, {"margin": 1.0})
    assert [one.state for one in study.trials] == [TrialState.FAIL, TrialState.WAITING]


def test_a_study_in_memory_is_repeatable() -> None:
    def values() -> list[float]:
        study = new_study(seed=3)
        run_trials(study, lambda trial: trial.suggest_float("margin", 0.1, 3.0), 6)
        return [trial.values[0] for trial in study.trials]

    assert values() == values()


def test_a_study_of_another_training_is_refused(url: str) -> None:
    shared_study(url, "shared", {"seed": 0, "data_digest": "a"})
    with pytest.raises(InvalidInput, match=r"the study 'shared' .* begun with data_digest='a' \(now 'b'\)"):
        shared_study(url, "shared", {"seed": 0, "data_digest": "b"})


@pytest.mark.parametrize("url", ["no-url", "sqlite:////no/such/folder/study.db", "oracle+nothing://user:secret@host/x"])
def test_a_storage_that_cannot_be_opened_is_a_mistake_told_without_the_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.tuning.trials.ATTEMPTS", 1)
    with pytest.raises(InvalidInput, match="storage must be the URL of a database") as caught:
        shared_study(url, "shared", {})
    assert "secret" not in str(caught.value)
